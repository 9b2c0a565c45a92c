package clickhouse_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	a, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(want, "", " ")
	if string(a) != string(b) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, a, b)
	}
}

// TestNounsComeBack tells a story through the topics and reads it back: the nouns
// must be those that were sent, in their last version. It runs over both ways to
// insert.
func TestNounsComeBack(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"post", "batches"} {
		t.Run(way, func(t *testing.T) {
			s := open(t)
			if way == "batches" {
				s.WriteByBatches()
			}
			st := newStory("acme")
			st.tell(newTopics(t, s))
			ctx, in := t.Context(), st.incident.ID

			got := must(s.ListIncidents(ctx, clickhouse.IncidentFilter{Tenant: "acme"}))(t)
			same(t, "incidents", got, []*schema.Incident{st.incident, st.closed, st.background})
			for _, id := range []string{in.String(), in.Number(), strings.ToLower(in.Number()), st.merged.ID.String()} {
				same(t, "incident "+id, must(s.Incident(ctx, "acme", id))(t), st.incident)
			}
			same(t, "members", must(s.Members(ctx, "acme", in))(t), st.members[:3])
			same(t, "former ids", must(s.FormerIDs(ctx, "acme", in))(t), []schema.IncidentID{st.merged.ID})
			same(t, "paths", must(s.Paths(ctx, "acme", in))(t), []*schema.Path{st.path})
			same(t, "decisions", must(s.Decisions(ctx, clickhouse.DecisionFilter{Tenant: "acme", Outcome: []schema.Outcome{schema.OutcomeVetoed}}))(t), []*schema.Decision{st.vetoed})
			same(t, "leases", must(s.Leases(ctx, clickhouse.LeaseFilter{Tenant: "acme", ActiveAt: noon}))(t), []*schema.Lease{st.lease})
			same(t, "no leases", must(s.Leases(ctx, clickhouse.LeaseFilter{Tenant: "acme", ActiveAt: noon + 3*schema.Hour}))(t), []*schema.Lease{})
			same(t, "actions", must(s.Actions(ctx, clickhouse.ActionFilter{Tenant: "acme", Incident: in}))(t), []clickhouse.Command{{Action: *st.action, Results: []schema.ActionResult{*st.result}}})
			same(t, "pending", must(s.Actions(ctx, clickhouse.ActionFilter{Tenant: "acme", Pending: true}))(t), []clickhouse.Command{})
			same(t, "ledger", must(s.Ledger(ctx, clickhouse.LedgerFilter{Tenant: "acme", Object: "incident:" + in.String()}))(t), []*schema.LedgerEvent{st.note})

			want := *st.revised
			want.Entities, want.Matches = slices.Clone(want.Entities), nil
			for i := range want.Entities {
				e := &want.Entities[i]
				e.Attested, e.UID, e.Name = false, "", "" // in alert_entities
			}
			a := must(s.Alert(ctx, "acme", want.ID))(t)
			same(t, "alert", a, want)
			equal(t, "raw", string(a.Raw), string(want.Raw))
			equal(t, "alerts of the incident", len(must(s.Alerts(ctx, "acme", in))(t)), 3)

			m := must(s.Matches(ctx, "acme", in))(t)
			for i, want := range []schema.Match{st.shell.Matches[0], st.later.Match} {
				want.Entity = 0 // the row has the entity itself
				if i < len(m) {
					same(t, "match", m[i].Match, want)
				}
			}
			if len(m) != 2 || m[0].Match.Snapshot != 1<<63 || m[0].On.Key != "203.0.113.9" || m[0].Alert != st.shell.ID {
				t.Errorf("matches: %+v", m)
			}
			d := must(s.DeadLetters(ctx, clickhouse.DeadLetterFilter{Tenant: "acme", Reason: schema.ReasonInvalidJSON}))(t)
			if len(d) != 1 || string(d[0].Bytes) != "{\"broken\": \xff" || d[0].Offset != 17 || d[0].Detail != "byte 11" {
				t.Errorf("dead letters: %+v", d)
			}
			x := must(s.Explain(ctx, "acme", st.merged.ID.Number()))(t)
			if x.Incident.ID != in || len(x.Members) != 3 || len(x.Decisions) != 2 || len(x.Leases) != 1 || len(x.Actions) != 1 || len(x.Ledger) != 1 {
				t.Errorf("explanation: %+v", x)
			}
		})
	}
}

