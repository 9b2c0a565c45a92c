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
			if !q.Answers(&e) || len(rows) >= q.Limit {
				continue
			}
			row := Row{Tenant: a.Tenant, Alert: a.ID, Source: a.Source, Time: a.Created, Entity: e}
			if q.Matched {
				for _, h := range m.matched(a) {
					if h.On == e.Ref() {
						row.Values = append(row.Values, h.Match.Value)
					}
				}
				if len(row.Values) == 0 {
					continue
				}
			}
			rows = append(rows, row)
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
		for _, h := range m.matched(a) {
			if slices.Contains(values, h.Match.Value) {
				x.Matched = append(x.Matched, h)
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// matched gives what a store would have of an alert's matches by now: the last word of
// each that it can tell apart.
func (m *memory) matched(a *schema.Alert) (list []Matched) {
	rev := map[string]uint64{}
	at := map[string]int{}
	put := func(revision uint64, h Matched) {
		k := fmt.Sprintf("%s|%s|%s|%s", h.Match.Feed, h.Match.Indicator, h.Match.Value, h.On)
		n, ok := at[k]
		switch {
		case !ok:
			at[k], rev[k], list = len(list), revision, append(list, h)
		case revision >= rev[k]:
			list[n], rev[k] = h, revision
		}
	}
	for _, k := range a.Matches {
		put(a.RevisionOf(), Matched{Match: k, On: a.Entities[k.Entity].Ref()})
	}
	for _, k := range m.told[:m.stored] {
		if k.Alert == a.ID {
			put(k.RevisionOf(), Matched{k.Match, k.On, k.Kind == schema.RetroWithdrawn})
		}
	}
	return list
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
