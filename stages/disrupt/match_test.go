package disrupt

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestOnlyCountingMatchesAct: an alert whose matches do not count is one without
// matches, both to "matched" and to expressions.
func TestOnlyCountingMatchesAct(t *testing.T) {
	bad := schema.Match{Type: schema.ObservableIP, Value: "192.0.2.1", Feed: "f", Verdict: schema.VerdictMalicious, Confidence: 90}
	with := func(change func(*schema.Match)) []schema.Match {
		m := bad
		change(&m)
		return []schema.Match{m}
	}
	cases := map[string]struct {
		matches []schema.Match
		acts    bool
	}{
		"none":                {nil, false},
		"malicious":           {[]schema.Match{bad}, true},
		"suspicious":          {with(func(m *schema.Match) { m.Verdict = schema.VerdictSuspicious }), true},
		"block":               {with(func(m *schema.Match) { m.Wish = schema.WishBlock }), true},
		"demoted":             {with(func(m *schema.Match) { m.Demoted = "on the list of resolvers" }), false},
		"allowed":             {with(func(m *schema.Match) { m.Wish = schema.WishAllow }), false},
		"benign":              {with(func(m *schema.Match) { m.Verdict = schema.VerdictBenign }), false},
		"found later":         {with(func(m *schema.Match) { m.Retro = true }), false},
		"demoted and another": {append(with(func(m *schema.Match) { m.Demoted = "x" }), bad), true},
	}
	for what, signal := range map[string]Signal{
		"matched":    {Name: "hit", MinSeverity: "medium", Matched: true},
		"expression": {Name: "hit", MinSeverity: "medium", When: `alert.matches.exists(m, m.confidence >= 80)`},
	} {
		p := simple("matched")
		p.Also = nil
		p.Signals = []Signal{signal}
		p.Conditions = []Condition{{AllOf: []string{"hit"}}}
		for name, tc := range cases {
			t.Run(what+" "+name, func(t *testing.T) {
				d := build(t, simpleConfig(p))
				known(t, d)
				one, two := theft("1", start), move("2", start+1)
				one.Matches, two.Matches = tc.matches, tc.matches
				if b := run(t, d, one, two); (len(b.Actions) > 0) != tc.acts {
					t.Errorf("decisions %v, commands %v", brief(b.Decisions), commands(b))
				}
			})
		}
	}
}

// TestManyDemotedMatches: those that do not count take no room in the view.
func TestManyDemotedMatches(t *testing.T) {
	var a schema.Alert
	for range 2 * maxList {
		a.Matches = append(a.Matches, schema.Match{Verdict: schema.VerdictMalicious, Demoted: "x"})
	}
	for range 2 * maxList {
		a.Matches = append(a.Matches, schema.Match{Verdict: schema.VerdictMalicious})
	}
	var v View
	v.fill(&a)
	if len(v.Matches) != maxList {
		t.Errorf("%d matches in the view", len(v.Matches))
	}
}

// TestRetroMatchesDoNotAct: what is found later comes to the stage too, and causes
// nothing, now or with the next alert.
func TestRetroMatchesDoNotAct(t *testing.T) {
	p := simple("matched")
	p.Also = nil
	p.Signals = []Signal{{Name: "hit", MinSeverity: "medium", Matched: true}}
	p.Conditions = []Condition{{AllOf: []string{"hit"}}}
	d := build(t, simpleConfig(p))
	known(t, d)
	one := theft("1", start)
	run(t, d, one)
	before := state(t, d)
	b := &schema.Batch{Now: start + 1, Retro: []schema.RetroMatch{{Tenant: "acme", Alert: one.ID, On: one.Entities[0].Ref(),
		Match: schema.Match{Verdict: schema.VerdictMalicious, Retro: true}}}}
	if err := d.Process(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	d.Commit()
	if len(b.Decisions)+len(b.Actions)+len(b.Ledger) > 0 || state(t, d) != before {
		t.Errorf("decisions %v, commands %v", brief(b.Decisions), commands(b))
	}
}
