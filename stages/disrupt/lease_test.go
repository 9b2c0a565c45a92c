package disrupt

import (
	"slices"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
)

func TestLeaseStartsAndExpires(t *testing.T) {
	d := build(t, simpleConfig())
	b := contained(t, d)
	l, a := b.Leases[0], b.Actions[0]
	if l.State != schema.LeaseActive || l.From != start+1000 || l.Until != start+1000+4*schema.Hour || len(l.Evidence) != 2 {
		t.Errorf("lease: %+v", l)
	}
	if a.Lease != l.ID || a.Version != l.Version || a.Until != l.Until || a.Decision != b.Decisions[0].ID || b.Decisions[0].Lease != l.ID {
		t.Errorf("action: %+v", a)
	}
	if e := b.Ledger[0]; e.Origin != schema.OriginDisruption || e.Incident != b.Alerts[1].Incident || e.Verb != "apply" {
		t.Errorf("ledger: %+v", e)
	}
	if out := tick(t, d, "acme", l.Until-1); len(out.Actions) != 0 {
		t.Errorf("released early: %v", commands(out))
	}
	out := tick(t, d, "acme", l.Until)
	expect(t, "at the end", commands(out), []string{"release contain_host host:ws-1"})
	if end := out.Leases[0]; end.State != schema.LeaseExpired || end.ID != l.ID || end.Version <= l.Version {
		t.Errorf("lease: %+v", end)
	}
	if out := tick(t, d, "acme", l.Until+schema.Hour); len(out.Actions) != 0 {
		t.Errorf("released twice: %v", commands(out))
	}
}

// An attack that goes on renews its lease once half of it is over, not with every
// alert.
func TestLeaseRenews(t *testing.T) {
	p := simple("simple")
	p.Lease = 30 * time.Minute
	d := build(t, simpleConfig(p))
	first := contained(t, d)
	more := func(id string, at schema.Millis) *schema.Batch {
		return run(t, d, alert("edr", id, at, "T1003.001", "host:ws-1 attested"))
	}
	if b := more("e2", start+10*schema.Minute); len(b.Actions)+len(b.Decisions) != 0 {
		t.Errorf("an alert in the first half: %v %v", commands(b), brief(b.Decisions))
	}
	b := more("e3", start+20*schema.Minute)
	expect(t, "in the second half", commands(b), []string{"apply contain_host host:ws-1"})
	if l := b.Leases[0]; l.Until != start+50*schema.Minute || l.Version <= first.Leases[0].Version || len(b.Decisions) != 0 {
		t.Errorf("renewed: %+v, decisions %v", l, brief(b.Decisions))
	}
	if b := tick(t, d, "acme", start+31*schema.Minute); len(b.Actions) != 0 {
		t.Errorf("the renewed lease ended: %v", commands(b))
	}
	expect(t, "at its end", commands(tick(t, d, "acme", start+50*schema.Minute)), []string{"release contain_host host:ws-1"})
	// The episode is not over: more of the same starts it again.
	b = more("e4", start+52*schema.Minute)
	expect(t, "after the end", brief(b.Decisions), []string{"host:ws-1 contain_host fired"})
}

// Two policies share one lease: it ends with the last of its causes.
func TestLeaseOverlap(t *testing.T) {
	p, q := simple("p"), simple("q")
	p.Lease, q.Lease = time.Hour, 2*time.Hour
	q.Conditions = []Condition{{AllOf: []string{"encrypt"}}}
	p.Conditions = []Condition{{AllOf: []string{"theft", "move"}}}
	q.Signals[2].When = "alert.source == 'edr' || alert.source == 'ndr'"
	cfg := simpleConfig(p, q)
	cfg.Budget.Floor = 1
	d := build(t, cfg)
	contained(t, d)
	b := run(t, d, alert("edr", "x1", start+2000, "T1486", "host:ws-1 attested"), alert("ndr", "x2", start+3000, "T1486", "host:ws-1"))
	expect(t, "decisions", brief(b.Decisions), []string{"host:ws-1 contain_host vetoed one_sensor", "host:ws-1 contain_host fired"})
	if len(b.Leases) != 1 || b.Leases[0].Until != start+3000+2*schema.Hour {
		t.Fatalf("leases: %+v", b.Leases)
	}
	// What caused the longer one was wrong: the lease is cut to what is left.
	b = run(t, d, verdict(b.Alerts[0].ID, "false_positive"))
	if len(b.Leases) != 1 || b.Leases[0].State != schema.LeaseActive || b.Leases[0].Until != start+1000+schema.Hour || b.Leases[0].Policy != "p" {
		t.Fatalf("after the first verdict: %+v", b.Leases)
	}
	b = run(t, d, verdict(schema.NewAlertID("acme", "edr", "e1"), "false_positive"))
	expect(t, "after the second verdict", commands(b), []string{"release contain_host host:ws-1"})
}

