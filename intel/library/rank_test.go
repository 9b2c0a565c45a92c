package library

import (
	"context"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestAnalystRank: what an analyst says outranks every feed; what an analyst only notes
// does not, nor what one feed is told to be wrong about.
func TestAnalystRank(t *testing.T) {
	for name, c := range map[string]struct {
		o    Override
		want uint8
	}{
		"verdict":              {Override{Verdict: ptr(schema.VerdictMalicious)}, 255},
		"good verdict":         {Override{Verdict: ptr(schema.VerdictBenign)}, 255},
		"wish":                 {Override{Wish: ptr(schema.WishBlock)}, 255},
		"of one feed":          {Override{Feed: "acme", Verdict: ptr(schema.VerdictSuspicious)}, 255},
		"one feed is wrong":    {Override{Feed: "acme", Verdict: ptr(schema.VerdictFalsePositive)}, 50},
		"another feed":         {Override{Feed: "beta", Verdict: ptr(schema.VerdictMalicious)}, 50},
		"another tenant":       {Override{Tenant: "umbrella", Confidence: ptr(uint8(99))}, 50},
		"confidence":           {Override{Confidence: ptr(uint8(99))}, 50},
		"severity":             {Override{Severity: ptr(schema.SeverityHigh)}, 50},
		"revived":              {Override{Revoked: ptr(false)}, 50},
		"labels and a verdict": {Override{Labels: []string{"x"}, Verdict: ptr(schema.VerdictMalicious)}, 255},
	} {
		l := Open(t.TempDir(), small())
		pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
		c.o.Type, c.o.Value, c.o.By = schema.ObservableDomain, "a.bad.example", "ann"
		if _, err := l.Override(context.Background(), c.o); err != nil {
			t.Fatal(name, err)
		}
		list, _ := all(t, l)
		if len(list) != 1 || list[0].Rank != c.want {
			t.Errorf("%s: %+v, want rank %d", name, list, c.want)
		}
	}
}

// TestOverrideOfListed: an entry of a benign list has no opinion that could be set; an
// override without a feed is about the feeds that have one. It can be revoked.
func TestOverrideOfListed(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	entry := domain("a.bad.example")
	entry.Verdict, entry.Listed, entry.Labels = schema.VerdictBenign, true, []string{"top sites"}
	pull(t, l, feedOf("lists"), fact.Replace, day(0), entry)
	o := Override{Type: schema.ObservableDomain, Value: "a.bad.example", Verdict: ptr(schema.VerdictMalicious), Wish: ptr(schema.WishBlock), Severity: ptr(schema.SeverityHigh)}
	if _, err := l.Override(ctx, o); err != nil {
		t.Fatal(err)
	}
	list, _ := all(t, l)
	if len(list) != 1 || !list[0].Listed || list[0].Verdict != schema.VerdictBenign || list[0].Wish != schema.WishNone || list[0].Severity != 0 || list[0].Rank != 50 {
		t.Fatalf("%+v", list)
	}
	o = Override{Type: o.Type, Value: o.Value, Feed: "lists", Revoked: ptr(true)}
	if _, err := l.Override(ctx, o); err != nil {
		t.Fatal(err)
	}
	if got := values(t, l); got != "" {
		t.Errorf("%q", got)
	}
}

// TestRankOfFeeds: neither a feed nor a rule ranks like an analyst.
func TestRankOfFeeds(t *testing.T) {
	feed := feedOf("acme")
	feed.Rank = 255
	s := domain("a.bad.example")
	l := Open(t.TempDir(), small())
	pull(t, l, feed, fact.Replace, day(0), s)
	s.Rank = 255
	pull(t, l, feedOf("beta"), fact.Replace, day(0), s)
	list, _ := all(t, l)
	if len(list) != 2 || list[0].Rank != 254 || list[1].Rank != 254 {
		t.Errorf("%+v", list)
	}
	if feed.Rank = match.RankAnalyst; feed.Validate() == nil {
		t.Error("a feed with the rank of analysts was taken")
	}
	cfg := small()
	cfg.Rules = []Rule{{Name: "r", Edit: Edit{Rank: ptr(uint8(255))}}}
	if cfg.Validate() == nil {
		t.Error("a rule with the rank of analysts was taken")
	}
}