// TestExtremes stores what hostile or newer writers may send: no value may stop
// the range it is in, whichever way it is inserted.
func TestExtremes(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"post", "batches"} {
		t.Run(way, func(t *testing.T) {
			s := open(t)
			if way == "batches" {
				s.WriteByBatches()
			}
			a := alert("acme", "edr-1", "x", "\x00\xff\u2028\"'\\", 200, 0, schema.Entity{Type: 200, Role: 200, Key: ":\x00\n"}, schema.Entity{Type: schema.EntityIP})
			a.Verdict, a.Status, a.Confidence, a.Content = 200, 200, 255, math.MaxUint64
			a.Start, a.End, a.Updated = math.MinInt64, math.MaxInt64, -1
			a.Raw, a.Techniques = make([]byte, 1<<20), make([]schema.Technique, 300)
			a.RawRef = schema.RawRef{Partition: math.MinInt32, Offset: math.MinInt64, Doc: math.MaxInt32}
			x := newTopics(t, s)
			x.alerts(a, alert("acme", "edr-1", "y", "another", 0, 0))
			got := must(s.Alert(t.Context(), "acme", a.ID))(t)
			want := schema.Alert{Start: -2208988800000, End: 9214646400000, Updated: -1, Content: math.MaxUint64, Confidence: 255, RawRef: a.RawRef}
			same(t, "numbers", schema.Alert{Start: got.Start, End: got.End, Updated: got.Updated, Content: got.Content, Confidence: got.Confidence, RawRef: got.RawRef,
				Severity: got.Severity, Verdict: got.Verdict, Status: got.Status}, want)
			equal(t, "title", got.Title, "\x00\uFFFD\u2028\"'\\") // the wire form has replaced what is not UTF-8
			equal(t, "raw", len(got.Raw), len(a.Raw))
			same(t, "entities", got.Entities, []schema.Entity{{Key: ":\x00\n"}, {Type: schema.EntityIP}})
			in := &schema.Incident{ID: schema.IncidentID{1}, Tenant: "acme", Level: -128, Slice: math.MinInt32, Alerts: math.MaxUint32, Version: math.MaxUint64 - 1,
				Priority: 255, First: math.MinInt64 / 2, Factors: make([]schema.Factor, 1000)}
			x.put(persist.KindIncidents, in)
			in.First = -2208988800000
			same(t, "incident", must(s.Incident(t.Context(), "acme", in.ID.String()))(t), in)
		})
	}
}

