package match

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
)

func process(t testing.TB, x *Index, a schema.Alert) []schema.Match {
	t.Helper()
	h := &Holder{}
	h.Store(x)
	b := &schema.Batch{Alerts: []schema.Alert{a}}
	if err := New(DefaultConfig(), h).Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	return b.Alerts[0].Matches
}

// TestProcessWrites holds that a match carries what its indicator and the judge say.
func TestProcessWrites(t *testing.T) {
	i := ind(schema.ObservableSocket, "203.0.113.7:443")
	i.Tenant, i.TLP, i.Wish, i.Fresh = "acme", schema.TLPRed, schema.WishWarn, schema.Day
	i.Threats = []schema.Threat{{Kind: schema.ThreatMalware, ID: "malware--1", Name: "Bad"}}
	list := schema.Indicator{ID: "l", Feed: "lists", Type: schema.ObservableIP, Value: "203.0.113.7", Listed: true, Verdict: schema.VerdictBenign, Labels: []string{"Resolvers"}}
	x := build(t, i, list)
	a := schema.Alert{Tenant: "acme", Created: 46 * schema.Day, Entities: []schema.Entity{{Type: schema.EntityHost, Key: "web-1"}, {Type: schema.EntityIP, Key: "203.0.113.7", Port: 443}}}
	want := schema.Match{Entity: 1, Type: i.Type, Value: i.Value, Indicator: i.ID, Feed: "test", Verdict: schema.VerdictMalicious, Wish: schema.WishWarn,
		Confidence: 45, TLP: schema.TLPRed, Demoted: `on the benign list "Resolvers"`, Threats: i.Threats, Snapshot: x.ID()}
	if got := process(t, x, a); !reflect.DeepEqual(got, []schema.Match{want}) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	x = build(t, i)
	want.Demoted, want.Severity, want.Snapshot = "", schema.SeverityHigh, x.ID()
	if got := process(t, x, a); !reflect.DeepEqual(got, []schema.Match{want}) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	a.Tenant = "other"
	if got := process(t, x, a); len(got) > 0 {
		t.Errorf("another tenant's alert: %+v", got)
	}
}

// TestProcessBounds names one value by more indicators than an alert can carry, and
// one alert by more entities, in indexes of one content and different history: what
// matters most is kept, and it is the same every time.
func TestProcessBounds(t *testing.T) {
	const n = 5000
	var list []schema.Indicator
	for k := range n {
		i := ind(schema.ObservableIP, "203.0.113.7")
		i.ID, i.Confidence = fmt.Sprintf("i-%05d", k), uint8(k%100)
		list = append(list, i)
	}
	fresh := build(t, list...)
	grown := build(t, list[n/2:]...)
	var changes []Change
	for _, i := range list[:n/2] {
		changes = append(changes, Change{Add, i})
	}
	grown, _, err := grown.Apply(changes)
	if err != nil {
		t.Fatal(err)
	}
	a := schema.Alert{Entities: []schema.Entity{{Type: schema.EntityIP, Key: "203.0.113.7"}}}
	one, two := process(t, fresh, a), process(t, grown, a)
	if len(one) != maxMatches || !reflect.DeepEqual(one, two) {
		t.Fatalf("%d and %d matches of equal indexes, want %d alike", len(one), len(two), maxMatches)
	}
	for _, m := range one {
		if m.Confidence < 94 { // 50 of each confidence: 256 end within the sixth
			t.Fatalf("a match of confidence %d was kept", m.Confidence)
		}
	}
	if !slices.IsSortedFunc(one, byPlace) {
		t.Error("matches are not in order")
	}

	allow := ind(schema.ObservableCIDR, "203.0.113.0/24")
	allow.Feed, allow.Wish, allow.Confidence = "zz", schema.WishAllow, 0
	matches := process(t, build(t, append(list, allow)...), a)
	if len(matches) != maxMatches || !slices.ContainsFunc(matches, func(m schema.Match) bool { return m.Wish == schema.WishAllow }) {
		t.Fatal("what is allowed was lost among many")
	}
	for _, m := range matches {
		if m.Counts() {
			t.Fatalf("it counts although another allows it: %+v", m)
		}
	}

	a.Entities = nil
	list = list[:0]
	for k := range 2000 {
		i := ind(schema.ObservableDomain, fmt.Sprintf("d%d.example", k))
		i.Verdict = schema.VerdictSuspicious
		if k%10 == 0 {
			i.Verdict = schema.VerdictMalicious
		}
		list = append(list, i)
		a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityDomain, Key: i.Value})
	}
	matches = process(t, build(t, list...), a)
	bad := 0
	for _, m := range matches {
		if m.Verdict == schema.VerdictMalicious {
			bad++
		}
		if a.Entities[m.Entity].Key != m.Value {
			t.Fatalf("entity %d is not %s", m.Entity, m.Value)
		}
	}
	if len(matches) != maxMatches || bad != 200 || !slices.IsSortedFunc(matches, byPlace) {
		t.Errorf("%d matches, %d of them malicious, want %d and 200 in order", len(matches), bad, maxMatches)
	}
}

