package e2e

import (
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
)

// smallWorld is some hours in a small company.
func smallWorld(t *testing.T, seed uint64, background int) *gen.World {
	t.Helper()
	c := gen.Default()
	c.Seed, c.Hosts, c.Users, c.Campaigns, c.Background, c.FPBursts, c.NoisyPairs = seed, 60, 60, 2, background, 1, 3
	c.Duration, c.SlowShare, c.MaxAlerts = 6*time.Hour, 0, 20
	w, err := gen.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %d records, %d alerts", seed, w.Len(), w.Alerts())
	return w
}

// TestTenants: three tenants see the very same alerts, with the same vendor ids,
// addresses and names. Nothing of one may be found with another.
func TestTenants(t *testing.T) {
	t.Parallel()
	background := 400
	if testing.Short() {
		background = 150
	}
	tenants := []string{"blue", "green", "red"}
	l := newLab(t, labConfig{tenants: tenants, feeds: gen.Sources(), partitions: 1})
	w := smallWorld(t, 7, background)
	for _, tenant := range tenants {
		l.produce(l.messages(tenant, w))
	}
	l.produce(l.closing(l.newest(), nil))
	p := l.worker("one", "")
	l.settle()
	p.stop(t)
	l.checkAccounting()
	for _, tenant := range tenants {
		l.checkOracle(tenant)
	}
	l.checkIsolation(tenants)
}

// newest is the time of the newest record there is.
func (l *lab) newest() (at schema.Millis) {
	for _, s := range l.sources {
		at = max(at, s.newest)
	}
	return at
}

// checkIsolation: every id in any column of any table is one that can be the
// row's tenant's. Ids derive from the tenant, so those of others differ.
func (l *lab) checkIsolation(tenants []string) {
	l.t.Helper()
	own := map[string]map[string]bool{}
	var topics = map[string]string{}
	for _, tenant := range tenants {
		own[tenant] = map[string]bool{}
		for _, s := range l.sources {
			if s.Tenant != tenant {
				continue
			}
			topics[s.Topic] = tenant
			for _, a := range l.expect(s).alerts {
				own[tenant][a.ID.String()] = true
				own[tenant][schema.NewIncidentID(tenant, a.ID).String()] = true
			}
		}
	}
	checked := 0
	for _, c := range l.query("SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table NOT LIKE 'v\\_%' AND type = 'UUID' " +
		"AND name IN ('alert_id', 'incident_id', 'founder', 'peer', 'campaign', 'redirect_to')") {
		table, column := c[0], c[1]
		for _, r := range l.query("SELECT DISTINCT tenant, " + column + " FROM " + table + " WHERE " + column + " != toUUID('00000000-0000-0000-0000-000000000000')") {
			id := l.incident(r[1])
			if checked++; !own[r[0]][id.String()] && !own[r[0]][schema.AlertID(id).String()] {
				l.t.Errorf("%s.%s: %s is in a row of tenant %s and none of its ids", table, column, r[1], r[0])
			}
		}
	}
	for _, table := range []string{"alerts", "source_stats", "rejects"} {
		for _, r := range l.query("SELECT DISTINCT tenant, raw_topic FROM " + table) {
			if checked++; topics[r[1]] != r[0] {
				l.t.Errorf("%s: a row of tenant %s is from topic %s of %s", table, r[0], r[1], topics[r[1]])
			}
		}
	}
	for _, r := range l.query("SELECT DISTINCT tenant FROM merge(currentDatabase(), '^(alert_entities|entities|entity_aliases|detections|incidents|incident_members|attack_paths)$')") {
		if own[r[0]] == nil {
			l.t.Errorf("rows of tenant %q, which there is not", r[0])
		}
	}
	if checked < 1000 {
		l.t.Errorf("only %d ids were looked at", checked)
	}
}
