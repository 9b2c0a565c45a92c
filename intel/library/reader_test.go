package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestReaders reads while a writer commits: every reading is one of the states that
// were committed, whole.
func TestReaders(t *testing.T) {
	l := Open(t.TempDir(), small())
	const size = 300
	generation := func(n int) []any {
		var facts []any
		for k := range size {
			s := domain(fmt.Sprintf("v%d.bad.example", k))
			s.Confidence = uint8(n)
			facts = append(facts, s)
		}
		return facts
	}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), generation(0)...)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				seen := map[uint8]int{}
				_, err := l.Each(context.Background(), func(i schema.Indicator) error {
					seen[i.Confidence]++
					return nil
				})
				if err != nil || len(seen) != 1 {
					t.Errorf("a reader saw %v, %v", seen, err)
					return
				}
				known, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "v7.bad.example"})
				if err != nil || len(known) != 1 {
					t.Errorf("a check saw %v, %v", known, err)
					return
				}
			}
		})
	}
	for n := 1; n <= 25; n++ {
		pull(t, l, feedOf("acme"), fact.Replace, day(n), generation(n)...)
	}
	close(stop)
	wg.Wait()
}

func TestLock(t *testing.T) {
	l := Open(t.TempDir(), small())
	im, err := l.Begin(context.Background(), feedOf("acme"), "the first", fact.Replace, day(0))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
	defer cancel()
	if _, err := l.Begin(ctx, feedOf("acme"), "the second", fact.Replace, day(0)); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "import of the first") {
		t.Errorf("a second writer: %v", err)
	}
	pull(t, l, feedOf("beta"), fact.Replace, day(0), domain("b.bad.example")) // another feed has its own lock
	if err := errors.Join(im.Abort(), im.Abort()); err != nil {
		t.Error(err)
	}
	if err := im.Said(1, domain("x.bad.example")); err == nil {
		t.Error("an import that is over takes facts")
	}
	if _, err := im.Commit(nil); err == nil {
		t.Error("an import that is over commits")
	}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	if got := values(t, l); got != "acme/a.bad.example beta/b.bad.example" {
		t.Error(got)
	}
	for _, name := range files(t, l.feedDir("acme")) {
		if strings.HasPrefix(name, temporary) {
			t.Errorf("%s is left", name)
		}
	}
}

func TestCanceled(t *testing.T) {
	l := Open(t.TempDir(), small())
	ctx, cancel := context.WithCancel(context.Background())
	im, err := l.Begin(ctx, feedOf("acme"), "x", fact.Replace, day(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Said(1, domain("a.bad.example")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := im.Said(2, domain("b.bad.example")); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled import goes on: %v", err)
	}
	if _, err := im.Commit(nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled import commits: %v", err)
	}
	if got := values(t, l); got != "" {
		t.Error(got)
	}
}

// TestDamagedFiles changes each file of a library: whoever reads it says which feed
// and file it is, and nothing is built upon it.
func TestDamagedFiles(t *testing.T) {
	base := t.TempDir()
	l := Open(base, small())
	pull(t, l, feedOf("acme"), fact.Update, day(0), domain("a.bad.example"), fact.Object{ID: "malware--1", Kind: schema.ThreatMalware, Name: "Foo"}, fact.Refusal{Line: 1, Value: "x", Reason: "y"})
	for _, by := range []string{"ann", "bob"} {
		if _, err := l.Override(context.Background(), Override{Type: schema.ObservableDomain, Value: "a.bad.example", Confidence: ptr(uint8(7)), By: by}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"feeds/acme/feed.json", "feeds/acme/00000001.current", "feeds/acme/00000001.facts", "feeds/acme/00000001.objects", "journal"} {
		whole, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"flip", "cut"} {
			dir := filepath.Join(t.TempDir(), "damaged")
			copyTree(t, base, dir)
			text := append([]byte(nil), whole...)
			if how == "flip" {
				text[len(text)/2] ^= 1
			} else {
				text = text[:len(text)-1]
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
			l := Open(dir, small())
			_, err1 := l.Each(context.Background(), func(schema.Indicator) error { return nil })
			_, err2 := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "a.bad.example"})
			_, err3 := l.Reports(context.Background())
			_, err4 := tryPull(l, feedOf("acme"), fact.Update, day(1), domain("b.bad.example"))
			if name == "journal" && how == "cut" { // the last line was told to nobody
				if err := errors.Join(err1, err2, err3, err4); err != nil {
					t.Error(err)
				}
				continue
			}
			err = errors.Join(err1, err2, err3, err4)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.FromSlash(name)) {
				t.Errorf("%s, %s: %v", name, how, err)
			}
			// The indicators follow from the facts; nothing else does.
			if built := err4 == nil; built != strings.HasSuffix(name, ".current") {
				t.Errorf("%s, %s: an import that builds upon it: %v", name, how, err4)
			}
			if err4 == nil {
				if got := values(t, l); got != "acme/a.bad.example acme/b.bad.example" {
					t.Errorf("%s, %s: after another pull %s", name, how, got)
				}
			}
		}
	}
}

