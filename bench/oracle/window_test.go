package oracle_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

// pairOf are two alerts and others that give their key a degree.
type pairOf struct {
	p        oracle.Params
	entity   schema.Entity
	level    int
	degree   int           // of the key, for the later one
	later    schema.Millis // when
	distance schema.Millis
}

// correlated gives the oracle's result, and fails the test if the stage's is
// another.
func correlated(t *testing.T, p oracle.Params, docs []schema.Alert) oracle.Result {
	t.Helper()
	var steps []step
	for _, d := range docs {
		steps = append(steps, step{kind: deliver, doc: d})
	}
	steps = append(steps, step{kind: tick, tenant: tenant, wm: endOfTime})
	if diff := compare(t.Context(), p, steps); diff != "" {
		t.Errorf("the stage differs: %.2000s", diff)
	}
	return oracle.Correlate(tenant, docs, p)
}

// linked reports whether alerts a and b are one incident of the level.
func (c pairOf) linked(t *testing.T) bool {
	t.Helper()
	p := c.p
	p.Caps = [4]int{1 << 20, 1 << 20, 1 << 20, 1 << 20}
	for l := range c.level {
		p.Caps[l] = 1
	}
	a, b := newAlert("a", "", c.later-c.distance), newAlert("b", "", c.later)
	a.Entities, b.Entities = []schema.Entity{c.entity}, []schema.Entity{c.entity}
	docs := []schema.Alert{a, b}

	sealed := c.later - c.later%schema.Hour - schema.Hour
	others := c.degree
	if a.Created < sealed {
		others-- // a itself is in the degree
	}
	if others < 0 {
		t.Fatalf("degree 0 cannot be had at %v", c.distance)
	}
	for i := range others { // at the far end of the day, where no window of degree 1 or more reaches
		x := newAlert("x", fmt.Sprint(i), sealed-schema.Day)
		x.Entities = a.Entities
		docs = append(docs, x)
	}
	r := correlated(t, p, docs)
	of := func(id schema.AlertID) oracle.Member {
		i := slices.IndexFunc(r.Members, func(m oracle.Member) bool { return m.Alert == id })
		return r.Members[i]
	}
	if of(a.ID).Incident != of(b.ID).Incident {
		return false
	}
	if l := of(b.ID).Level; int(l) != c.level {
		t.Fatalf("linked at level %d, want %d", l, c.level)
	}
	return true
}

// TestWindows checks each edge of the table to the millisecond. The windows are
// worked out by hand.
func TestWindows(t *testing.T) {
	const h, m = schema.Hour, schema.Minute
	end := day0 + 3*schema.Day - 1 // a last millisecond of an hour: nearly two hours are not sealed
	odd := oracle.DefaultParams()
	odd.Base.Host = 1_000_003
	for _, c := range []struct {
		typ    schema.EntityType
		key    string
		p      oracle.Params
		level  int
		degree int
		want   schema.Millis
	}{
		// base 8 h
		{typ: schema.EntityHost, level: 0, degree: 1, want: 8 * h},
		{typ: schema.EntityHost, level: 0, degree: 2, want: 6 * h},
		{typ: schema.EntityHost, level: 0, degree: 5, want: 12_342_857},
		{typ: schema.EntityHost, level: 0, degree: 20, want: 3_927_272},
		{typ: schema.EntityHost, level: 1, degree: 1, want: 128 * m},
		{typ: schema.EntityHost, level: 1, degree: 2, want: 96 * m},
		{typ: schema.EntityHost, level: 1, degree: 20, want: 1_047_272},
		{typ: schema.EntityHost, level: 2, degree: 0, want: 64 * m},
		{typ: schema.EntityHost, level: 2, degree: 1, want: 2_560_000},
		{typ: schema.EntityHost, level: 2, degree: 2, want: 32 * m},
		{typ: schema.EntityUser, level: 0, degree: 1, want: 8 * h},
		{typ: schema.EntityCloudResource, level: 0, degree: 1, want: 8 * h},
		{typ: schema.EntityCloudAccount, level: 0, degree: 1, want: 8 * h},
		{typ: schema.EntityApplication, level: 0, degree: 1, want: 8 * h},
		// base 3 h
		{typ: schema.EntityIP, key: "10.0.0.1", level: 0, degree: 1, want: 3 * h},
		{typ: schema.EntityIP, key: "10.0.0.1", level: 1, degree: 0, want: 72 * m},
		{typ: schema.EntityIP, key: "10.0.0.1", level: 2, degree: 2, want: 12 * m},
		// base 12 h
		{typ: schema.EntityIP, key: "8.8.8.8", level: 0, degree: 1, want: 12 * h},
		{typ: schema.EntityIP, key: "8.8.8.8", level: 1, degree: 1, want: 192 * m},
		{typ: schema.EntityMailbox, level: 0, degree: 2, want: 9 * h},
		{typ: schema.EntityMailbox, level: 2, degree: 0, want: 96 * m},
		// base 24 h
		{typ: schema.EntityFileHash, level: 0, degree: 1, want: 24 * h},
		{typ: schema.EntityFileHash, level: 0, degree: 2, want: 18 * h},
		{typ: schema.EntityDomain, level: 1, degree: 1, want: 384 * m},
		{typ: schema.EntityURL, level: 2, degree: 1, want: 128 * m},
		{typ: schema.EntityURL, level: 0, degree: 20, want: 11_781_818},
		// rounding down
		{typ: schema.EntityHost, p: odd, level: 0, degree: 0, want: 1_500_004}, // 3000009/2
		{typ: schema.EntityHost, p: odd, level: 0, degree: 1, want: 1_000_003}, // 3000009/3
		{typ: schema.EntityHost, p: odd, level: 1, degree: 0, want: 400_001},   // 4000012/10
		{typ: schema.EntityHost, p: odd, level: 1, degree: 1, want: 266_667},   // 4000012/15
		{typ: schema.EntityHost, p: odd, level: 2, degree: 0, want: 133_333},   // 4000012/30
		{typ: schema.EntityHost, p: odd, level: 2, degree: 2, want: 66_666},    // 4000012/60
	} {
		if c.key == "" {
			c.key = "k"
		}
		if c.p.MaxEntities == 0 {
			c.p = oracle.DefaultParams()
		}
		t.Run(fmt.Sprintf("%v level %d degree %d base %d", c.typ, c.level, c.degree, c.p.Base.Host), func(t *testing.T) {
			e := schema.Entity{Type: c.typ, Key: c.key}
			at := pairOf{c.p, e, c.level, c.degree, end, c.want}
			if !at.linked(t) {
				t.Errorf("not linked at %d ms", c.want)
			}
			at.distance++
			if at.linked(t) {
				t.Errorf("linked at %d ms", at.distance)
			}
		})
	}
}

