package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestDiskFull has each step of each write fail. What is told to have failed has not
// happened, unless only its durability is in doubt; what is read is the old state or
// all of the new one; nothing lies around that would keep the disk full, and the next
// writer is not hindered.
func TestDiskFull(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	l := Open(base, small())
	pull(t, l, feedOf("acme"), fact.Update, day(0), versioned("one.bad.example", "indicator--1", 1), versioned("two.bad.example", "indicator--2", 1))
	pull(t, l, feedOf("acme"), fact.Update, day(1), versioned("three.bad.example", "indicator--3", 1))
	if _, err := l.Override(context.Background(), Override{Type: schema.ObservableDomain, Value: "three.bad.example", Confidence: ptr(uint8(3)), By: "ann"}); err != nil {
		t.Fatal(err)
	}
	before := shown(t, Open(base, small()))
	for what, least := range map[string]int{"import": 12, "override": 4, "remove": 4, "failed": 4} {
		t.Run(what, func(t *testing.T) {
			done := filepath.Join(t.TempDir(), "done")
			copyTree(t, base, done)
			if err := act(Open(done, small()), what); err != nil {
				t.Fatal(err)
			}
			after := shown(t, Open(done, small()))
			for n := 1; ; n++ {
				dir := filepath.Join(t.TempDir(), "full")
				copyTree(t, base, dir)
				l := Open(dir, small())
				steps, at := 0, ""
				l.step = func(name string) error {
					if steps++; steps != n {
						return nil
					}
					at = name
					return syscall.ENOSPC
				}
				err := act(l, what)
				if steps < n {
					if err != nil || n <= least {
						t.Fatalf("%d steps, %v", n-1, err)
					}
					return
				}
				l = Open(dir, small())
				got := shown(t, l)
				switch {
				case got != before && got != after:
					t.Fatalf("after a failure at step %d (%s) there is neither the old nor the new state but\n%s", n, at, got)
				case err == nil:
					t.Errorf("step %d (%s) failed and nobody is told", n, at)
				case got == after && !strings.HasPrefix(at, "sync ") && at != "committed" && at != "sweep":
					t.Errorf("step %d (%s) failed, and it counts: %v", n, at, err)
				}
				if got == before {
					was := files(t, filepath.Join(base, "feeds", "acme"))
					if now := files(t, l.feedDir("acme")); !slices.Equal(was, now) {
						t.Errorf("after a failure at step %d (%s) there are %q, there were %q", n, at, now, was)
					}
				}
				pull(t, l, feedOf("acme"), fact.Replace, day(5), domain("last.bad.example"))
				if got := values(t, l); got != "acme/last.bad.example" {
					t.Fatalf("after a failure at step %d (%s) the next import gives %s", n, at, got)
				}
			}
		})
	}
}

// TestFoldersAreDurable: a new feed, and the first override, outlast a loss of power:
// all folders that lead to them are synced before anything counts.
func TestFoldersAreDurable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "indicators")
	l := Open(dir, small())
	var steps []string
	l.step = func(name string) error {
		steps = append(steps, strings.ReplaceAll(name, filepath.Dir(dir), "D"))
		return nil
	}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	want := []string{"sync D", "sync D/indicators", "sync D/indicators/feeds", "sync D/indicators/feeds/acme", "state"}
	if n := slices.Index(steps, "state"); n < 4 || !slices.Equal(steps[n-4:n+1], want) {
		t.Errorf("a new feed: %q", steps)
	}
	steps = nil
	pull(t, l, feedOf("acme"), fact.Replace, day(1), domain("b.bad.example"))
	if n := slices.Index(steps, "state"); n < 1 || steps[n-1] != "sync D/indicators/feeds/acme" || slices.Contains(steps, "sync D") {
		t.Errorf("a feed that was there: %q", steps)
	}
	dir = filepath.Join(t.TempDir(), "indicators")
	steps, l.dir = nil, dir
	if _, err := l.Override(context.Background(), Override{Type: schema.ObservableDomain, Value: "a.bad.example", Confidence: ptr(uint8(3))}); err != nil {
		t.Fatal(err)
	}
	if n := len(steps); n < 2 || !slices.Equal(steps[n-2:], []string{"sync D", "sync D/indicators"}) {
		t.Errorf("the first override: %q", steps)
	}
}

