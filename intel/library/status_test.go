package library

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

func TestStatus(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	f := feedOf("acme")
	f.URL, f.Silence, f.Every = "https://user:secret@feed.example/list?key=secret", 48*time.Hour, time.Hour
	f.Auth.PasswordFile = "/secret"
	if _, err := l.Status("acme"); !errors.Is(err, ErrUnknownFeed) {
		t.Errorf("a feed that was never tried: %v", err)
	}
	if _, err := l.Status("../x"); err == nil {
		t.Error("a name that is a path")
	}
	status := func() Status {
		t.Helper()
		s, err := l.Status("acme")
		if err != nil {
			t.Fatal(err)
		}
		if text := asJSON(t, s); strings.Contains(text, "secret") {
			t.Fatalf("the status has secrets: %s", text)
		}
		return s
	}
	for n := range 2 {
		if err := l.Failed(ctx, f, errors.New("refused"), day(n+1), day(n)); err != nil {
			t.Fatal(err)
		}
	}
	if s := status(); s.Errors != 2 || s.LastError != "refused" || s.NextDue != millis(2) || s.LastPull != millis(1) || s.LastGood != 0 {
		t.Errorf("after two failures: %+v", s)
	}
	pull(t, l, f, fact.Replace, day(2), domain("a.bad.example"), fact.Refusal{Line: 2, Value: "?", Reason: "is nothing"})
	s := status()
	if s.Errors != 0 || s.LastError != "" || s.LastGood != millis(2) || s.LastChange != millis(2) || s.NextDue != millis(2)+schema.Hour ||
		s.Standing.Indicators != 1 || s.Standing.Types["domain"] != 1 || s.LastReport.Refused != 1 || s.LastReport.Added != 1 || string(s.Fetch) != `{"etag":"x"}` || s.Silent != 0 {
		t.Errorf("after a pull: %+v", s)
	}
	if err := l.NotModified(ctx, f, day(3), []byte(`{"etag":"y"}`)); err != nil {
		t.Fatal(err)
	}
	if s := status(); s.LastGood != millis(3) || s.LastChange != millis(2) || string(s.Fetch) != `{"etag":"y"}` || s.LastReport.Added != 0 || s.LastReport.Unchanged != 1 ||
		s.LastReport.Refused != 1 || len(s.LastReport.Refusals) != 1 {
		t.Errorf("after a pull without news: %+v", s)
	}
	if err := l.NotModified(ctx, f, day(3), []byte(`{`)); err == nil {
		t.Error("a state that is no JSON was kept")
	}
	if err := l.NotModified(ctx, f, day(5), nil); err != nil {
		t.Fatal(err)
	}
	if s := status(); s.Silent != millis(2) || !s.SilentAt(day(5)) || s.SilentAt(day(3)) {
		t.Errorf("a feed that has fallen silent: %+v", s)
	}
	if _, err := tryPull(l, f, fact.Replace, day(6), fact.Refusal{Line: 1, Reason: "an error page"}); err == nil || !strings.Contains(err.Error(), "none of 1 could be used") {
		t.Errorf("an error page: %v", err)
	}
	if s := status(); s.Standing.Indicators != 1 {
		t.Errorf("after an error page: %+v", s)
	}
	list, err := l.Feeds()
	if err != nil || len(list) != 1 || list[0].Feed != "acme" {
		t.Errorf("feeds: %v, %v", list, err)
	}
	var refusals []fact.Refusal
	pull(t, l, f, fact.Replace, day(7), domain("a.bad.example"), fact.Refusal{Line: 2, Value: "Bad Thing", Reason: "is nothing"})
	if err := l.Refusals("acme", func(r fact.Refusal) error { refusals = append(refusals, r); return nil }); err != nil || len(refusals) != 1 || refusals[0].Line != 2 {
		t.Errorf("refusals: %v, %v", refusals, err)
	}
	known, err := l.Check(ctx, schema.Observable{Type: schema.ObservableUserAgent, Value: "bad thing"})
	if err != nil || len(known) != 1 || known[0].Refusal == nil {
		t.Errorf("a check of what was refused: %+v, %v", known, err)
	}
	if _, err := l.Renew(ctx, f, day(8)); err != nil {
		t.Fatal(err)
	}
	if known, err = l.Check(ctx, schema.Observable{Type: schema.ObservableUserAgent, Value: "bad thing"}); err != nil || len(known) != 1 {
		t.Errorf("a renewal forgets what was refused: %+v, %v", known, err)
	}
	if s := status(); s.LastPull != millis(7) || s.LastReport.Refused != 1 {
		t.Errorf("a renewal counts as a pull: %+v", s)
	}
	if err := l.Remove(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if err := l.Remove(ctx, "acme"); !errors.Is(err, ErrUnknownFeed) {
		t.Errorf("removed twice: %v", err)
	}
	if list, err := l.Feeds(); err != nil || len(list) != 0 {
		t.Errorf("feeds after the removal: %v, %v", list, err)
	}
}

func TestBounds(t *testing.T) {
	cfg := small()
	cfg.MaxRelations, cfg.MaxVersioned = 3, 2
	l := Open(t.TempDir(), cfg)
	r := func(id string) fact.Relation { return fact.Relation{ID: id, Type: "indicates", From: "a", To: "b"} }
	if _, err := tryPull(l, feedOf("acme"), fact.Update, day(0), r("1"), r("2"), r("3"), r("4")); err == nil || !strings.Contains(err.Error(), "max_relations") {
		t.Errorf("too many in one pull: %v", err)
	}
	pull(t, l, feedOf("acme"), fact.Update, day(0), r("1"), r("2"))
	if _, err := tryPull(l, feedOf("acme"), fact.Update, day(1), r("3"), r("4")); err == nil || !strings.Contains(err.Error(), "max_relations") {
		t.Errorf("too many over two pulls: %v", err)
	}
	if _, err := tryPull(l, feedOf("acme"), fact.Update, day(1), versioned("a.bad.example", "1", 1), versioned("a.bad.example", "2", 1), versioned("a.bad.example", "3", 1)); err == nil || !strings.Contains(err.Error(), "max_versioned") {
		t.Errorf("too many versions: %v", err)
	}
	for n, bad := range []func(*Config){func(c *Config) { c.Keep = 1 }, func(c *Config) { c.SortBytes = 1 }, func(c *Config) { c.Grace = -1 }, func(c *Config) { c.MaxThreats = 300 },
		func(c *Config) { c.Rules = []Rule{{When: Condition{Types: []string{"x"}}}} }, func(c *Config) { c.Rules = []Rule{{When: Condition{Networks: []string{"x"}}}} },
		func(c *Config) { c.Rules = []Rule{{Edit: Edit{Raise: ptr(uint8(101))}}} }, func(c *Config) { c.Rules = []Rule{{When: Condition{Suffixes: []string{""}}}} }} {
		c := DefaultConfig()
		bad(&c)
		if c.Validate() == nil {
			t.Errorf("configuration %d is taken", n)
		}
		if _, err := Open(t.TempDir(), c).Begin(context.Background(), feedOf("acme"), "x", fact.Replace, day(0)); err == nil {
			t.Errorf("a library with configuration %d takes an import", n)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

// TestRefresh: what nothing pulls is derived anew when ends have come or rules are
// others, and not otherwise.
func TestRefresh(t *testing.T) {
	ctx, dir, feed := context.Background(), t.TempDir(), feedOf("upload-acme")
	l := Open(dir, small())
	short := domain("short.bad.example")
	short.ValidUntil = millis(3)
	pull(t, l, feed, fact.Update, day(0), short, domain("long.bad.example"))
	step := func(n int, want bool, left string) {
		t.Helper()
		before, err := l.Status(feed.Name)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := l.Refresh(ctx, feed, day(n))
		if err != nil || changed != want {
			t.Errorf("day %d: changed %v, %v", n, changed, err)
		}
		if got := values(t, l); got != left {
			t.Errorf("day %d: %q", n, got)
		}
		if after, err := l.Status(feed.Name); err != nil || after.LastPull != before.LastPull || after.LastGood != before.LastGood {
			t.Errorf("day %d: pulled %s, before %s, %v", n, after.LastPull, before.LastPull, err)
		}
	}
	step(1, false, "upload-acme/long.bad.example upload-acme/short.bad.example")
	step(9, true, "upload-acme/long.bad.example")
	step(10, false, "upload-acme/long.bad.example")
	cfg := small()
	cfg.Rules = []Rule{{Name: "none", When: Condition{AtLeast: ptr(uint8(0))}, Skip: true}}
	l = Open(dir, cfg)
	step(11, true, "")
	step(12, false, "")
	if changed, err := l.Refresh(ctx, feedOf("never"), day(12)); err != nil || changed {
		t.Errorf("of an unknown feed: %v, %v", changed, err)
	}
}