func verdict(id schema.AlertID, v string) schema.Control {
	return schema.Control{Tenant: "acme", Kind: schema.ControlVerdict, Object: id.String(), Value: v, Actor: "ana"}
}

func TestFalsePositiveReleases(t *testing.T) {
	t.Run("by a person", func(t *testing.T) {
		d := build(t, simpleConfig())
		contained(t, d)
		b := run(t, d, verdict(schema.NewAlertID("acme", "edr", "e1"), "false_positive"))
		expect(t, "commands", commands(b), []string{"release contain_host host:ws-1"})
		if e := b.Ledger[0]; e.Actor != "ana" || e.Origin != schema.OriginAnalyst {
			t.Errorf("ledger: %+v", e)
		}
		b = run(t, d, alert("ndr", "n2", start+2000, "T1021", "host:ws-1"))
		expect(t, "more of the other half", brief(b.Decisions), []string{"host:ws-1 contain_host vetoed false_positive"})
		run(t, d, verdict(schema.NewAlertID("acme", "edr", "e1"), "malicious"))
		b = run(t, d, alert("ndr", "n3", start+3000, "T1021", "host:ws-1"))
		expect(t, "after a second thought", brief(b.Decisions), []string{"host:ws-1 contain_host fired"})
	})
	t.Run("by a revision", func(t *testing.T) {
		d := build(t, simpleConfig())
		contained(t, d)
		a := alert("edr", "e1", start, "T1003.001", "host:ws-1 attested")
		a.Ingested, a.Updated, a.Standing, a.Verdict = start+5000, start+5000, schema.StandingRevision, schema.VerdictFalsePositive
		expect(t, "commands", commands(run(t, d, a)), []string{"release contain_host host:ws-1"})
	})
	// Otherwise one sensor could free what two others have contained.
	t.Run("not when the rest stands", func(t *testing.T) {
		early, late := alert("ndr", "n1", start+1, "T1021", "host:ws-1"), alert("ndr", "n1", start+1000, "T1021", "host:ws-1")
		for _, corroboration := range []schema.Alert{early, late} {
			d := build(t, simpleConfig())
			run(t, d, assetControl("acme", "host:ws-1", "workstation", start))
			items := []any{alert("rogue", "r1", start, "T1021", "host:ws-1"), alert("edr", "e1", start+2, "T1003", "host:ws-1 attested"), corroboration}
			slices.SortFunc(items, func(x, y any) int { return int(x.(schema.Alert).Ingested - y.(schema.Alert).Ingested) })
			expect(t, "contained", commands(run(t, d, items...)), []string{"apply contain_host host:ws-1"})
			b := run(t, d, verdict(schema.NewAlertID("acme", "rogue", "r1"), "false_positive"))
			expect(t, "the rest stands", commands(b), []string{})
			b = run(t, d, verdict(schema.NewAlertID("acme", "ndr", "n1"), "false_positive"))
			expect(t, "nothing stands", commands(b), []string{"release contain_host host:ws-1"})
			b = run(t, d, alert("ndr", "n2", start+2000, "T1021", "host:ws-1"))
			expect(t, "better evidence", commands(b), []string{"apply contain_host host:ws-1"})
		}
	})
}

