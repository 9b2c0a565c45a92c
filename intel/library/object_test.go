package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestObjects: objects are found by their ids among very many, in the order asked for;
// what was taken back, or is only a part of an id, is not.
func TestObjects(t *testing.T) {
	l := Open(t.TempDir(), small())
	facts := []any{domain("a.bad.example")}
	id := func(n int) string { return fmt.Sprintf("report--%05d", n) }
	for n := range 5000 {
		facts = append(facts, fact.Object{ID: id(n), Kind: schema.ThreatReport, Name: fmt.Sprintf("On %d, with a name that takes some place", n), Revoked: n == 77})
	}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), facts...)
	var ids, want []string
	for n := 4999; n >= 0; n -= 11 {
		ids = append(ids, id(n), id(n)[:12], id(n)+"0")
		if n != 77 {
			want = append(want, id(n))
		}
	}
	list, err := l.Objects("acme", append(ids, id(77), "", "a", "z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list {
		got = append(got, o.ID)
	}
	if asJSON(t, got) != asJSON(t, want) {
		t.Errorf("%d of %d objects: %v", len(got), len(want), got)
	}
	if list, err := l.Objects("nobody", ids); len(list) > 0 || err != nil {
		t.Errorf("of no feed: %d objects, %v", len(list), err)
	}
	files, err := filepath.Glob(filepath.Join(l.feedDir("acme"), "*.objects"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Objects("acme", ids); !errors.As(err, new(*Partial)) {
		t.Errorf("damaged: %v", err)
	}
}

// TestIndexIn: an index for who may not write is the same index, and leaves nothing in the
// library.
func TestIndexIn(t *testing.T) {
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"), domain("b.bad.example"))
	before := asJSON(t, files(t, l.dir))
	x, v, err := l.IndexIn(context.Background(), t.TempDir(), match.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if after := asJSON(t, files(t, l.dir)); after != before {
		t.Errorf("the library has %s, had %s", after, before)
	}
	same, w, err := l.Index(context.Background(), match.DefaultConfig())
	if err != nil || x.ID() != same.ID() || x.Len() != 2 || v != w {
		t.Errorf("content %016x of %s, want %016x of %s, %v", x.ID(), v, same.ID(), w, err)
	}
}

// TestKnownOverrides: all that is about an indicator is told in the order in which it was
// put on, and what revokes it is told whatever was set closer to it.
func TestKnownOverrides(t *testing.T) {
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("a.bad.example"))
	override(t, l, Override{Feed: "acme", Confidence: ptr(uint8(60))})
	override(t, l, Override{Feed: "other", Confidence: ptr(uint8(61))})
	override(t, l, Override{Revoked: ptr(true)})
	known, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "a.bad.example"})
	if err != nil || len(known) != 1 {
		t.Fatal(known, err)
	}
	k := &known[0]
	if len(k.Overrides) != 2 || k.Overrides[0].Revoked == nil || k.Overrides[1].Feed != "acme" || k.Indicator.Confidence != 60 || k.Aside != "an override revokes it" {
		t.Errorf("%s", asJSON(t, k))
	}
}
