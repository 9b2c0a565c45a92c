package correlate

import (
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// checkRows compares rows with the brute-force reference.
func checkRows(t *rapid.T, cfg Config, docs []schema.Alert, out *sink) {
	for _, tenant := range tenantsOf(docs) {
		var own []schema.Alert
		for _, d := range docs {
			if d.Tenant == tenant {
				own = append(own, d)
			}
		}
		for id, want := range brute(cfg, own) {
			m, ok := out.members[memberKey(tenant, id)]
			if !ok {
				t.Fatalf("%s: no row", id)
			}
			got := bruteRow{m.Incident, want.Campaign, m.Level, m.Reason, m.Key, m.Peer, int64(m.Distance), int(m.Weight)}
			if got != want {
				t.Fatalf("alert %s of %s:\n got %+v\nwant %+v", m.VendorID, tenant, got, want)
			}
			h := out.heads[want.Incident]
			if !h.Final && h.Campaign != want.Campaign {
				t.Fatalf("campaign of %s: got %s, want %s", h.ID, h.Campaign, want.Campaign)
			}
		}
	}
	counts := map[schema.IncidentID]uint32{}
	for _, m := range out.members {
		counts[m.Incident]++
		if h := out.heads[m.Incident]; !h.RedirectTo.IsZero() || h.Tenant != m.Tenant {
			t.Fatalf("row names %s, whose head is %+v", m.Incident, h)
		}
	}
	for id := range out.shown {
		to := out.resolve(id)
		h := out.heads[to]
		if h.ID.IsZero() || counts[to] != h.Alerts {
			t.Fatalf("id %s resolves to %s with %d rows and head %+v", id, to, counts[to], h)
		}
	}
}

func TestEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := small()
		cfg.MaxEntities = rapid.IntRange(1, 4).Draw(t, "max entities")
		if rapid.Bool().Draw(t, "larger") { // incidents outgrow their level late in life
			cfg.Caps, cfg.SliceWeight = []uint32{6, 9, 12}, 15
		}
		docs := drawDocs(t, "acme", 40)
		late := rapid.SampledFrom([]time.Duration{0, 30 * time.Minute, 5 * time.Hour, 300 * time.Hour}).Draw(t, "late")
		opt := options{rollbacks: rapid.Bool().Draw(t, "rollbacks"), restores: rapid.Bool().Draw(t, "restores")}
		_, out := run(t, cfg, arrive(t, docs, late), opt)
		checkRows(t, cfg, docs, out)
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := small()
		docs := drawDocs(t, "acme", 40)
		late := rapid.SampledFrom([]time.Duration{30 * time.Minute, 20 * time.Hour}).Draw(t, "late")
		opt := options{flush: true}
		_, one := run(t, cfg, arrive(t, docs, late), opt)
		opt.rollbacks, opt.restores = true, true
		c, two := run(t, cfg, arrive(t, docs, late), opt)
		if x, y := one.final(), two.final(); x != y {
			t.Fatalf("two orders, two results:\n%s\n---\n%s", x, y)
		}
		if s := c.Stats(); s != (Stats{Tenants: 1}) {
			t.Fatalf("after everything closed: %+v", s)
		}
		for _, h := range two.heads {
			if h.RedirectTo.IsZero() && !h.Final {
				t.Fatalf("not final: %+v", h)
			}
		}
	})
}

// Late alerts are outside the order guarantee, and inside every other: each has a
// row, rows lead to live heads (by a redirect, if a founder came back after its
// incident had left), and nothing stays behind.
func TestLateAlerts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := drawDocs(t, "acme", 40)
		opt := options{rollbacks: rapid.Bool().Draw(t, "rollbacks"), restores: rapid.Bool().Draw(t, "restores"), flush: true, ahead: true}
		c, out := run(t, small(), arrive(t, docs, 20*time.Hour), opt)
		for _, d := range docs {
			if _, ok := out.members[memberKey("acme", d.ID)]; !ok {
				t.Fatalf("%s has no row", d.VendorID)
			}
		}
		for id := range out.shown {
			if h := out.heads[out.resolve(id)]; h.ID.IsZero() || !h.RedirectTo.IsZero() || !h.Final {
				t.Fatalf("%s leads to %+v", id, h)
			}
		}
		if s := c.Stats(); s != (Stats{Tenants: 1}) {
			t.Fatalf("after everything closed: %+v", s)
		}
	})
}

func TestTenantsNeverMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := small()
		docs := drawDocs(t, "acme", 20)
		for _, d := range docs { // same ids, same entities, same times
			d.Tenant = "umbrella"
			docs = append(docs, d)
		}
		_, out := run(t, cfg, arrive(t, docs, 20*time.Hour), options{restores: true, rollbacks: true})
		checkRows(t, cfg, docs, out)
		for _, m := range out.members {
			if other, ok := out.members[memberKey(map[string]string{"acme": "umbrella", "umbrella": "acme"}[m.Tenant], m.Alert)]; !ok || other.Incident == m.Incident {
				t.Fatalf("%+v and %+v", m, other)
			}
		}
	})
}
