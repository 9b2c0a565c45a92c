package retro

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

const noon = schema.Millis(1_795_348_800_000) // 2026-11-22 12:00 UTC

func testConfig(dir string) Config {
	cfg := DefaultConfig()
	cfg.Dir, cfg.QueriesPerSecond, cfg.Pending = dir, 1000, 1000
	return cfg
}

func openSeen(t rapid.TB, cfg Config) *Seen {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// memory is a Store over a list of alerts.
type memory struct {
	alerts  []schema.Alert
	told    []schema.RetroMatch // what the log got
	stored  int                 // of told: what the store has by now
	queries []Query
	longest int // text of the values of one question, in bytes
	fail    error
}

func (m *memory) Entities(_ context.Context, q Query) (rows []Row, err error) {
	if m.fail != nil {
		return nil, m.fail
	}
	m.queries = append(m.queries, q)
	m.longest = max(m.longest, len(strings.Join(q.Values, "")))
	for i := range m.alerts {
		a := &m.alerts[i]
		if !slices.Contains(q.Tenants, a.Tenant) || a.Created < q.From || a.Created >= q.To {
			continue
		}
		for _, e := range a.Entities {
			if q.Answers(&e) && len(rows) < q.Limit {
				rows = append(rows, Row{Tenant: a.Tenant, Alert: a.ID, Source: a.Source, Time: a.Created, Entity: e})
			}
		}
	}
	return rows, nil
}

func (m *memory) Alerts(_ context.Context, tenant string, ids []schema.AlertID, values []string) (list []Alert, err error) {
	m.longest = max(m.longest, len(strings.Join(values, "")))
	for i := range m.alerts {
		a := &m.alerts[i]
		if a.Tenant != tenant || !slices.Contains(ids, a.ID) {
			continue
		}
		x := Alert{ID: a.ID, Severity: a.Severity, Blocked: a.Blocked, Incident: schema.NewIncidentID(tenant, a.ID)}
		for _, k := range a.Matches {
			if !slices.Contains(values, k.Value) {
				continue
			}
			x.Matched = append(x.Matched, Matched{k.Feed, k.Indicator, k.Type, k.Value, a.Entities[k.Entity].Ref(), k.Counts()})
		}
		for _, k := range m.told[:m.stored] {
			if k.Alert == a.ID && slices.Contains(values, k.Match.Value) {
				x.Matched = append(x.Matched, Matched{k.Match.Feed, k.Match.Indicator, k.Match.Type, k.Match.Value, k.On, k.Match.Counts()})
			}
		}
		list = append(list, x)
	}
	return list, nil
}

func (m *memory) emit(_ context.Context, found []schema.RetroMatch) error {
	m.told = append(m.told, found...)
	return nil
}

func index(t rapid.TB, list []schema.Indicator) *match.Index {
	t.Helper()
	x, err := match.Build(match.DefaultConfig(), list)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func finder(t rapid.TB, cfg Config, s *Seen, m *memory, x *match.Index, tenants ...string) *Finder {
	t.Helper()
	f, err := NewFinder(cfg, Deps{Seen: s, Store: m, Emit: m.emit, Index: func() *match.Index { return x }, Decay: match.DefaultConfig().Decay,
		Tenants: func() []string { return tenants }, Clock: func() time.Time { return noon.Time() }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// text names a match: alert, entity, feed, indicator, and whether it counts. An entity
// that an alert has with several ports may be doubted for several reasons; which of
// them is told does not matter.
func text(alert schema.AlertID, on schema.EntityRef, m *schema.Match) string {
	return fmt.Sprintf("%s %s %s %s %s %v", alert.String()[:6], on, m.Feed, m.Indicator, m.Value, m.Counts())
}

var _ testing.TB = (*testing.T)(nil)