func TestIndex(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	cfg := match.DefaultConfig()
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"), said(schema.ObservableCIDR, "198.51.100.0/24", ""))
	look := func(value string, cfg match.Config) (*match.Index, int) {
		t.Helper()
		x, v, err := l.Index(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, want := all(t, l); v != want {
			t.Fatalf("the index is of %s, not %s", v, want)
		}
		n := 0
		x.Find(schema.Observable{Type: schema.ObservableDomain, Value: value}, func(*schema.Indicator) { n++ })
		return x, n
	}
	first, n := look("x.a.bad.example", cfg)
	if n != 1 {
		t.Error("the index does not have what was imported")
	}
	dir := filepath.Join(l.dir, "index")
	names := files(t, dir)
	info, err := os.Stat(filepath.Join(dir, names[0]))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	look("x.a.bad.example", cfg)
	again, err := os.Stat(filepath.Join(dir, names[0]))
	if err != nil || !os.SameFile(info, again) {
		t.Error("the same version was built twice", err)
	}
	other := cfg
	other.FalsePositives = 0.01
	look("x.a.bad.example", other)
	for k := range 4 { // more than are kept
		pull(t, l, feedOf("acme"), fact.Replace, day(k+1), domain("a.bad.example"), domain(fmt.Sprintf("n%d.bad.example", k)))
		if _, n := look(fmt.Sprintf("n%d.bad.example", k), cfg); n != 1 {
			t.Errorf("after pull %d the index is an old one", k)
		}
	}
	if names := files(t, dir); len(names) != 2 {
		t.Errorf("snapshots %v", names)
	}
	if n := 0; first.Len() == 2 {
		first.Find(schema.Observable{Type: schema.ObservableIP, Value: "198.51.100.9"}, func(*schema.Indicator) { n++ })
		if n != 1 {
			t.Error("an index whose file was swept has changed")
		}
	}
	// A damaged snapshot is built anew.
	_, v := all(t, l)
	path, err := l.snapshot(v, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".x", []byte("no index"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".x", path); err != nil {
		t.Fatal(err)
	}
	if _, n := look("n3.bad.example", cfg); n != 1 {
		t.Error("a damaged snapshot was used")
	}
}

func TestGone(t *testing.T) {
	ctx := context.Background()
	cfg := small()
	cfg.Keep = 3
	l := Open(t.TempDir(), cfg)
	var versions []Version
	for n := range 6 {
		pull(t, l, feedOf("acme"), fact.Replace, day(n), domain(fmt.Sprintf("v%d.bad.example", n)))
		_, v := all(t, l)
		versions = append(versions, v)
	}
	changes := func(from Version) (n int, err error) {
		_, err = l.Changes(ctx, from, func(match.Change) error { n++; return nil })
		return n, err
	}
	for n, v := range versions {
		got, err := changes(v)
		switch {
		case n < 3 && !errors.Is(err, ErrGone):
			t.Errorf("generation %d is still there: %v", n, err)
		case n >= 3 && n < 5 && (err != nil || got != 2), n == 5 && (err != nil || got != 0):
			t.Errorf("changes since generation %d: %d, %v", n, got, err)
		}
	}
	for _, bad := range []Version{"x", "acme:0;1", "acme:01;1", "b:1,a:1;2", ";0", "acme:1", ";9"} {
		if _, err := changes(bad); err == nil {
			t.Errorf("changes since %q were told", bad)
		}
	}
}

// TestFold writes more overrides than the journal keeps apart.
func TestFold(t *testing.T) {
	l := Open(t.TempDir(), small())
	over := newOverlay()
	for n := uint64(1); n <= foldAfter; n++ {
		o := Override{Type: schema.ObservableDomain, Value: "a.bad.example", Confidence: ptr(uint8(n % 100)), By: "ann"}
		o.ID = o.id()
		over.take(&journalEntry{Seq: n, Set: &o})
		over.seq = n
	}
	over.take(&journalEntry{Seq: over.seq + 1, Sight: sightingAt(place(schema.ObservableDomain, "a.bad.example"), 77)})
	over.seq++
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.fold(over); err != nil {
		t.Fatal(err)
	}
	got, err := l.overlay()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := asJSON(t, []any{over.seq, over.overrides, over.sighted}), asJSON(t, []any{got.seq, got.overrides, got.sighted}); a != b {
		t.Errorf("folded\n%s\nread\n%s", a, b)
	}
	if _, err := l.Override(context.Background(), Override{Type: schema.ObservableDomain, Value: "a.bad.example", Severity: ptr(schema.SeverityLow)}); err != nil {
		t.Fatal(err)
	}
	if got, err = l.overlay(); err != nil || got.seq != over.seq+1 || len(got.overrides) != 1 {
		t.Errorf("after another override: %+v, %v", got, err)
	}
	if _, err := l.Changes(context.Background(), makeVersion(nil, foldAfter/2), func(match.Change) error { return nil }); !errors.Is(err, ErrGone) {
		t.Errorf("changes since before the folding: %v", err)
	}
}