// workload is a library with a list of popular names, and alerts of three kinds.
func workload(t testing.TB) (*Index, map[string]schema.Alert) {
	list := []schema.Indicator{ind(schema.ObservableCIDR, "198.51.100.0/24"), ind(schema.ObservableURLPrefix, "//bad.example/a/"), ind(schema.ObservableURLPath, "/gate.php"),
		ind(schema.ObservableSender, "bad.example"), ind(schema.ObservableDomain, "popular.example"), ind(schema.ObservableSocket, "203.0.113.9:443")}
	for k := range 100_000 {
		list = append(list, ind(schema.ObservableDomain, fmt.Sprintf("d%d.example", k)))
	}
	list[7].Threats = []schema.Threat{{Kind: schema.ThreatMalware, Name: "Bad"}}
	list = append(list, schema.Indicator{Feed: "lists", Type: schema.ObservableDomain, Value: "popular.example", Listed: true, Verdict: schema.VerdictBenign, Labels: []string{"Top"}})
	alert := func(domain string) schema.Alert {
		return schema.Alert{Tenant: "acme", Created: schema.Hour, Matches: make([]schema.Match, 0, 8), Entities: []schema.Entity{
			{Type: schema.EntityHost, Key: "web-1"}, {Type: schema.EntityIP, Key: "10.0.3.7"}, {Type: schema.EntityIP, Key: "203.0.113.7", Port: 443},
			{Type: schema.EntityDomain, Key: domain}, {Type: schema.EntityURL, Key: "https://" + domain + "/a/b/c.html?x=1"},
			{Type: schema.EntityMailbox, Key: "x@mail.good.example", Role: schema.RoleSource}, {Type: schema.EntityFileHash, Key: "d41d8cd98f00b204e9800998ecf8427e"}}}
	}
	return build(t, list...), map[string]schema.Alert{"negative": alert("w.cdn.good.example"), "hit": alert("w.d1.example"), "listed": alert("www.popular.example")}
}

// TestProcessDoesNotAllocate holds for what is absent, and for what is met again.
func TestProcessDoesNotAllocate(t *testing.T) {
	x, alerts := workload(t)
	h := &Holder{}
	h.Store(x)
	m := New(DefaultConfig(), h)
	for name, want := range map[string]int{"negative": 0, "hit": 2, "listed": 2} {
		b := &schema.Batch{Alerts: []schema.Alert{alerts[name]}}
		if n := testing.AllocsPerRun(100, func() {
			b.Alerts[0].Matches = b.Alerts[0].Matches[:0]
			if err := m.Process(context.Background(), b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations an alert", name, n)
		}
		if got := b.Alerts[0].Matches; len(got) != want || want > 0 && (got[0].Demoted != "") != (name == "listed") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// BenchmarkAlert is the stage on one alert of six observables.
func BenchmarkAlert(b *testing.B) {
	x, alerts := workload(b)
	h := &Holder{}
	h.Store(x)
	for _, name := range []string{"negative", "hit", "listed"} {
		b.Run(name, func(b *testing.B) {
			m := New(DefaultConfig(), h)
			batch := &schema.Batch{Alerts: []schema.Alert{alerts[name]}}
			b.ReportAllocs()
			for b.Loop() {
				batch.Alerts[0].Matches = batch.Alerts[0].Matches[:0]
				if err := m.Process(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