func TestReleaseByPerson(t *testing.T) {
	d := build(t, simpleConfig())
	l := contained(t, d).Leases[0]
	b := run(t, d, schema.Control{Tenant: "acme", Kind: schema.ControlRelease, Object: l.ID.String(), Actor: "ana"})
	expect(t, "commands", commands(b), []string{"release contain_host host:ws-1"})
	b = run(t, d, alert("edr", "e2", start+5000, "T1003.001", "host:ws-1 attested"))
	expect(t, "more of the same", brief(b.Decisions), []string{"host:ws-1 contain_host vetoed released"})
	b = run(t, d, alert("edr", "e3", start+6000, "T1003.001", "host:ws-1 attested"))
	expect(t, "and more", brief(b.Decisions), []string{})
	// Another attack, later, is another matter.
	at := start + 3*schema.Hour
	b = run(t, d, alert("edr", "e4", at, "T1003.001", "host:ws-1 attested"), alert("ndr", "n4", at, "T1021", "host:ws-1"))
	expect(t, "a new episode", brief(b.Decisions), []string{"host:ws-1 contain_host vetoed one_sensor", "host:ws-1 contain_host fired"}[1:])
}

func TestKillSwitchAndReleaseAll(t *testing.T) {
	kill := func(tenant, v string) schema.Control {
		return schema.Control{Tenant: tenant, Kind: schema.ControlKillSwitch, Value: v, Actor: "ana"}
	}
	attack := func(d *Disruptor, host, id string, at schema.Millis) []string {
		return brief(run(t, d, alert("edr", "e"+id, at, "T1003", host+" attested"), alert("ndr", "n"+id, at, "T1021", host)).Decisions)
	}
	for _, tenant := range []string{"acme", ""} {
		t.Run("tenant "+tenant, func(t *testing.T) {
			d := build(t, simpleConfig())
			contained(t, d)
			run(t, d, kill(tenant, "on"))
			expect(t, "while on", attack(d, "host:ws-2", "2", start+2000), []string{"host:ws-2 contain_host vetoed kill_switch"})
			b := run(t, d, schema.Control{Tenant: tenant, Kind: schema.ControlReleaseAll, Actor: "ana"})
			expect(t, "release all", commands(b), []string{"release contain_host host:ws-1"})
			run(t, d, kill(tenant, "off"))
			expect(t, "when off", attack(d, "host:ws-2", "3", start+3000), []string{"host:ws-2 contain_host fired"})
		})
	}
	t.Run("tenants seen later", func(t *testing.T) {
		d := build(t, simpleConfig())
		run(t, d, kill("", "on"))
		run(t, d, assetControl("acme", "host:ws-2", "workstation", start))
		expect(t, "decisions", attack(d, "host:ws-2", "2", start), []string{"host:ws-2 contain_host vetoed kill_switch"})
	})
	t.Run("unreadable value means on", func(t *testing.T) {
		d := build(t, simpleConfig())
		run(t, d, assetControl("acme", "host:ws-2", "workstation", start), kill("acme", "Off "))
		expect(t, "decisions", attack(d, "host:ws-2", "2", start), []string{"host:ws-2 contain_host vetoed kill_switch"})
	})
}

func TestSenselessControlChangesNothing(t *testing.T) {
	d := build(t, simpleConfig())
	contained(t, d)
	for _, c := range []schema.Control{
		{Tenant: "acme", Kind: schema.ControlRelease, Object: "no id"},
		{Tenant: "acme", Kind: schema.ControlVerdict, Object: "zz", Value: "false_positive"},
		{Tenant: "acme", Kind: schema.ControlAsset, Value: "{"},
		{Tenant: "acme", Kind: schema.ControlAsset, Value: `{"class":"workstation"}`},
		{Tenant: "", Kind: schema.ControlAsset, Value: `{"entity":{"type":"host","key":"ws-1"},"class":"workstation"}`},
	} {
		b := run(t, d, c)
		if len(b.Ledger) != 1 || b.Ledger[0].Verb != "refuse" || b.Ledger[0].Cause == "" || len(b.Actions) != 0 {
			t.Errorf("%+v: %+v", c, b.Ledger)
		}
	}
}