// must unwraps a result inside a test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := newStory("acme")
	st.tell(newTopics(t, s))
	all := []*schema.Incident{st.incident, st.closed, st.background}
	for name, tc := range map[string]struct {
		f    clickhouse.IncidentFilter
		want []*schema.Incident
	}{
		"all":         {clickhouse.IncidentFilter{}, all},
		"limit":       {clickhouse.IncidentFilter{Limit: 1}, all[:1]},
		"promoted":    {clickhouse.IncidentFilter{Disposition: []schema.Disposition{schema.Promoted}}, all[:2]},
		"status":      {clickhouse.IncidentFilter{Status: []schema.IncidentStatus{schema.IncidentNew, schema.IncidentResolved}}, all[1:]},
		"severity":    {clickhouse.IncidentFilter{MinSeverity: schema.SeverityCritical}, all[:1]},
		"priority":    {clickhouse.IncidentFilter{MinPriority: 70}, all[:2]},
		"assignee":    {clickhouse.IncidentFilter{Assignee: "ann"}, all[:1]},
		"no assignee": {clickhouse.IncidentFilter{Assignee: "ann' OR 1 = 1 --"}, nil},
		"entity":      {clickhouse.IncidentFilter{Entity: schema.EntityRef{Type: schema.EntityHost, Key: "ws-7"}}, all[:1]},
		"since":       {clickhouse.IncidentFilter{Since: st.noise.Created}, all[2:]},
		"until":       {clickhouse.IncidentFilter{Until: st.noise.Created}, all[:2]},
		"merged":      {clickhouse.IncidentFilter{Merged: true, Since: st.lateral.Created, Until: st.lateral.Created + 1}, []*schema.Incident{st.incident, st.merged}},
		"other":       {clickhouse.IncidentFilter{Tenant: "globex"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.f.Tenant == "" {
				tc.f.Tenant = "acme"
			}
			same(t, "incidents", must(s.ListIncidents(t.Context(), tc.f))(t), append([]*schema.Incident{}, tc.want...))
		})
	}
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	ctx := t.Context()
	// Two ids with the same number, a redirect to itself, and one to nothing.
	a, b := schema.IncidentID{1, 2, 3, 4, 5}, schema.IncidentID{1, 2, 3, 4, 6}
	loop, lost := schema.IncidentID{9}, schema.IncidentID{8}
	x.put(persist.KindIncidents, &schema.Incident{ID: a, Tenant: "acme", Version: 1}, &schema.Incident{ID: b, Tenant: "acme", Version: 1},
		&schema.Incident{ID: loop, Tenant: "acme", RedirectTo: loop, Version: 1}, &schema.Incident{ID: lost, Tenant: "acme", RedirectTo: schema.IncidentID{7}, Version: 1})
	for id, want := range map[string]error{a.Number(): clickhouse.ErrAmbiguous, "INC-00000000": clickhouse.ErrNotFound, "nonsense'": clickhouse.ErrNotFound,
		schema.IncidentID{5}.String(): clickhouse.ErrNotFound, lost.String(): clickhouse.ErrNotFound} {
		if _, err := s.Incident(ctx, "acme", id); !errors.Is(err, want) {
			t.Errorf("%s: want %v, got %v", id, want, err)
		}
	}
	if _, err := s.Incident(ctx, "acme", loop.String()); err == nil || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("loop: %v", err)
	}
	calls := map[string]func() error{
		"ListIncidents": func() error { _, err := s.ListIncidents(ctx, clickhouse.IncidentFilter{}); return err },
		"Incident":      func() error { _, err := s.Incident(ctx, "", a.String()); return err },
		"Members":       func() error { _, err := s.Members(ctx, "", a); return err },
		"Alerts":        func() error { _, err := s.Alerts(ctx, "", a); return err },
		"Alert":         func() error { _, err := s.Alert(ctx, "", schema.AlertID(a)); return err },
		"Matches":       func() error { _, err := s.Matches(ctx, "", a); return err },
		"Paths":         func() error { _, err := s.Paths(ctx, "", a); return err },
		"FormerIDs":     func() error { _, err := s.FormerIDs(ctx, "", a); return err },
		"Decisions":     func() error { _, err := s.Decisions(ctx, clickhouse.DecisionFilter{}); return err },
		"Leases":        func() error { _, err := s.Leases(ctx, clickhouse.LeaseFilter{}); return err },
		"Actions":       func() error { _, err := s.Actions(ctx, clickhouse.ActionFilter{}); return err },
		"Ledger":        func() error { _, err := s.Ledger(ctx, clickhouse.LedgerFilter{}); return err },
		"Timeline":      func() error { _, err := s.Timeline(ctx, "", a); return err },
		"Explain":       func() error { _, err := s.Explain(ctx, "", a.String()); return err },
		"DeadLetters":   func() error { _, err := s.DeadLetters(ctx, clickhouse.DeadLetterFilter{}); return err },
		"SourceHealth":  func() error { _, err := s.SourceHealth(ctx, ""); return err },
		"Completeness":  func() error { _, err := s.Completeness(ctx, ""); return err },
		"EraseTenant":   func() error { return s.EraseTenant(ctx, "") },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, clickhouse.ErrTenant) {
			t.Errorf("%s without a tenant: %v", name, err)
		}
	}
}

// TestHostileParameters sends values that mean something in SQL, in escaped text
// and in arrays: they must be found as they are.
func TestHostileParameters(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	for i, name := range []string{`ACME\bob`, "a'b", `a\'b`, "tab\there", "new\nline", `{tenant:String}`, "nul\x00x", "?", "$1", `"`, "ünï", "@p", `\N`} {
		in := &schema.Incident{ID: schema.IncidentID{1, byte(i)}, Tenant: "acme " + name, Assignee: name, Version: 1}
		x.put(persist.KindIncidents, in)
		got := must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: in.Tenant, Assignee: name}))(t)
		if len(got) != 1 || got[0].Assignee != name || got[0].Tenant != in.Tenant {
			t.Errorf("%q: found %+v", name, got)
		}
		got = must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: in.Tenant, Entity: schema.EntityRef{Type: 1, Key: name}}))(t)
		equal(t, "not among entities", len(got), 0)
		if testing.Short() && i >= 3 {
			continue // it rewrites every table
		}
		if err := s.EraseTenant(t.Context(), in.Tenant); err != nil {
			t.Errorf("erasing %q: %v", in.Tenant, err)
		}
	}
}
