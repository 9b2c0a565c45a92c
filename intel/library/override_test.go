package library

import (
	"context"
	"errors"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// override sets one of a.bad.example and fails the test if it cannot.
func override(t *testing.T, l *Library, o Override) Override {
	t.Helper()
	o.Type, o.Value = schema.ObservableDomain, "a.bad.example"
	o, err := l.Override(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOverrideLater: a later opinion takes back the word that the value does not count,
// and the comment is that of who spoke last.
func TestOverrideLater(t *testing.T) {
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	override(t, l, Override{Revoked: ptr(true), By: "ann", Note: "a mistake of the feed"})
	if got := values(t, l); got != "" {
		t.Fatalf("revoked: %q", got)
	}
	o := override(t, l, Override{Wish: ptr(schema.WishAllow), By: "bob"})
	if o.Revoked != nil || o.By != "bob" || o.Note != "" {
		t.Errorf("what both come to: %+v", o)
	}
	list, _ := all(t, l)
	if len(list) != 2 || list[1].Feed != Analyst || list[1].Wish != schema.WishAllow {
		t.Errorf("allowed after it was revoked: %+v", list)
	}
	if o = override(t, l, Override{Confidence: ptr(uint8(3)), Revoked: ptr(true)}); o.Revoked == nil || o.Wish == nil {
		t.Errorf("what is set besides: %+v", o)
	}
}

// TestOverrideOfTenant: an opinion for one tenant stands beside what a shared feed says
// to all; a note for one tenant changes that tenant's indicators alone.
func TestOverrideOfTenant(t *testing.T) {
	for name, c := range map[string]struct {
		o    Override
		want schema.Indicator // its opinion
		n    int
	}{
		"severity":   {Override{Severity: ptr(schema.SeverityCritical)}, schema.Indicator{Verdict: schema.VerdictMalicious, Severity: schema.SeverityCritical}, 2},
		"verdict":    {Override{Verdict: ptr(schema.VerdictBenign)}, schema.Indicator{Verdict: schema.VerdictBenign}, 2},
		"wish":       {Override{Wish: ptr(schema.WishAudit)}, schema.Indicator{Verdict: schema.VerdictMalicious, Wish: schema.WishAudit}, 2},
		"confidence": {Override{Confidence: ptr(uint8(1))}, schema.Indicator{}, 1},
		"label":      {Override{Labels: []string{"seen by us"}}, schema.Indicator{}, 1},
	} {
		l := Open(t.TempDir(), small())
		pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
		c.o.Tenant = "umbrella"
		override(t, l, c.o)
		list, _ := all(t, l)
		if len(list) != c.n || list[0].Feed != "acme" || list[0].Tenant != "" || list[0].Severity != 0 || list[0].Wish != schema.WishNone || list[0].Confidence != 75 {
			t.Errorf("%s: the shared one: %+v", name, list)
		}
		if c.n == 2 && (list[1].Tenant != "umbrella" || list[1].Rank != 255 || list[1].Verdict != c.want.Verdict || list[1].Severity != c.want.Severity || list[1].Wish != c.want.Wish) {
			t.Errorf("%s: %+v", name, list[1])
		}
	}
}

// TestOverrideExpires: when an override's time has come the feeds decide again, and what
// it came to is told as a change like any other.
func TestOverrideExpires(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	until := millis(10)
	override(t, l, Override{Severity: ptr(schema.SeverityCritical), Time: millis(1), Expires: &until})
	override(t, l, Override{Labels: []string{"x"}, Time: millis(2)}) // it keeps its end
	before, err := l.Version()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Expire(ctx, day(9)); n != 0 || err != nil {
		t.Errorf("a day early: %d, %v", n, err)
	}
	if list, _ := all(t, l); len(list) != 1 || list[0].Severity != schema.SeverityCritical {
		t.Errorf("a day early: %+v", list)
	}
	if n, err := l.Expire(ctx, day(10)); n != 1 || err != nil {
		t.Errorf("on its day: %d, %v", n, err)
	}
	if n, err := l.Expire(ctx, day(11)); n != 0 || err != nil {
		t.Errorf("a day later: %d, %v", n, err)
	}
	if list, _ := all(t, l); len(list) != 1 || list[0].Severity != 0 || len(list[0].Labels) != 0 {
		t.Errorf("after its end: %+v", list)
	}
	n := 0
	if _, err := l.Changes(ctx, before, func(match.Change) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d changes, %v", n, err)
	}
	early := millis(1)
	if _, err := l.Override(ctx, Override{Type: schema.ObservableDomain, Value: "a.bad.example", Severity: ptr(schema.SeverityLow), Time: millis(2), Expires: &early}); err == nil {
		t.Error("an end before the beginning was taken")
	}
	none := schema.Millis(0)
	override(t, l, Override{Severity: ptr(schema.SeverityLow), Time: millis(12), Expires: ptr(millis(13))})
	if o := override(t, l, Override{Time: millis(12), Severity: ptr(schema.SeverityLow), Expires: &none}); o.expired(day(20)) {
		t.Errorf("an end that was taken back: %+v", o)
	}
	if err := l.RemoveOverride(ctx, "none", "ann"); !errors.Is(err, ErrNoOverride) {
		t.Error(err)
	}
}
