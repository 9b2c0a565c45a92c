package fetch

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

func fileFeed(place string) *fact.Feed {
	f := feed(fact.TransportFile, "")
	f.File = place
	return f
}

// at sets a file's time of change.
func at(t *testing.T, file string, when time.Time) {
	t.Helper()
	if err := os.Chtimes(file, when, when); err != nil {
		t.Fatal(err)
	}
}

func changed(t *testing.T, c *Client, f *fact.Feed, state []byte) bool {
	t.Helper()
	s := c.Look(f, state)
	return s.Changed && s.Settled
}

func TestFile(t *testing.T) {
	clock := now
	c := client(t, Config{Now: func() time.Time { return clock }})
	file := write(t, t.TempDir(), "list.txt", "bad.example\n")
	at(t, file, now.Add(-time.Hour))
	f := fileFeed(file)
	if !changed(t, c, f, nil) {
		t.Error("a feed that was never pulled has not changed")
	}
	r, g := mustPull(t, c, f, nil)
	if g.names() != "list.txt" || g.text() != "bad.example\n" || r.Mode != fact.Replace || r.Bytes != 12 {
		t.Errorf("%q %q %+v", g.names(), g.text(), r)
	}
	if changed(t, c, f, r.State) {
		t.Error("nothing was done and it has changed")
	}
	if r, _ := mustPull(t, c, f, r.State); !r.NotModified {
		t.Error("nothing was done and it was yielded again")
	}
	// Touched: worth a look, and the content says no.
	at(t, file, now.Add(-time.Minute))
	if !changed(t, c, f, r.State) {
		t.Error("touched and not worth a look")
	}
	r, _ = mustPull(t, c, f, r.State)
	if !r.NotModified || changed(t, c, f, r.State) {
		t.Errorf("touched: %+v", r)
	}
	// Written just now: not before it has been left alone.
	write(t, filepath.Dir(file), "list.txt", "worse.example\n")
	at(t, file, now)
	if clock = now.Add(time.Second); changed(t, c, f, r.State) {
		t.Error("a file that is being written is worth a pull")
	}
	if clock = now.Add(2 * time.Second); !changed(t, c, f, r.State) {
		t.Error("a file that was written is not worth a pull")
	}
	r, g = mustPull(t, c, f, r.State)
	if g.text() != "worse.example\n" {
		t.Errorf("got %q", g.text())
	}
	// Another place, another state.
	f.File = write(t, t.TempDir(), "list.txt", "worse.example\n")
	if r, _ := mustPull(t, c, f, r.State); r.NotModified {
		t.Error("the state of another file was used")
	}
}

// TestFileFresh wants a change to be seen that leaves size and time as they were,
// as happens within the grain of a file system's clock.
func TestFileFresh(t *testing.T) {
	clock := now.Add(time.Second)
	c := client(t, Config{Now: func() time.Time { return clock }})
	file := write(t, t.TempDir(), "list.txt", "aaa.example\n")
	at(t, file, now)
	f := fileFeed(file)
	r, _ := mustPull(t, c, f, nil)
	write(t, filepath.Dir(file), "list.txt", "bbb.example\n")
	at(t, file, now)
	if clock = now.Add(time.Minute); !changed(t, c, f, r.State) {
		t.Error("not worth a look")
	}
	r, g := mustPull(t, c, f, r.State)
	if g.text() != "bbb.example\n" {
		t.Errorf("got %q", g.text())
	}
	if changed(t, c, f, r.State) {
		t.Error("it stays worth a look")
	}
	// A time in the future is compared by content at each pull, not at each look.
	at(t, file, clock.Add(time.Hour))
	r, _ = mustPull(t, c, f, r.State)
	if !r.NotModified || changed(t, c, f, r.State) {
		t.Errorf("%+v", r)
	}
	write(t, filepath.Dir(file), "list.txt", "ccc.example\n")
	at(t, file, clock.Add(time.Hour))
	if _, g := mustPull(t, c, f, r.State); g.text() != "ccc.example\n" {
		t.Errorf("got %q", g.text())
	}
}

func TestFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, dir, "b.txt", "b.example\n")
	write(t, dir, "a.txt.gz", string(zipped("a.example\n")))
	write(t, dir, ".hidden", "hidden.example\n")
	write(t, dir, "sub/deep.txt", "deep.example\n")
	write(t, dir, "..data/c.txt", "c.example\n")
	secret := write(t, outside, "secret", "s3cret\n")
	for name, to := range map[string]string{"c.txt": "..data/c.txt", "out": secret, "gone": "nowhere", "up": "../x", "folder": "sub"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	f := fileFeed(dir)
	r, g := mustPull(t, c, f, nil)
	if g.names() != "a.txt.gz b.txt c.txt" || g.text() != "a.example\n|b.example\n|c.example\n" {
		t.Errorf("%s: %q", g.names(), g.text())
	}
	skipped := strings.Join(r.Skipped, "\n")
	for _, name := range []string{"gone: a symbolic link", "out: a symbolic link", "up: a symbolic link", "pipe: not a regular file"} {
		if !strings.Contains(skipped, name) {
			t.Errorf("skipped are\n%s\nand not %s", skipped, name)
		}
	}
	if len(r.Skipped) != 4 || strings.Contains(skipped, "s3cret") {
		t.Errorf("skipped are\n%s", skipped)
	}
	if changed(t, c, f, r.State) {
		t.Error("nothing was done and it has changed")
	}
	write(t, dir, "d.txt", "d.example\n")
	if !changed(t, c, f, r.State) {
		t.Error("a new file is no change")
	}
	r, g = mustPull(t, c, f, r.State)
	if g.names() != "a.txt.gz b.txt c.txt d.txt" {
		t.Errorf("%s: all files are to be yielded where one is new", g.names())
	}
	if err := os.Remove(filepath.Join(dir, "b.txt")); err != nil {
		t.Fatal(err)
	}
	if !changed(t, c, f, r.State) {
		t.Error("a file that is gone is no change")
	}
	if r, g = mustPull(t, c, f, r.State); g.names() != "a.txt.gz c.txt d.txt" {
		t.Error(g.names())
	}
	// One file in place of another of the same size.
	if err := os.Rename(filepath.Join(dir, "d.txt"), filepath.Join(dir, "e.txt")); err != nil {
		t.Fatal(err)
	}
	if !changed(t, c, f, r.State) {
		t.Error("a new name is no change")
	}
	if _, g = mustPull(t, c, f, r.State); g.names() != "a.txt.gz c.txt e.txt" {
		t.Error(g.names())
	}
	failPull(t, client(t, Config{MaxFiles: 2}), f, nil, "more than 2 files")
}

