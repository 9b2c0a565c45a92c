package match

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
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
	f(schema.ObservableEmail, "a@bad.example", "a@bad.example")
}

func TestCheckRefuses(t *testing.T) {
	f := func(typ schema.ObservableType, value string) {
		t.Helper()
		if err := Check(ind(typ, value)); err == nil {
			t.Errorf("%s %q: accepted", typ, value)
		}
		if _, err := Build(DefaultConfig(), []schema.Indicator{ind(typ, value)}); err == nil {
			t.Errorf("%s %q: built", typ, value)
		}
	}
	f(schema.ObservableDomain, "com")
	f(schema.ObservableDomain, "co.uk")
	f(schema.ObservableDomain, "github.io")
	f(schema.ObservableDomain, "Bad.example")
	f(schema.ObservableDomain, "bad.example.")
	f(schema.ObservableCIDR, "0.0.0.0/0")
	f(schema.ObservableCIDR, "10.1.2.3/8")
	f(schema.ObservableCIDR, "2000::/3")
	f(schema.ObservableIP, "::ffff:1.2.3.4")
	f(schema.ObservableIP, "fe80::1%eth0")
	f(schema.ObservableHash, "ABCD")
	f(schema.ObservableHash, strings.Repeat("g", 32))
	f(schema.ObservableEmail, "nobody")
	f(schema.ObservableURL, "bad.example/drop")
	f(schema.ObservableUnknown, "x")
}

func TestProcess(t *testing.T) {
	two := ind(schema.ObservableIP, "203.0.113.7")
	two.Feed = "another"
	old := ind(schema.ObservableDomain, "bad.example")
	old.ValidUntil = 1000
	h := &Holder{}
	m := New(h)
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
	d.TLP = schema.TLPRed
	for _, x := range []schema.Indicator{c, d} {
		if build(t, a, b).ID() == build(t, a, x).ID() {
			t.Errorf("an index with %+v kept the id", x)
		}
	}
	if build(t, c, b).ID() != build(t, b, c).ID() || values(build(t, c, b), schema.Observable{Type: b.Type, Value: b.Value})[0] != b.Value {
		t.Error("which of two with one id is kept depends on the order")
	}
}

// TestOracle compares Find with a scan of all indicators.
func TestOracle(t *testing.T) {
	label := rapid.StringMatching(`[a-c]{1,2}`)
	domain := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(append(rapid.SliceOfN(label, 1, 3).Draw(t, "labels"), "example"), ".")
	})
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		return netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 1).Draw(t, "b")), byte(rapid.IntRange(0, 3).Draw(t, "c")), byte(rapid.IntRange(0, 7).Draw(t, "d"))})
	})
	rapid.Check(t, func(t *rapid.T) {
		var list []schema.Indicator
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			var i schema.Indicator
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				i = ind(schema.ObservableIP, addr.Draw(t, "ip").String())
			case 1:
				i = ind(schema.ObservableCIDR, netip.PrefixFrom(addr.Draw(t, "net"), rapid.IntRange(8, 32).Draw(t, "bits")).Masked().String())
			case 2:
				i = ind(schema.ObservableDomain, domain.Draw(t, "domain"))
			}
			list = append(list, i)
		}
		x, err := Build(DefaultConfig(), list)
		if err != nil {
			t.Fatal(err)
		}
		ip, dom := addr.Draw(t, "ask ip"), domain.Draw(t, "ask domain")
		var wantIP, wantDomain []string
		for _, i := range list {
			switch i.Type {
			case schema.ObservableIP:
				if i.Value == ip.String() {
					wantIP = append(wantIP, i.Value)
				}
			case schema.ObservableCIDR:
				if netip.MustParsePrefix(i.Value).Contains(ip) {
					wantIP = append(wantIP, i.Value)
				}
			case schema.ObservableDomain:
				if dom == i.Value || strings.HasSuffix(dom, "."+i.Value) {
					wantDomain = append(wantDomain, i.Value)
				}
			}
		}
		check := func(o schema.Observable, want []string) {
			slices.Sort(want)
			if got, want := values(x, o), slices.Compact(want); !slices.Equal(got, want) {
				t.Fatalf("%v: got %v, want %v of %v", o, got, want, list)
			}
		}
		check(schema.Observable{Type: schema.ObservableIP, Value: ip.String()}, wantIP)
		check(schema.Observable{Type: schema.ObservableDomain, Value: dom}, wantDomain)
	})
}