// TestSilence checks from which degree on a single key has no window at a level.
func TestSilence(t *testing.T) {
	for _, c := range []struct{ level, last int }{{0, 20}, {1, 20}, {2, 2}, {3, -1}, {4, -1}} {
		for _, degree := range []int{c.last, c.last + 1} {
			if degree < 0 {
				continue
			}
			at := pairOf{oracle.DefaultParams(), schema.Entity{Type: schema.EntityHost, Key: "h"}, c.level, degree, day0 + 3*schema.Day, 1}
			if got, want := at.linked(t), degree <= c.last; got != want {
				t.Errorf("level %d degree %d: linked is %v, want %v", c.level, degree, got, want)
			}
		}
	}
}

// TestDegreeWindow moves one observation over the edges of the day that a degree
// counts. One other is always counted and K is 1: the key is silent if and only
// if the moved one counts.
func TestDegreeWindow(t *testing.T) {
	p := oracle.DefaultParams()
	p.HubDegree, p.RareDegree = 1, 1
	hour := day0 + 60*schema.Hour
	for _, at := range []schema.Millis{hour, hour + 1, hour + 30*schema.Minute, hour + schema.Hour - 1} {
		sealed := hour - schema.Hour
		for _, c := range []struct {
			moved schema.Millis
			want  bool
		}{
			{sealed - schema.Day - 1, false}, {sealed - schema.Day, true}, {sealed - schema.Day + 1, true},
			{sealed - 12*schema.Hour, true}, {sealed - 1, true}, {sealed, false}, {sealed + 1, false}, {hour - 1, false},
		} {
			a, b := newAlert("a", "", at), newAlert("b", "", at)
			x, y := newAlert("x", "1", sealed-20*schema.Hour), newAlert("x", "2", c.moved)
			docs := []schema.Alert{a, b, x, y}
			for i := range docs {
				docs[i].Entities = []schema.Entity{{Type: schema.EntityHost, Key: "h"}}
			}
			r := correlated(t, p, docs)
			if silent := r.Members[0].Incident != r.Members[1].Incident; silent != c.want {
				t.Errorf("at %v, other at %v: silent is %v, want %v", at, c.moved, silent, c.want)
			}
		}
	}
}

// TestKeyLength checks both ends of the length of keys that link.
func TestKeyLength(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, 512: true, 513: false} {
		docs := []schema.Alert{newAlert("a", "", day0), newAlert("b", "", day0)}
		for i := range docs {
			docs[i].Entities = []schema.Entity{{Type: schema.EntityURL, Key: string(make([]byte, n))}}
		}
		r := correlated(t, oracle.DefaultParams(), docs)
		if got := len(r.Incidents) == 1; got != want {
			t.Errorf("keys of %d bytes: linked is %v, want %v", n, got, want)
		}
	}
}

// TestDefaultCaps checks the caps as the text has them: groups of exactly the
// cap and of one more. The alerts share a pair, so that they are linked at every
// level.
func TestDefaultCaps(t *testing.T) {
	for _, c := range []struct {
		alerts int
		want   int8
	}{{2, 0}, {15, 0}, {16, 1}, {40, 1}, {41, 2}, {120, 2}, {121, 3}, {500, 3}, {501, 4}} {
		var docs []schema.Alert
		for i := range c.alerts {
			a := newAlert(fmt.Sprintf("%04d", i), "", day0+schema.Millis(i)*schema.Second)
			a.Entities = []schema.Entity{{Type: schema.EntityHost, Key: "h"}, {Type: schema.EntityUser, Key: "u"}}
			docs = append(docs, a)
		}
		r := correlated(t, oracle.DefaultParams(), docs)
		if len(r.Incidents) != 1 || r.Incidents[0].Level != c.want || r.Incidents[0].Alerts != c.alerts {
			t.Errorf("%d alerts: %d incidents, the first of level %d; want one of level %d", c.alerts, len(r.Incidents), r.Incidents[0].Level, c.want)
		}
	}
}

// TestIdentity checks ids against the formula of the text.
func TestIdentity(t *testing.T) {
	docs := []schema.Alert{newAlert("b", "", day0), newAlert("a", "", day0+1), newAlert("c", "", day0+2)}
	for i := range docs {
		docs[i].Entities = []schema.Entity{{Type: schema.EntityHost, Key: "h"}}
	}
	r := correlated(t, oracle.DefaultParams(), docs)
	want := schema.NewIncidentID(tenant, docs[0].ID)
	if len(r.Incidents) != 1 || r.Incidents[0].ID != want || r.Incidents[0].Founder != docs[0].ID || r.Incidents[0].Campaign != want {
		t.Errorf("got %+v, want id %v", r.Incidents, want)
	}
}