func TestGlob(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "one/a.csv", "1\n")
	write(t, dir, "two/a.csv", "2\n")
	write(t, dir, "two/b.txt", "3\n")
	write(t, dir, "odd[1].txt", "4\n")
	c := client(t, Config{})
	if _, g := mustPull(t, c, fileFeed(filepath.Join(dir, "*", "*.csv")), nil); g.names() != "one/a.csv two/a.csv" || g.text() != "1\n|2\n" {
		t.Errorf("%s: %q", g.names(), g.text())
	}
	if _, g := mustPull(t, c, fileFeed(filepath.Join(dir, "odd[1].txt")), nil); g.text() != "4\n" {
		t.Errorf("a name that looks like a glob: %q", g.text())
	}
	failPull(t, c, fileFeed(filepath.Join(dir, "none", "*.csv")), nil, "none: no such file")
	failPull(t, c, fileFeed(filepath.Join(dir, "[")), nil, "syntax error")
}

func TestFileFails(t *testing.T) {
	dir := t.TempDir()
	c := client(t, Config{})
	r, _ := mustPull(t, c, fileFeed(write(t, dir, "list", "bad.example\n")), nil)

	_, err := failPull(t, c, fileFeed(filepath.Join(dir, "none")), nil, "none")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no fs.ErrNotExist", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	failPull(t, c, fileFeed(pipe), nil, "not a regular file")
	failPull(t, c, fileFeed("/dev/zero"), nil, "not a regular file")
	failPull(t, c, fileFeed(write(t, dir, "cut.gz", string(zipped("bad.example\n")[:20]))), nil, "cut.gz: the body is cut short")
	large := fileFeed(write(t, dir, "large", strings.Repeat("x", 100)))
	large.MaxBytes = 99
	failPull(t, c, large, nil, "max_bytes")
	both := fileFeed(filepath.Join(dir, "l*"))
	both.MaxBytes = 111
	failPull(t, c, both, nil, "list: more than max_bytes, 111 bytes: refused") // behind one of 100
	both.MaxBytes = 112
	mustPull(t, c, both, nil)

	// The second of two files fails: the pull has its old state.
	f := fileFeed(filepath.Join(dir, "list"))
	write(t, dir, "list", "worse.example\n")
	mine := errors.New("the disk is full")
	again, err := c.Pull(t.Context(), f, r.State, func(fact.Part, io.Reader) error { return mine })
	if !errors.Is(err, mine) || !bytes.Equal(again.State, r.State) {
		t.Errorf("%v, state %s, want %s", err, again.State, r.State)
	}
}

// TestFileWrittenWhileRead wants no list that is half old and half new.
func TestFileWrittenWhileRead(t *testing.T) {
	file := write(t, t.TempDir(), "list", "bad.example\n")
	_, err := client(t, Config{}).Pull(t.Context(), fileFeed(file), nil, func(_ fact.Part, body io.Reader) error {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("worse.example\n")
		return err
	})
	wantError(t, err, "changed while it was read")
	if Permanent(err) {
		t.Error("it is said to be permanent")
	}
	// Also if its time says otherwise.
	at(t, file, now)
	_, err = client(t, Config{}).Pull(t.Context(), fileFeed(file), nil, func(_ fact.Part, body io.Reader) error {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		if err := os.Truncate(file, 3); err != nil {
			return err
		}
		return os.Chtimes(file, now, now)
	})
	wantError(t, err, "changed while it was read")
}

// TestFolderSwapped wants a file that becomes a link out of its folder, between
// the listing and the reading, not to be followed: it is broken, and the other is not.
func TestFolderSwapped(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", "a.example\n")
	second := write(t, dir, "b.txt", "b.example\n")
	secret := write(t, t.TempDir(), "secret", "s3cret\n")
	var g got
	r, err := client(t, Config{}).Pull(t.Context(), fileFeed(dir), nil, func(p fact.Part, body io.Reader) error {
		if err := os.Remove(second); err != nil {
			return err
		}
		if err := os.Symlink(secret, second); err != nil {
			return err
		}
		return g.yield(p, body)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, r.Broken["b.txt"], "b.txt", "escapes")
	if g.text() != "a.example\n" {
		t.Errorf("got %q", g.text())
	}
}

func TestUploadIsNotPulled(t *testing.T) {
	failPull(t, client(t, Config{}), feed(fact.TransportUpload, ""), nil, "is not pulled")
}
