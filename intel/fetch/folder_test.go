package fetch

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// TestFolderLeavesOut: drafts are never read; documentation is where it is named.
func TestFolderLeavesOut(t *testing.T) {
	dir := t.TempDir()
	drafts := []string{"b.txt.tmp", "B.TMP", "b.txt~", ".b.txt.swp", "b.swp", ".hidden", "#b.txt#", "b.txt.part", "b.json.crdownload", "b.txt.bak"}
	papers := []string{"README", "README.txt", "readme.md", "Readme.txt", "LICENSE", "LICENSE-MIT", "license.txt", "CHANGELOG.md", "notes.md"}
	lists := []string{"a.txt", "license-servers.txt", "readmes.csv", "tmp", "x.partial.txt"}
	for _, name := range slices.Concat(drafts, papers, lists) {
		write(t, dir, name, "bad.example\n")
	}
	c := client(t, Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	for glob, want := range map[string][]string{
		"":              lists,
		"*":             lists,
		".*":            {},
		"b*":            {},
		"*.md":          {"CHANGELOG.md", "notes.md", "readme.md"},
		"README*":       {"README", "README.txt"},
		"notes.md":      {"notes.md"},
		"b.txt.bak":     {"b.txt.bak"},
		"[ab].txt":      {"a.txt"},
		"*.txt":         {"a.txt", "license-servers.txt", "x.partial.txt"},
		"LICENSE*":      {"LICENSE", "LICENSE-MIT"},
		"*.crdownload*": {},
	} {
		r, g := mustPull(t, c, fileFeed(filepath.Join(dir, glob)), nil)
		if got := strings.Fields(g.names()); !slices.Equal(got, want) {
			t.Errorf("%q reads %q, want %q", glob, got, want)
		}
		if (r.Waiting == "") != (len(want) > 0) {
			t.Errorf("%q: waiting %q", glob, r.Waiting)
		}
		text := strings.Join(r.Skipped, " ")
		if glob == "" && (len(r.Skipped) != len(papers) || !strings.Contains(text, "README.txt: documentation")) {
			t.Errorf("skipped are %q", r.Skipped)
		}
	}
	seen := c.Look(fileFeed(dir), nil)
	write(t, dir, "c.txt.tmp", "worse.example\n")
	if again := c.Look(fileFeed(dir), nil); again != seen {
		t.Errorf("a draft changed the look from %+v to %+v", seen, again)
	}
}

// TestFolderWaits: no file yet is no failure. None any more is one: it is rather a
// mount that is missing.
func TestFolderWaits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drop")
	c := client(t, Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	for _, place := range []string{dir, filepath.Join(dir, "*.json")} {
		f := fileFeed(place)
		failPull(t, c, f, nil, "drop: no such file")
		away := c.Look(f, nil)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		empty := c.Look(f, nil)
		if empty == away || empty.Changed {
			t.Errorf("a folder that came: %+v after %+v", empty, away)
		}
		r, _ := mustPull(t, c, f, nil)
		if !r.NotModified || r.Waiting != "no file yet in "+place {
			t.Errorf("%+v", r)
		}
		file := write(t, dir, "a.json", "[]")
		if s := c.Look(f, r.State); s == empty || !s.Changed || !s.Settled {
			t.Errorf("a first file: %+v", s)
		}
		r, _ = mustPull(t, c, f, r.State)
		if r.Waiting != "" || c.Look(f, r.State).Changed {
			t.Errorf("%+v", r)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		gone := c.Look(f, r.State)
		again, _ := failPull(t, c, f, r.State, place+": no file is there any more, where there were 1: what they said stays")
		if !gone.Changed || string(again.State) != string(r.State) || c.Look(f, again.State) != gone {
			t.Errorf("%+v", gone)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if s := c.Look(f, r.State); s == gone || !s.Settled {
			t.Errorf("a folder that went: %+v", s)
		}
	}
}

// TestFolderBroken: of several files one that cannot be used costs the others nothing.
// It is tried again when it is another, or when somebody pulls.
func TestFolderBroken(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", "a.example\n")
	write(t, dir, "b.txt", "fail")
	write(t, dir, "c.gz", string(zipped("c.example\n")[:20]))
	closed := write(t, dir, "d.txt", "d.example\n")
	c := client(t, Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	f := fileFeed(dir)
	var g got
	bad := errors.New("no feed at all")
	yield := func(p fact.Part, body io.Reader) error {
		if p.Name == "b.txt" {
			if text, err := io.ReadAll(body); err != nil || string(text) == "fail" {
				return BadPart(bad)
			}
			return nil
		}
		return g.yield(p, body)
	}
	broken := func(state []byte, want ...string) Result {
		t.Helper()
		g = got{}
		r, err := c.Pull(t.Context(), f, state, yield)
		if err != nil {
			t.Fatal(err)
		}
		if names := slices.Sorted(maps.Keys(r.Broken)); !slices.Equal(names, want) {
			t.Fatalf("broken are %v, want %v", r.Broken, want)
		}
		if (r.Mode == fact.Update) != (len(want) > 0) || r.NotModified || c.Look(f, r.State).Changed {
			t.Errorf("%+v", r)
		}
		return r
	}
	r := broken(nil, "b.txt", "c.gz")
	if !errors.Is(r.Broken["b.txt"], bad) || !strings.Contains(r.Broken["c.gz"].Error(), "cut short") || g.names() != "a.txt d.txt" {
		t.Errorf("%v, got %s", r.Broken, g.names())
	}
	r = broken(r.State, "b.txt", "c.gz") // nothing is other, and it is tried all the same
	before := c.Look(f, r.State)
	if err := os.Chmod(closed, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := c.Look(f, r.State); s.Print == before.Print || s.Changed {
		t.Errorf("leave to read what is read: %+v", s)
	}
	if err := os.Chmod(filepath.Join(dir, "b.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := c.Look(f, r.State); !s.Changed {
		t.Errorf("leave to read what is broken: %+v", s)
	}
	write(t, dir, "b.txt", "mended")
	write(t, dir, "c.gz", string(zipped("c.example\n")))
	if r = broken(r.State); g.text() != "a.example\n|c.example\n|d.example\n" {
		t.Errorf("got %q", g.text())
	}
	// An error of who takes the parts is not the file's, and where no file is any good
	// the pull is none.
	mine := fmt.Errorf("the disk is full")
	if _, err := c.Pull(t.Context(), f, nil, func(fact.Part, io.Reader) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
	_, err := c.Pull(t.Context(), f, r.State, func(p fact.Part, body io.Reader) error { return BadPart(bad) })
	if err != nil {
		t.Error("nothing was other", err)
	}
	_, err = c.Pull(t.Context(), f, nil, func(p fact.Part, body io.Reader) error { return BadPart(bad) })
	wantError(t, err, "none of 4 files can be used, the first: a.txt: no feed at all")
}
