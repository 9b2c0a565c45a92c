package correlate

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"pgregory.net/rapid"
)

// small is a configuration whose hubs, caps and slices a dozen alerts reach.
func small() Config {
	c := Default()
	c.HubDegree, c.RareDegree = 3, 1
	c.Caps, c.SliceWeight = []uint32{2, 4, 6}, 8
	c.Allowlist = []string{"user:system"}
	return c
}

func must(tb testing.TB, cfg Config) *Correlator {
	tb.Helper()
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// sink is what a reader of the topics would have: the last version of each.
type sink struct {
	members map[string]schema.Member // tenant and alert
	heads   map[schema.IncidentID]schema.Incident
	paths   map[schema.ID]schema.Path
	ledger  []schema.LedgerEvent
	shown   map[schema.IncidentID]bool
}

func newSink() *sink {
	return &sink{members: map[string]schema.Member{}, heads: map[schema.IncidentID]schema.Incident{}, paths: map[schema.ID]schema.Path{},
		shown: map[schema.IncidentID]bool{}}
}

func memberKey(tenant string, id schema.AlertID) string { return tenant + "/" + id.String() }

func (s *sink) take(b *schema.Batch) {
	for _, m := range b.Members {
		s.members[memberKey(m.Tenant, m.Alert)] = m
		s.shown[m.Incident] = true
	}
	for _, h := range b.Incidents {
		s.heads[h.ID] = h
		s.shown[h.ID] = true
	}
	for _, p := range b.Paths {
		s.paths[p.ID] = p
	}
	s.ledger = append(s.ledger, b.Ledger...)
}

func (s *sink) resolve(id schema.IncidentID) schema.IncidentID {
	for range 1000 {
		h, ok := s.heads[id]
		if !ok || h.RedirectTo.IsZero() {
			return id
		}
		id = h.RedirectTo
	}
	return schema.IncidentID{}
}

// final renders what the order guarantee covers: rows and live heads, less
// version and, of incidents closed early, campaign.
func (s *sink) final() string {
	var out []string
	for _, m := range s.members {
		m.Version = 0
		out = append(out, fmt.Sprintf("%+v", m))
	}
	for _, h := range s.heads {
		if h.RedirectTo.IsZero() {
			h.Version, h.Campaign = 0, schema.IncidentID{}
			out = append(out, fmt.Sprintf("%+v", h))
		}
	}
	for _, p := range s.paths {
		if p.Status == "active" {
			p.Version = 0
			out = append(out, fmt.Sprintf("%+v", p))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func snapshot(tb interface{ Fatal(...any) }, c *Correlator) []byte {
	var b bytes.Buffer
	if err := c.Snapshot(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

var worldTypes = []schema.EntityType{schema.EntityHost, schema.EntityUser, schema.EntityIP, schema.EntityFileHash, schema.EntityDomain,
	schema.EntityURL, schema.EntityMailbox, schema.EntityCloudResource, schema.EntityProcess}

// drawDocs draws a tenant's documents over some days: revisions, duplicates,
// bursts, hubs.
func drawDocs(t *rapid.T, tenant string, most int) []schema.Alert {
	n := rapid.IntRange(1, most).Draw(t, "alerts")
	days := rapid.SampledFrom([]int64{4, 24, 72, 240}).Draw(t, "hours")
	pool := rapid.IntRange(1, 4).Draw(t, "pool")
	start := int64(1_700_000_000_000) + rapid.Int64Range(0, 8*3600_000).Draw(t, "start")
	var docs []schema.Alert
	for i := range n {
		var a schema.Alert
		switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case k == 0 && i > 0: // duplicate
			docs = append(docs, docs[rapid.IntRange(0, len(docs)-1).Draw(t, "of")])
			continue
		case k == 1 && i > 0: // revision
			old := docs[rapid.IntRange(0, len(docs)-1).Draw(t, "of")]
			a = old
			a.Content = uint64(i) + 1
			a.Updated = old.Created + schema.Millis(rapid.Int64Range(0, 1000).Draw(t, "updated"))
			a.Created += schema.Millis(rapid.Int64Range(-20*3600_000, 20*3600_000).Draw(t, "moved"))
			a.Title += "'"
		default:
			id := fmt.Sprint(i)
			a = schema.Alert{ID: schema.NewAlertID("x", "src", id), Tenant: tenant, Source: rapid.SampledFrom([]string{"edr", "ndr"}).Draw(t, "source"),
				VendorID: id, Content: uint64(i) + 1, Title: "alert " + id}
			if i > 0 && rapid.Bool().Draw(t, "burst") {
				a.Created = docs[len(docs)-1].Created + schema.Millis(rapid.SampledFrom([]int64{0, 0, 1, 60_000, 3600_000}).Draw(t, "gap"))
			} else {
				a.Created = schema.Millis(start + rapid.Int64Range(0, days*3600_000).Draw(t, "created"))
			}
			a.Start = a.Created - schema.Millis(rapid.Int64Range(0, 3).Draw(t, "start"))
		}
		a.Severity = schema.Severity(rapid.IntRange(0, 5).Draw(t, "severity"))
		a.Entities = drawEntities(t, pool)
		if rapid.Bool().Draw(t, "technique") {
			a.Techniques = []schema.Technique{{ID: "T1021", Tactic: rapid.SampledFrom([]string{"TA0008", "TA0001", "TA0040"}).Draw(t, "tactic")}}
		}
		docs = append(docs, a)
	}
	return docs
}

func drawEntities(t *rapid.T, pool int) []schema.Entity {
	var es []schema.Entity
	for range rapid.IntRange(0, 4).Draw(t, "entities") {
		typ := rapid.SampledFrom(worldTypes).Draw(t, "type")
		key := fmt.Sprintf("%c%d", typ.String()[0], rapid.IntRange(0, pool).Draw(t, "key"))
		if typ == schema.EntityIP {
			key = rapid.SampledFrom([]string{"10.1.1.1", "100.64.3.4", "8.8.8.8", "::ffff:192.168.1.1", "fe80::1"}).Draw(t, "ip")
		}
		if typ == schema.EntityUser && rapid.IntRange(0, 5).Draw(t, "system") == 0 {
			key = "system"
		}
		es = append(es, schema.Entity{Type: typ, Key: key, Role: schema.Role(rapid.IntRange(0, 5).Draw(t, "role"))})
	}
	return es
}

// arrive orders documents by when they come: each up to late after its time.
func arrive(t *rapid.T, docs []schema.Alert, late time.Duration) []schema.Alert {
	type at struct {
		doc  schema.Alert
		when int64
	}
	var as []at
	for _, d := range docs {
		as = append(as, at{d, int64(d.Created) + rapid.Int64Range(0, late.Milliseconds()).Draw(t, "delay")})
	}
	slices.SortStableFunc(as, func(x, y at) int { return int(x.when - y.when) })
	out := make([]schema.Alert, len(as))
	for i, a := range as {
		out[i] = a.doc
	}
	return out
}

// options of a run over documents in order of arrival.
type options struct {
	rollbacks bool
	restores  bool
	flush     bool // close everything at the end
	ahead     bool // watermarks may be wrong: what comes after them is late
}

// run feeds the documents in batches of random size, with watermarks as late
// and as rare as it pleases but never wrong.
func run(t *rapid.T, cfg Config, docs []schema.Alert, opt options) (*Correlator, *sink) {
	ctx := context.Background()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out := newSink()
	var position uint64
	step := func(what func(b *schema.Batch)) {
		if opt.rollbacks && rapid.IntRange(0, 3).Draw(t, "abort") == 0 {
			before := snapshot(t, c)
			stats := c.Stats()
			what(&schema.Batch{Position: position})
			c.Rollback()
			if !bytes.Equal(before, snapshot(t, c)) || c.Stats() != stats {
				t.Fatal("rollback did not restore the state")
			}
		}
		position++
		b := &schema.Batch{Position: position}
		what(b)
		c.Commit()
		out.take(b)
		if opt.restores && rapid.IntRange(0, 3).Draw(t, "restore") == 0 {
			bytesOf := snapshot(t, c)
			fresh, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := fresh.Restore(bytes.NewReader(bytesOf)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytesOf, snapshot(t, fresh)) {
				t.Fatal("snapshot of a restored state differs")
			}
			if fresh.Stats() != c.Stats() {
				// Slots are flat after a restore; nothing else may differ.
				x, y := fresh.Stats(), c.Stats()
				x.Components, y.Components = 0, 0
				if x != y {
					t.Fatalf("restored %+v, had %+v", x, y)
				}
			}
			c = fresh
		}
	}
	for i := 0; i < len(docs); {
		n := min(rapid.IntRange(1, 8).Draw(t, "batch"), len(docs)-i)
		batch := docs[i : i+n]
		i += n
		step(func(b *schema.Batch) {
			for _, d := range batch {
				*b.NextAlert() = d.Clone()
			}
			if err := c.Process(ctx, b); err != nil {
				t.Fatal(err)
			}
			for _, a := range b.Alerts {
				if a.Incident.IsZero() {
					t.Fatal("alert without incident")
				}
			}
		})
		if rapid.Bool().Draw(t, "tick") {
			for _, tenant := range tenantsOf(docs) {
				wm := schema.Millis(1 << 50)
				for _, d := range docs[i:] {
					if d.Tenant == tenant {
						wm = min(wm, d.Created)
					}
				}
				if wm == 1<<50 {
					continue
				}
				if opt.ahead {
					wm += schema.Millis(rapid.Int64Range(0, 80*3600_000).Draw(t, "ahead"))
				}
				wm -= schema.Millis(rapid.SampledFrom([]int64{0, 0, 1, 3600_000, 9 * 3600_000}).Draw(t, "behind"))
				step(func(b *schema.Batch) {
					if err := c.Advance(ctx, stages.Tick{Tenant: tenant, Watermark: wm}, b); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
	last := int64(0)
	for _, d := range docs {
		last = max(last, int64(d.Created))
	}
	if last += 25 * 3600_000; opt.flush {
		last += 100 * 3600_000
	}
	for _, tenant := range tenantsOf(docs) { // nothing is held any more
		step(func(b *schema.Batch) {
			if err := c.Advance(ctx, stages.Tick{Tenant: tenant, Watermark: schema.Millis(last)}, b); err != nil {
				t.Fatal(err)
			}
		})
	}
	return c, out
}

func tenantsOf(docs []schema.Alert) []string {
	var names []string
	for _, d := range docs {
		if !slices.Contains(names, d.Tenant) {
			names = append(names, d.Tenant)
		}
	}
	return names
}
