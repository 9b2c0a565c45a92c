package correlate

import (
	"bytes"
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// retroOf is a match of an alert that was found later.
func retroOf(id string, m schema.Match) schema.RetroMatch {
	m.Retro = true
	return schema.RetroMatch{Tenant: "acme", Alert: schema.NewAlertID("acme", "edr", id), Match: m, Made: t0 + schema.Day,
		On: schema.EntityRef{Type: schema.EntityHost, Key: "x"}}
}

// confirm gives the stage retro-matches in a batch of their own.
func (h *harness) confirm(list ...schema.RetroMatch) *schema.Batch {
	h.t.Helper()
	h.pos++
	b := &schema.Batch{Position: h.pos, Now: t0 + schema.Day, Retro: list}
	if err := h.c.Process(context.Background(), b); err != nil {
		h.t.Fatal(err)
	}
	h.c.Commit()
	h.take(b)
	return b
}

// TestWhatMatchesAreWorth: only a match that counts promotes or raises, whether it
// came with the alert or after it.
func TestWhatMatchesAreWorth(t *testing.T) {
	bad := schema.Match{Verdict: schema.VerdictMalicious}
	with := func(change func(*schema.Match)) schema.Match {
		m := bad
		change(&m)
		return m
	}
	for name, tc := range map[string]struct {
		match       schema.Match
		disposition schema.Disposition
		severity    schema.Severity
	}{
		"malicious":           {bad, schema.Promoted, schema.SeverityMedium},
		"demoted":             {with(func(m *schema.Match) { m.Demoted, m.Severity = "on a list", schema.SeverityCritical }), schema.Background, schema.SeverityMedium},
		"allowed":             {with(func(m *schema.Match) { m.Wish, m.Severity = schema.WishAllow, schema.SeverityCritical }), schema.Background, schema.SeverityMedium},
		"benign":              {schema.Match{Verdict: schema.VerdictBenign, Severity: schema.SeverityCritical}, schema.Background, schema.SeverityMedium},
		"suspicious":          {schema.Match{Verdict: schema.VerdictSuspicious}, schema.Background, schema.SeverityMedium},
		"suspicious, raising": {schema.Match{Verdict: schema.VerdictSuspicious, Severity: schema.SeverityHigh}, schema.Promoted, schema.SeverityHigh},
		"raises":              {with(func(m *schema.Match) { m.Severity = schema.SeverityCritical }), schema.Promoted, schema.SeverityCritical},
		"does not lower":      {with(func(m *schema.Match) { m.Severity = schema.SeverityLow }), schema.Promoted, schema.SeverityMedium},
	} {
		t.Run(name, func(t *testing.T) {
			live, later := newHarness(t, Default()), newHarness(t, Default())
			a := doc("a", 0, "host:x")
			later.process(a)
			b := later.confirm(retroOf("a", tc.match))
			a.Matches = []schema.Match{tc.match}
			live.process(a)
			for way, h := range map[string]*harness{"live": live, "retro": later} {
				head := h.heads[h.row("a").Incident]
				if head.Disposition != tc.disposition || head.Severity != tc.severity {
					t.Errorf("%s: %s %s", way, head.Disposition, head.Severity)
				}
			}
			if got := len(b.Ledger) == 1; got != tc.match.Counts() {
				t.Errorf("ledger: %+v", b.Ledger)
			} else if got && (b.Ledger[0].Verb != "retro_match" || b.Ledger[0].Incident != later.row("a").Incident) {
				t.Errorf("ledger: %+v", b.Ledger)
			}
			if again := later.confirm(retroOf("a", tc.match)); len(again.Incidents)+len(again.Members) > 0 {
				t.Errorf("the same match again changed %+v %+v", again.Incidents, again.Members)
			}
		})
	}
}

// TestRetroOfAlertsThatLeft: the incident is the one that the store knew.
func TestRetroOfAlertsThatLeft(t *testing.T) {
	h := newHarness(t, Default())
	h.process(doc("a", 0, "host:x"))
	in := h.row("a").Incident
	h.advance(100 * schema.Day)
	if n := h.c.Stats().Alerts; n != 0 {
		t.Fatalf("%d alerts are still here", n)
	}
	m := retroOf("a", schema.Match{Verdict: schema.VerdictMalicious})
	if b := h.confirm(m); len(b.Ledger)+len(b.Incidents) > 0 {
		t.Errorf("of an incident that nobody knows: %+v", b)
	}
	m.Incident = in
	if b := h.confirm(m); len(b.Ledger) != 1 || b.Ledger[0].Incident != in || len(b.Incidents) != 0 {
		t.Errorf("ledger %+v, heads %+v", b.Ledger, b.Incidents)
	}
	m.Tenant = "nobody"
	if b := h.confirm(m); len(b.Ledger) != 1 || b.Ledger[0].Tenant != "nobody" {
		t.Errorf("ledger %+v", b.Ledger)
	}
}

// TestWithdrawnMatches: that a match is taken back, or put back, is an event of its own,
// whether the alert is here or not. What was promoted stays so, and a match that counts
// for the first time promotes.
func TestWithdrawnMatches(t *testing.T) {
	bad := schema.Match{Type: schema.ObservableIP, Value: "203.0.113.7", Indicator: "i", Feed: "misp", Verdict: schema.VerdictMalicious, Severity: schema.SeverityCritical}
	said := func(kind schema.RetroKind, in schema.IncidentID, made schema.Millis) schema.RetroMatch {
		m := retroOf("a", bad)
		m.Kind, m.Incident, m.Made = kind, in, m.Made+made
		if kind == schema.RetroWithdrawn {
			m.By, m.Match.Demoted = "analyst", "allowed by feed analyst"
		}
		return m
	}
	h := newHarness(t, Default())
	a := doc("a", 0, "host:x")
	a.Matches = []schema.Match{bad}
	h.process(a)
	in := h.row("a").Incident
	check := func(b *schema.Batch, verb, actor, cause string) {
		t.Helper()
		if len(b.Ledger) != 1 {
			t.Fatalf("ledger: %+v", b.Ledger)
		}
		if e := b.Ledger[0]; e.Verb != verb || e.Actor != actor || e.Cause != cause || e.Incident != in || e.After != "host:x" || e.Object != "alert:"+a.ID.String() {
			t.Errorf("event %+v", e)
		}
		if len(b.Incidents)+len(b.Members) != 0 {
			t.Errorf("changed %+v %+v", b.Incidents, b.Members)
		}
	}
	const why = "allowed by feed analyst; feed misp called it malicious by ip 203.0.113.7"
	check(h.confirm(said(schema.RetroWithdrawn, in, 1)), "match_withdrawn", "analyst", why)
	if d := h.heads[in].Disposition; d != schema.Promoted {
		t.Errorf("the incident is %s", d)
	}
	check(h.confirm(said(schema.RetroReinstated, in, 2)), "match_reinstated", "misp", "malicious by ip 203.0.113.7")
	if b := h.confirm(said(schema.RetroReinstated+1, in, 3)); len(b.Ledger)+len(b.Incidents) != 0 {
		t.Errorf("of a kind that is not known here: %+v", b)
	}
	h.advance(100 * schema.Day)
	check(h.confirm(said(schema.RetroWithdrawn, in, 4)), "match_withdrawn", "analyst", why)
	if b := h.confirm(said(schema.RetroWithdrawn, schema.IncidentID{}, 5)); len(b.Ledger) != 0 {
		t.Errorf("of an incident that nobody knows: %+v", b.Ledger)
	}

	// One that never counted and does now is evidence like any other; without a reason a
	// withdrawal is none.
	h = newHarness(t, Default())
	a.Matches[0].Demoted = "on a list"
	h.process(a)
	in = h.row("a").Incident
	blank := said(schema.RetroWithdrawn, in, 1)
	blank.Match.Demoted = ""
	h.confirm(blank)
	if d := h.heads[in].Disposition; d != schema.Background {
		t.Errorf("the incident is %s", d)
	}
	h.confirm(said(schema.RetroReinstated, in, 2))
	if x := h.heads[in]; x.Disposition != schema.Promoted || x.Severity != schema.SeverityCritical {
		t.Errorf("the incident is %s, %s", x.Disposition, x.Severity)
	}
}

// TestRetroOfOneIndicatorsValues: an indicator may have several values, and each that
// names an entity is an event.
func TestRetroOfOneIndicatorsValues(t *testing.T) {
	h := newHarness(t, Default())
	h.process(doc("a", 0, "host:x"))
	one := schema.Match{Type: schema.ObservableDomain, Value: "bad.example", Indicator: "indicator--1", Feed: "f", Verdict: schema.VerdictMalicious}
	two, three := one, one
	two.Value, three.Type = "www.bad.example", schema.ObservableSender
	b := h.confirm(retroOf("a", one), retroOf("a", two), retroOf("a", three))
	ids := map[schema.ID]bool{}
	for _, e := range b.Ledger {
		ids[e.ID] = true
	}
	if len(b.Ledger) != 3 || len(ids) != 3 {
		t.Errorf("%d events with %d ids", len(b.Ledger), len(ids))
	}
}

// TestRetroEqualsLive draws alerts with matches. Given with the alerts or after
// them, in any order, they lead to the same incidents; a rollback and a snapshot
// lose nothing.
func TestRetroEqualsLive(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		docs := drawDocs(rt, "acme", 20)
		type document struct {
			id      schema.AlertID
			content uint64
		}
		known := map[document]int{}
		var found []schema.RetroMatch
		live, later, a, b := must(t, small()), must(t, small()), newSink(), newSink()
		for i := range docs {
			key := document{docs[i].ID, docs[i].Content}
			if n, ok := known[key]; ok {
				docs[i].Matches = docs[n].Matches
				continue
			}
			known[key] = i
			docs[i].Matches = nil
			if rapid.IntRange(0, 3).Draw(rt, "matched") == 0 {
				docs[i].Matches = []schema.Match{{Verdict: rapid.SampledFrom([]schema.Verdict{schema.VerdictMalicious, schema.VerdictSuspicious}).Draw(rt, "verdict"),
					Severity: schema.Severity(rapid.IntRange(0, 6).Draw(rt, "raised")), Demoted: rapid.SampledFrom([]string{"", "", "listed"}).Draw(rt, "demoted")}}
				found = append(found, schema.RetroMatch{Tenant: "acme", Alert: docs[i].ID, Match: docs[i].Matches[0], Kind: schema.RetroKind(2 * rapid.IntRange(0, 1).Draw(rt, "again"))})
				if rapid.IntRange(0, 3).Draw(rt, "taken back") == 0 { // in whatever order
					m := found[len(found)-1]
					m.Kind, m.Match.Demoted = schema.RetroWithdrawn, "allowed"
					found = append(found, m)
				}
			}
		}
		all := func(c *Correlator, s *sink, bare bool) {
			batch := &schema.Batch{Position: 1}
			for i := range docs {
				x := batch.NextAlert()
				*x = docs[i].Clone()
				if bare {
					x.Matches = nil
				}
			}
			if err := c.Process(ctx, batch); err != nil {
				rt.Fatal(err)
			}
			c.Commit()
			s.take(batch)
		}
		all(live, a, false)
		all(later, b, true)
		for _, i := range rapid.Permutation(indices(len(found))).Draw(rt, "order") {
			batch := &schema.Batch{Position: uint64(i) + 2, Retro: found[i : i+1]}
			before := snapshot(t, later)
			if err := later.Process(ctx, batch); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "abort") {
				later.Rollback()
				if !bytes.Equal(before, snapshot(t, later)) {
					rt.Fatal("the rollback is not exact")
				}
				batch = &schema.Batch{Position: uint64(i) + 2, Retro: found[i : i+1]}
				if err := later.Process(ctx, batch); err != nil {
					rt.Fatal(err)
				}
			}
			later.Commit()
			b.take(batch)
			if rapid.Bool().Draw(rt, "restart") {
				again := must(t, small())
				if err := again.Restore(bytes.NewReader(snapshot(t, later))); err != nil {
					rt.Fatal(err)
				}
				later = again
			}
		}
		end := stages.Tick{Tenant: "acme", Watermark: 1_800_000_000_000}
		for _, x := range []struct {
			c *Correlator
			s *sink
		}{{live, a}, {later, b}} {
			batch := &schema.Batch{Position: 1000}
			if err := x.c.Advance(ctx, end, batch); err != nil {
				rt.Fatal(err)
			}
			x.c.Commit()
			x.s.take(batch)
		}
		if a.final() != b.final() {
			rt.Fatalf("live\n%s\nretro\n%s", a.final(), b.final())
		}
	})
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
