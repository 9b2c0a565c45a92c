package library

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// TestTooManyIndicators: a pull that would make a feed larger than it may be changes
// nothing, in one piece or by and by.
func TestTooManyIndicators(t *testing.T) {
	cfg := small()
	cfg.MaxIndicators = 3
	l, feed := Open(t.TempDir(), cfg), feedOf("acme")
	pull(t, l, feed, fact.Update, day(0), domain("a.example"), domain("b.example"), domain("c.example"))
	for name, list := range map[string][]any{
		"at once":   {domain("a.example"), domain("b.example"), domain("c.example"), domain("d.example")},
		"by and by": {domain("d.example")},
	} {
		if _, err := tryPull(l, feed, fact.Update, day(1), list...); err == nil || !strings.Contains(err.Error(), "max_indicators") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := values(t, l); got != "acme/a.example acme/b.example acme/c.example" {
		t.Errorf("%q", got)
	}
	pull(t, l, feed, fact.Replace, day(2), domain("d.example"))
}

// TestManyRefusals: the file of refusals has an end, the count has none.
func TestManyRefusals(t *testing.T) {
	l, feed := Open(t.TempDir(), DefaultConfig()), feedOf("acme")
	im, err := l.Begin(context.Background(), feed, "test", fact.Replace, day(0))
	if err != nil {
		t.Fatal(err)
	}
	reason := strings.Repeat("x", 1<<10)
	for n := range 100_000 {
		if err := im.Refuse(fact.Refusal{Line: n + 1, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Said(1, domain("a.example")); err != nil {
		t.Fatal(err)
	}
	rep, err := im.Commit(nil)
	if err != nil || rep.Refused != 100_000 {
		t.Fatal(rep.Refused, err)
	}
	if st, err := os.Stat(rep.File); err != nil || st.Size() > 66<<20 || st.Size() < 60<<20 {
		t.Errorf("%v, %v", st.Size(), err)
	}
	n, last := 0, fact.Refusal{}
	if err := l.Refusals(feed.Name, func(r fact.Refusal) error { n++; last = r; return nil }); err != nil || n < 50_000 || n > 70_000 || !strings.Contains(last.Reason, "counted") {
		t.Errorf("%d, the last %.60s, %v", n, last.Reason, err)
	}
}

// TestOneObjectInTwoFeeds: feeds that have objects of the same ids do not know of each
// other.
func TestOneObjectInTwoFeeds(t *testing.T) {
	l := Open(t.TempDir(), small())
	a, b := feedOf("acme"), feedOf("beta")
	for _, f := range []*fact.Feed{a, b} {
		pull(t, l, f, fact.Update, day(0), versioned("a.bad.example", "indicator--1", 10), versioned("b.bad.example", "indicator--1", 10))
	}
	pull(t, l, a, fact.Update, day(1), versioned("b.bad.example", "indicator--1", 20))
	if got := values(t, l); got != "acme/b.bad.example beta/a.bad.example beta/b.bad.example" {
		t.Error(got)
	}
	pull(t, l, b, fact.Update, day(2), revocation("indicator--1", 15))
	pull(t, l, b, fact.Update, day(3), versioned("a.bad.example", "indicator--1", 12))
	if got := values(t, l); got != "acme/b.bad.example" {
		t.Error(got)
	}
	pull(t, l, b, fact.Update, day(4), versioned("a.bad.example", "indicator--1", 16))
	if got := values(t, l); got != "acme/b.bad.example beta/a.bad.example" {
		t.Error(got)
	}
}

// TestOverrideOutlivesAbsence: what an analyst set is in force again when the feed
// brings the value back, and does not bring it back itself.
func TestOverrideOutlivesAbsence(t *testing.T) {
	cfg := small()
	cfg.ForgetMissing = 0
	l, feed := Open(t.TempDir(), cfg), feedOf("acme")
	pull(t, l, feed, fact.Replace, day(0), domain("a.bad.example"), domain("b.bad.example"))
	o := Override{Type: schema.ObservableDomain, Value: "a.bad.example", Verdict: ptr(schema.VerdictSuspicious), By: "ann"}
	if _, err := l.Override(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"b.bad.example malicious 50", "b.bad.example malicious 50"} {
		pull(t, l, feed, fact.Replace, day(10*(n+1)), domain("b.bad.example"))
		list, _ := all(t, l)
		if len(list) != 1 || fmt.Sprint(list[0].Value, " ", list[0].Verdict, " ", list[0].Rank) != want {
			t.Fatalf("%+v", list)
		}
	}
	pull(t, l, feed, fact.Replace, day(100), domain("a.bad.example"), domain("b.bad.example"))
	if list, _ := all(t, l); len(list) != 2 || list[0].Verdict != schema.VerdictSuspicious || list[0].Rank != 255 {
		t.Fatalf("%+v", list)
	}
}

// TestCrowdedValue: of one value a feed cannot make more ids count than every alert
// that names it can bear; the others can be explained.
func TestCrowdedValue(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	list := []any{domain("b.example")}
	for n := range maxAlike + 40 {
		s := domain("a.example")
		s.ID = fmt.Sprintf("indicator--%08d-0000-4000-8000-000000000000", n)
		list = append(list, s)
	}
	rep := pull(t, l, feed, fact.Update, day(0), list...)
	if rep.Indicators != maxAlike+1 || rep.Aside[AsideRefused] != 40 {
		t.Errorf("%d indicators, aside %v", rep.Indicators, rep.Aside)
	}
	known, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	counting := 0
	for _, k := range known {
		if k.Aside == "" {
			counting++
		} else if !strings.Contains(k.Aside, "ids for this value") {
			t.Errorf("aside: %q", k.Aside)
		}
	}
	if len(known) != maxAlike+40 || counting != maxAlike {
		t.Errorf("%d known, %d count", len(known), counting)
	}
}
