package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/stages/match"
)

// TestHold: the way from a version that is held stays known however often a feed
// changes, and the disk has the generations that somebody needs and no others.
func TestHold(t *testing.T) {
	ctx := context.Background()
	cfg := small()
	l := Open(t.TempDir(), cfg)
	commit := func(n int) {
		t.Helper()
		pull(t, l, feedOf("acme"), fact.Replace, day(n), domain(fmt.Sprintf("v%d.bad.example", n)))
	}
	count := func() (n int) {
		t.Helper()
		for _, name := range files(t, l.feedDir("acme")) {
			if strings.HasSuffix(name, ".current") {
				n++
			}
		}
		return n
	}
	commit(0)
	publisher, past := l.For("publisher"), l.For("past")
	_, first := all(t, publisher) // Each holds
	commit(1)
	_, second := all(t, l)
	if err := past.Hold(ctx, first, second); err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 40; n++ {
		commit(n)
	}
	if got := count(); got != cfg.Keep+2 {
		t.Errorf("%d generations on disk", got)
	}
	for _, v := range []Version{first, second} {
		n := 0
		if _, err := l.Changes(ctx, v, func(match.Change) error { n++; return nil }); err != nil || n != 2 {
			t.Errorf("changes from %s: %d, %v", v, n, err)
		}
	}
	_, now := all(t, l)
	if err := past.Hold(ctx, now); err != nil {
		t.Fatal(err)
	}
	to, err := publisher.Changes(ctx, first, func(match.Change) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	commit(40)
	if _, err := l.Changes(ctx, first, func(match.Change) error { return nil }); err != nil {
		t.Errorf("the publisher may ask from there again: %v", err)
	}
	if _, err := publisher.Changes(ctx, to, func(match.Change) error { return nil }); err != nil {
		t.Fatal(err)
	}
	commit(41)
	if _, err := l.Changes(ctx, first, func(match.Change) error { return nil }); !errors.Is(err, ErrGone) || count() > cfg.Keep+1 {
		t.Errorf("what nobody holds: %v, %d generations", err, count())
	}

	// A removed feed stays as long as somebody must be told.
	_, now = all(t, publisher)
	if err := errors.Join(past.Hold(ctx), l.Remove(ctx, "acme")); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 1 {
		t.Errorf("%d generations of a removed feed", got)
	}
	n := 0
	if to, err = publisher.Changes(ctx, now, func(match.Change) error { n++; return nil }); err != nil || n != 1 || to != "" {
		t.Errorf("changes of the removal: %d, %q, %v", n, to, err)
	}
	if _, err := publisher.Changes(ctx, to, func(match.Change) error { return nil }); err != nil || count() != 0 {
		t.Errorf("%d generations of a removed feed that everybody knows of, %v", count(), err)
	}
}

// TestHoldEnds: whoever has held for a week without a sign is no more; a hold that is
// cut by a loss of power holds nothing, and is given again.
func TestHoldEnds(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	_, v := all(t, l)
	held := func() bool {
		t.Helper()
		list, err := l.held("acme")
		if err != nil {
			t.Fatal(err)
		}
		return len(list) > 0
	}
	past := l.For("past")
	path := filepath.Join(l.holds(), "past")
	for _, spoil := range []func() error{
		func() error { return nil },
		func() error { old := time.Now().Add(-holdFor); return os.Chtimes(path, old, old) },
		func() error { return os.WriteFile(path, []byte(`["ac`), 0o644) },
	} {
		if err := past.Hold(ctx, v); err != nil || !held() {
			t.Errorf("not held: %v", err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
	}
	if held() {
		t.Error("half a hold holds")
	}
	if err := l.For("../x").Hold(ctx, v); err == nil {
		t.Error("a holder's name is a path")
	}
	if err := l.Hold(ctx, v); err == nil {
		t.Error("nobody holds")
	}
}

// TestHoldOfRemovedFeedEnds: what was kept of a removed feed for somebody who is no more
// goes when anybody else's hold is given.
func TestHoldOfRemovedFeedEnds(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	_, v := all(t, l)
	if err := errors.Join(l.For("past").Hold(ctx, v), l.Remove(ctx, "acme")); err != nil {
		t.Fatal(err)
	}
	kept := func() bool { return strings.Contains(strings.Join(files(t, l.feedDir("acme")), " "), ".current") }
	publisher := l.For("publisher")
	if err := publisher.Hold(ctx, "beta:1;0"); err != nil || !kept() {
		t.Errorf("what is held was swept, %v", err)
	}
	old := time.Now().Add(-holdFor)
	if err := os.Chtimes(filepath.Join(l.holds(), "past"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := publisher.Hold(ctx, "beta:2;0"); err != nil || kept() {
		t.Errorf("what nobody holds any more is kept, %v", err)
	}
}

// FuzzHold reads what may stand in the file of a hold: it holds generations of feeds or
// nothing, and never more than it names.
func FuzzHold(f *testing.F) {
	f.Add([]byte(`["acme:3,beta:12;4","acme:5;0",""]`))
	f.Add([]byte(`["acme:0;1"]`))
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "past")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		versions, _, err := readHold(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for name, list := range generationsOf(versions) {
			if n += len(list); !feedName.MatchString(name) || len(list) > len(versions) {
				t.Errorf("%q has %d generations of %d versions", name, len(list), len(versions))
			}
		}
		if n > len(text) {
			t.Errorf("%d generations in %d bytes", n, len(text))
		}
	})
}
