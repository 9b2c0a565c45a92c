package library

import (
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// void is a version of an object of which nothing could be taken.
func void(id string, v schema.Millis) fact.Said {
	return fact.Said{Indicator: schema.Indicator{ID: id}, Version: v}
}

// TestVoidVersion: a version of which nothing can be taken ends what it or an older one
// said, an older one does not, and what comes later counts again.
func TestVoidVersion(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	step := func(n int, want string, facts ...any) Report {
		t.Helper()
		rep := pull(t, l, feed, fact.Update, day(n), facts...)
		if got := values(t, l); got != want {
			t.Fatalf("day %d: %q, want %q", n, got, want)
		}
		return rep
	}
	step(0, "acme/a.bad.example", versioned("a.bad.example", "x", 10))
	step(1, "acme/a.bad.example", void("x", 10), versioned("a.bad.example", "x", 10))
	step(1, "acme/a.bad.example", versioned("a.bad.example", "x", 10), void("x", 10))
	step(2, "acme/a.bad.example", void("x", 9))
	step(3, "acme/a.bad.example", void("other", 99))
	if rep := step(4, "", void("x", 20)); rep.Removed != 1 || rep.Aside[AsideSuperseded] != 1 || rep.Read != 0 {
		t.Errorf("%+v", rep)
	}
	step(5, "", versioned("a.bad.example", "x", 20), void("x", 30))
	step(6, "acme/b.bad.example", versioned("b.bad.example", "x", 30))
	step(7, "", void("x", 30))
	step(8, "acme/b.bad.example", versioned("b.bad.example", "x", 30))
	step(9, "", revocation("x", 30))
	step(10, "", void("x", 30))
	step(11, "", versioned("b.bad.example", "x", 30))
}

// TestNothingButVoid: a pull of which nothing could be used is refused all the same.
func TestNothingButVoid(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	if _, err := tryPull(l, feed, fact.Replace, day(0), void("x", 10), fact.Refusal{Line: 1, Reason: "no"}); err == nil {
		t.Error("a pull without anything was taken")
	}
	pull(t, l, feed, fact.Update, day(0), versioned("a.bad.example", "x", 10))
	pull(t, l, feed, fact.Update, day(1), void("x", 11), fact.Refusal{Line: 1, Reason: "it is red now"})
	if got := values(t, l); got != "" {
		t.Errorf("%q still counts", got)
	}
}

// TestChangeInTheFuture: a feed cannot put off the end of its indicators by a change
// that has not come yet.
func TestChangeInTheFuture(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	feed.ValidFor = 16 * 24 * 3600 * 1e9
	pull(t, l, feed, fact.Update, day(0), versioned("a.bad.example", "x", millis(5000)))
	list, _ := all(t, l)
	if len(list) != 1 || list[0].ValidUntil > millis(18) || list[0].ValidUntil < millis(15) {
		t.Fatalf("%+v", list)
	}
}