// TestClockGoesBack: pulls after the clock was set back change what counts as any
// other, and what ended is not forgotten early.
func TestClockGoesBack(t *testing.T) {
	l := Open(t.TempDir(), small())
	f := feedOf("acme")
	f.ValidFor = 16 * 24 * 3600 * 1e9
	pull(t, l, f, fact.Replace, day(100), domain("a.bad.example"), domain("b.bad.example"))
	rep := pull(t, l, f, fact.Replace, day(10), domain("b.bad.example"), domain("c.bad.example"))
	if got := values(t, l); got != "acme/b.bad.example acme/c.bad.example" || rep.Removed != 1 || rep.Added != 1 {
		t.Errorf("%s, %+v", got, rep)
	}
	list, _ := all(t, l)
	for _, i := range list {
		if i.ValidUntil < millis(25) || i.ValidUntil > millis(28) {
			t.Errorf("%s ends %s", i.Value, i.ValidUntil)
		}
	}
	pull(t, l, f, fact.Replace, day(101), domain("b.bad.example"))
	known, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "c.bad.example"})
	if err != nil || len(known) != 1 || known[0].Ended != millis(101) {
		t.Errorf("%+v, %v", known, err)
	}
}

// TestReadersMeetARemoval: a reader that has read the state of a feed which is then
// removed looks again, and finds nothing damaged.
func TestReadersMeetARemoval(t *testing.T) {
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	tries := 0
	err := l.reading("acme", func(st *state) error {
		if tries++; tries == 1 {
			if err := l.Remove(context.Background(), "acme"); err != nil {
				t.Fatal(err)
			}
		}
		if st.Current == 0 {
			return nil
		}
		tab, err := openTable(generationFile(l.feedDir("acme"), st.Current, "current"), kindCurrent)
		if err == nil {
			err = fmt.Errorf("a removed feed has a table: %w", tab.close())
		}
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("%d tries: %v", tries, err)
	}
}

// TestLockOfARemovedFolder: a lock of a file that is no longer in its place keeps nobody
// out, and is not taken for one.
func TestLockOfARemovedFolder(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "feed")
	path := filepath.Join(dir, "lock")
	first, err := lockFile(ctx, path, "first")
	if err != nil {
		t.Fatal(err)
	}
	waits, err := os.Open(path) // as one that waits has it
	if err != nil {
		t.Fatal(err)
	}
	defer waits.Close()
	if !stillAt(waits, path) {
		t.Error("the file is in its place")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	second, err := lockFile(ctx, path, "second")
	if err != nil {
		t.Fatal(err)
	}
	if stillAt(waits, path) {
		t.Error("the file is another one")
	}
	if err := errors.Join(first.release(), second.release()); err != nil {
		t.Error(err)
	}
}

// TestNoFileStaysOpen: whatever fails, all files are closed.
func TestNoFileStaysOpen(t *testing.T) {
	ctx := context.Background()
	count := func() int {
		t.Helper()
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	work := func() {
		for _, file := range []string{"feeds/acme/00000002.current", "feeds/acme/00000001.current", "feeds/acme/00000002.facts", "feeds/acme/00000002.objects", "feeds/acme/feed.json"} {
			l := twoFeeds(t)
			_, at := all(t, l.For("x"))
			pull(t, l, feedOf("beta"), fact.Replace, day(3), domain("z.bad.example"))
			damage(t, l, file, "flipped")
			stop := errors.New("stop")
			var out bytes.Buffer
			for _, err := range []error{
				second(l.Each(ctx, func(schema.Indicator) error { return stop })),
				second(l.Each(ctx, func(schema.Indicator) error { return nil })),
				second(l.Changes(ctx, at, func(match.Change) error { return stop })),
				second(l.Changes(ctx, "acme:1;0", func(match.Change) error { return nil })),
				second(l.Check(ctx, schema.Observable{Type: schema.ObservableDomain, Value: "new.bad.example"})),
				second(l.Reports(ctx)),
				second(l.Export(ctx, ExportOptions{Format: ExportCSV}, &out)),
				second(tryPull(l, feedOf("acme"), fact.Update, day(4), domain("y.bad.example"))),
				second(l.Renew(ctx, feedOf("acme"), day(4))),
			} {
				if err != nil && !errors.Is(err, stop) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrGone) {
					t.Fatal(err)
				}
			}
		}
	}
	work()
	before := count()
	work()
	if after := count(); after != before {
		t.Errorf("%d files were open, now %d", before, after)
	}
}
