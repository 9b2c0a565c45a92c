package oracle_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

func rapidPicker(t *rapid.T) picker {
	return func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
}

func drawWorld(t *rapid.T) ([]schema.Alert, oracle.Params, picker) {
	pick := rapidPicker(t)
	p := pickParams(pick)
	return pickWorld(pick, tenant, 1+pick(25)), p, pick
}

// TestPartition: each alert is in exactly one incident, and heads and members
// say the same.
func TestPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, p, _ := drawWorld(t)
		r := oracle.Correlate(tenant, docs, p)
		ids := map[schema.AlertID]bool{}
		for _, d := range docs {
			ids[d.ID] = true
		}
		if len(r.Members) != len(ids) {
			t.Fatalf("%d members of %d alerts", len(r.Members), len(ids))
		}
		heads := map[schema.IncidentID]oracle.Incident{}
		places := 0
		for _, in := range r.Incidents {
			heads[in.ID] = in
			places += len(in.Members)
			if !slices.Contains(in.Members, in.Founder) || in.Alerts != len(in.Members) {
				t.Fatalf("founder or count: %+v", in)
			}
			if (in.Level == schema.LevelSingle) != (len(in.Members) == 1) {
				t.Fatalf("level: %+v", in)
			}
		}
		if places != len(ids) || len(heads) != len(r.Incidents) {
			t.Fatalf("%d places in %d incidents for %d alerts", places, len(r.Incidents), len(ids))
		}
		for _, m := range r.Members {
			in := heads[m.Incident]
			if !ids[m.Alert] || !slices.Contains(in.Members, m.Alert) || m.Level != in.Level {
				t.Fatalf("member %+v of %+v", m, in)
			}
			if founder := m.Alert == in.Founder; founder != (m.Reason == schema.ReasonFounder) || founder != m.Peer.IsZero() {
				t.Fatalf("reason of %+v in %+v", m, in)
			}
			if !m.Peer.IsZero() && (m.Peer == m.Alert || !slices.Contains(in.Members, m.Peer)) {
				t.Fatalf("peer of %+v in %+v", m, in)
			}
		}
	})
}

// TestCaps: no incident below level 4 is over its cap.
func TestCaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, p, _ := drawWorld(t)
		r := oracle.Correlate(tenant, docs, p)
		weight := map[schema.IncidentID]int{}
		for _, m := range r.Members {
			weight[m.Incident] += m.Weight
		}
		for _, in := range r.Incidents {
			if in.Level >= 0 && in.Level < 4 && weight[in.ID] > p.Caps[in.Level] {
				t.Fatalf("weight %d: %+v", weight[in.ID], in)
			}
		}
	})
}

// TestPermutation: the order of the input does not matter, nor do duplicates.
func TestPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, p, pick := drawWorld(t)
		want := oracle.Correlate(tenant, docs, p).Dump()
		for i := len(docs) - 1; i > 0; i-- {
			j := pick(i + 1)
			docs[i], docs[j] = docs[j], docs[i]
		}
		docs = append(docs, docs[pick(len(docs))])
		for i := range docs { // nor the order of entities
			docs[i].Entities = slices.Clone(docs[i].Entities)
			slices.Reverse(docs[i].Entities)
		}
		if got := oracle.Correlate(tenant, docs, p).Dump(); !bytes.Equal(got, want) {
			t.Fatalf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestTenants: a tenant's result does not depend on others.
func TestTenants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, p, pick := drawWorld(t)
		want := oracle.Correlate(tenant, docs, p).Dump()
		both := append(slices.Clone(docs), pickWorld(pick, "other", 1+pick(10))...)
		for _, d := range docs { // the same documents, sent to another tenant
			d.Tenant = "other"
			both = append(both, d)
		}
		if got := oracle.Correlate(tenant, both, p).Dump(); !bytes.Equal(got, want) {
			t.Fatalf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}

// TestNesting: the groups of a level are parts of the groups of the level before
// it. A level is looked at by caps that nothing reaches from it on and that
// everything of two alerts exceeds below it.
func TestNesting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, p, _ := drawWorld(t)
		for i := range docs {
			docs[i].Severity = schema.SeverityLow
		}
		var looser map[schema.AlertID]schema.IncidentID
		for level := range 5 {
			for l := range p.Caps {
				p.Caps[l] = 1 << 20
				if l < level {
					p.Caps[l] = 1
				}
			}
			group := map[schema.AlertID]schema.IncidentID{}
			within := map[schema.IncidentID]schema.IncidentID{}
			for _, m := range oracle.Correlate(tenant, docs, p).Members {
				group[m.Alert] = m.Incident
				if looser == nil {
					continue
				}
				if of, ok := within[m.Incident]; ok && of != looser[m.Alert] {
					t.Fatalf("level %d joins what level %d does not", level, level-1)
				}
				within[m.Incident] = looser[m.Alert]
			}
			looser = group
		}
	})
}
