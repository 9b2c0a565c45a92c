package match

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

func ind(t schema.ObservableType, value string) schema.Indicator {
	return schema.Indicator{ID: "i-" + value, Feed: "test", Type: t, Value: value, Verdict: schema.VerdictMalicious, Confidence: 90}
}

func build(t testing.TB, list ...schema.Indicator) *Index {
	t.Helper()
	x, err := Build(DefaultConfig(), list)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func values(x *Index, o schema.Observable) []string {
	var got []string
	x.Find(o, func(i *schema.Indicator) { got = append(got, i.Value) })
	slices.Sort(got)
	return got
}

func TestFind(t *testing.T) {
	x := build(t,
		ind(schema.ObservableIP, "203.0.113.7"), ind(schema.ObservableCIDR, "198.51.100.0/24"), ind(schema.ObservableCIDR, "198.51.0.0/16"),
		ind(schema.ObservableDomain, "bad.example"), ind(schema.ObservableDomain, "evil.co.uk"),
		ind(schema.ObservableURL, "http://bad.example/drop"), ind(schema.ObservableHash, strings.Repeat("ab", 16)),
		ind(schema.ObservableEmail, "a@bad.example"), ind(schema.ObservableIP, "2001:db8::1"))
	f := func(typ schema.ObservableType, value string, want ...string) {
		t.Helper()
		if got := values(x, schema.Observable{Type: typ, Value: value}); !slices.Equal(got, want) {
			t.Errorf("%s %s: got %v, want %v", typ, value, got, want)
		}
	}
	f(schema.ObservableIP, "203.0.113.7", "203.0.113.7")
	f(schema.ObservableIP, "203.0.113.70")
	f(schema.ObservableIP, "198.51.100.9", "198.51.0.0/16", "198.51.100.0/24")
	f(schema.ObservableIP, "198.51.7.9", "198.51.0.0/16")
	f(schema.ObservableIP, "2001:db8::1", "2001:db8::1")
	f(schema.ObservableIP, "not an address")
	f(schema.ObservableDomain, "bad.example", "bad.example")
	f(schema.ObservableDomain, "x.y.bad.example", "bad.example")
	f(schema.ObservableDomain, "notbad.example")
	f(schema.ObservableDomain, "bad.example.org")
	f(schema.ObservableDomain, "co.uk")
	f(schema.ObservableDomain, "www.evil.co.uk", "evil.co.uk")
	f(schema.ObservableURL, "http://bad.example/drop", "bad.example", "http://bad.example/drop")
	f(schema.ObservableURL, "https://sub.bad.example:8443/x?y", "bad.example")
	f(schema.ObservableURL, "http://user:pw@203.0.113.7/x", "203.0.113.7")
	f(schema.ObservableURL, "http://[2001:db8::1]:80/", "2001:db8::1")
	f(schema.ObservableURL, "http://198.51.100.3/", "198.51.0.0/16", "198.51.100.0/24")
	f(schema.ObservableHash, strings.Repeat("ab", 16), strings.Repeat("ab", 16))
	f(schema.ObservableDomain, strings.Repeat("ab", 16)) // the type is part of the key
	f(schema.ObservableEmail, "a@bad.example", "a@bad.example", "bad.example")
	f(schema.ObservableEmail, "bad.example") // no address
	f(schema.ObservableEmail, "a@[203.0.113.7]")
	f(schema.ObservableCIDR, "198.51.100.128/25", "198.51.0.0/16", "198.51.100.0/24")
	f(schema.ObservableCIDR, "198.51.100.0/24", "198.51.0.0/16", "198.51.100.0/24")
	f(schema.ObservableCIDR, "198.51.100.0/23", "198.51.0.0/16")
	f(schema.ObservableSender, "x.bad.example", "bad.example")
	f(schema.ObservableSocket, "203.0.113.7:80", "203.0.113.7")
	f(schema.ObservableURL, "http://[::ffff:203.0.113.7]/", "203.0.113.7")
	f(schema.ObservableURL, "not a URL")
	f(schema.ObservableURL, "http://")
	f(schema.ObservableURL, "http://[::1")
	f(schema.ObservableURL, "http://bad.example:99999999/drop", "bad.example")
}

func TestProcess(t *testing.T) {
	two := ind(schema.ObservableIP, "203.0.113.7")
	two.Feed = "another"
	old := ind(schema.ObservableDomain, "bad.example")
	old.ValidUntil = 1000
	h := &Holder{}
	m := New(DefaultConfig(), h)
	b := &schema.Batch{}
	fill := func() *schema.Alert {
		b.Reset()
		a := b.NextAlert()
		a.Created = 2000
		a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityHost, Key: "bad.example"},
			schema.Entity{Type: schema.EntityIP, Key: "203.0.113.7"}, schema.Entity{Type: schema.EntityDomain, Key: "bad.example"})
		if err := m.Process(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		return &b.Alerts[0]
	}
	if a := fill(); len(a.Matches) != 0 {
		t.Fatalf("no index, yet matches: %v", a.Matches)
	}
	x := build(t, ind(schema.ObservableIP, "203.0.113.7"), two, old)
	h.Store(x)
	a := fill()
	if len(a.Matches) != 2 || a.Matches[0].Feed != "another" || a.Matches[1].Feed != "test" || a.Matches[0].Entity != 1 {
		t.Fatalf("want the address once per feed in order, expired domain left out; got %+v", a.Matches)
	}
	if a.Matches[0].Snapshot != x.ID() || x.ID() == 0 {
		t.Error("the match does not name its snapshot")
	}
}

func TestIDFollowsContent(t *testing.T) {
	a, b := ind(schema.ObservableIP, "203.0.113.7"), ind(schema.ObservableDomain, "bad.example")
	if build(t, a, b).ID() != build(t, b, a, a).ID() {
		t.Error("order or repetition changed the id")
	}
	c := b
	c.Confidence = 1
	d := b
	d.Tenant, d.TLP = "acme", schema.TLPRed
	for _, x := range []schema.Indicator{c, d} {
		if build(t, a, b).ID() == build(t, a, x).ID() {
			t.Errorf("an index with %+v kept the id", x)
		}
	}
	if build(t, c, b).ID() != build(t, b, c).ID() || values(build(t, c, b), schema.Observable{Type: b.Type, Value: b.Value})[0] != b.Value {
		t.Error("which of two with one id is kept depends on the order")
	}
}
