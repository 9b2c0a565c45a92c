package disrupt

import (
	"fmt"
	"sync"
	"testing"

	"github.com/interdict/interdict/schema"
)

func theft(id string, at schema.Millis) schema.Alert {
	return alert("edr", id, at, "T1003", "host:ws-1 attested")
}

func move(id string, at schema.Millis) schema.Alert {
	return alert("ndr", id, at, "T1021", "host:ws-1")
}

func known(t testing.TB, d *Disruptor) {
	t.Helper()
	run(t, d, assetControl("acme", "host:ws-1", "workstation", start), assetControl("acme", "host:ws-2", "workstation", start))
}

// The window includes both of its ends.
func TestWindowEnds(t *testing.T) {
	for apart, want := range map[schema.Millis]int{schema.Hour: 1, schema.Hour + 1: 0} {
		d := build(t, simpleConfig())
		known(t, d)
		if b := run(t, d, theft("1", start), move("2", start+apart)); len(b.Decisions) != want {
			t.Errorf("%d ms apart: decisions %v", apart, brief(b.Decisions))
		}
	}
}

func revision(a schema.Alert, updated schema.Millis) schema.Alert {
	a.Standing, a.Updated = schema.StandingRevision, updated
	return a
}

// The newest revision says what an alert shows, in whatever order they come; what
// it names only grows.
func TestRevisions(t *testing.T) {
	harmless := func(updated schema.Millis) schema.Alert {
		a := revision(alert("edr", "1", start, "T1057", "host:ws-1"), updated)
		a.Severity = schema.SeverityLow
		return a
	}
	d := build(t, simpleConfig())
	known(t, d)
	run(t, d, theft("1", start), harmless(start+1))
	if b := run(t, d, move("2", start+2)); len(b.Decisions) != 0 {
		t.Errorf("an alert that was revised away counts: %v", brief(b.Decisions))
	}
	d = build(t, simpleConfig())
	known(t, d)
	run(t, d, revision(alert("edr", "1", start, "T1003", "host:ws-1"), start+5), revision(alert("edr", "1", start, "T1486", "host:ws-1 attested"), start+3))
	b := run(t, d, alert("ndr", "9", start+6, "T1486", "host:ws-1"))
	expect(t, "the older revision's technique", brief(b.Decisions), []string{"host:ws-1 contain_host vetoed one_sensor"})
	b = run(t, d, move("2", start+7))
	expect(t, "its attestation", brief(b.Decisions), []string{"host:ws-1 contain_host fired"})
}

// A person's verdict outlives what the vendor says later; a vendor's own does not.
func TestVerdictOfPersonOutlivesVendor(t *testing.T) {
	for person, want := range map[bool]string{true: "vetoed false_positive", false: "fired"} {
		d := build(t, simpleConfig())
		known(t, d)
		run(t, d, theft("1", start))
		if person {
			run(t, d, verdict(schema.NewAlertID("acme", "edr", "1"), "false_positive"))
		} else {
			a := revision(theft("1", start), start+1)
			a.Verdict = schema.VerdictFalsePositive
			run(t, d, a)
		}
		run(t, d, revision(theft("1", start), start+2))
		expect(t, fmt.Sprint("by a person: ", person), brief(run(t, d, move("2", start+3)).Decisions), []string{"host:ws-1 contain_host " + want})
	}
}

// A flood makes a source give up its own evidence, and of that not the only piece
// that attests the target.
func TestFloodKeepsAttestation(t *testing.T) {
	d := build(t, simpleConfig())
	known(t, d)
	run(t, d, theft("first", start))
	for i := range 2 * maxEvidence {
		run(t, d, alert("edr", fmt.Sprint(i), start+schema.Millis(i)+1, "T1003", "host:ws-1"))
	}
	expect(t, "decisions", brief(run(t, d, move("2", start+500)).Decisions), []string{"host:ws-1 contain_host fired"})
	for k, s := range d.tenant("acme").suspects.m {
		if len(s.Evidence) > maxEvidence {
			t.Errorf("%v: %d pieces of evidence", k, len(s.Evidence))
		}
	}
}

// With leases of different ends, each ends at its own.
func TestLeasesEndInTheirOrder(t *testing.T) {
	long, short := simple("long"), simple("short")
	long.Target, long.Also = "host", nil
	short.Target, short.Action, short.Also, short.Lease = "user", "contain_user", nil, long.Lease/4
	d := build(t, simpleConfig(long, short))
	known(t, d)
	run(t, d, assetControl("acme", "user:bob", "person", start))
	b := run(t, d, alert("edr", "1", start, "T1486", "host:ws-1 attested", "user:bob attested"), alert("ndr", "2", start, "T1486", "host:ws-1", "user:bob"))
	expect(t, "applied", commands(b), []string{"apply contain_host host:ws-1", "apply contain_user user:bob"})
	expect(t, "first", commands(tick(t, d, "acme", start+schema.Hour)), []string{"release contain_user user:bob"})
	expect(t, "second", commands(tick(t, d, "acme", start+4*schema.Hour)), []string{"release contain_host host:ws-1"})
}

// Executors tell commands apart by version: it grows even when the clock stands.
func TestVersionsGrow(t *testing.T) {
	d := build(t, simpleConfig())
	contained(t, d)
	var last uint64
	for range 3 {
		b := run(t, d, schema.Control{Tenant: "acme", Kind: schema.ControlReleaseAll})
		again := run(t, d, alert("edr", fmt.Sprint("x", last), start+1000, "T1486", "host:ws-2 attested"), alert("ndr", fmt.Sprint("y", last), start+1000, "T1486", "host:ws-2"))
		for _, a := range append(b.Actions, again.Actions...) {
			if a.Version <= last {
				t.Fatalf("version %d after %d", a.Version, last)
			}
			last = a.Version
		}
	}
}

// An outcome that flaps is recorded a bounded number of times.
func TestEpisodeRecordsAreBounded(t *testing.T) {
	d := build(t, simpleConfig())
	known(t, d)
	run(t, d, theft("1", start))
	n := 0
	for i := range 3 * maxDecisions {
		value := []string{"on", "off"}[i%2]
		run(t, d, schema.Control{Tenant: "acme", Kind: schema.ControlKillSwitch, Value: value})
		n += len(run(t, d, move(fmt.Sprint(i), start+schema.Millis(i))).Decisions)
	}
	if n != maxDecisions {
		t.Errorf("%d decisions, want %d", n, maxDecisions)
	}
}

// A veto in the middle of an attack leaves the lease as it is, and what fires again
// names it.
func TestVetoBetween(t *testing.T) {
	d := build(t, simpleConfig())
	l := contained(t, d).Leases[0]
	kill := schema.Control{Tenant: "acme", Kind: schema.ControlKillSwitch, Value: "on"}
	b := run(t, d, kill, move("3", start+2000))
	expect(t, "while on", append(brief(b.Decisions), commands(b)...), []string{"host:ws-1 contain_host vetoed kill_switch"})
	kill.Value = "off"
	b = run(t, d, kill, move("4", start+3000))
	expect(t, "when off", append(brief(b.Decisions), commands(b)...), []string{"host:ws-1 contain_host fired"})
	if b.Decisions[0].Lease != l.ID {
		t.Errorf("lease %s, want %s", b.Decisions[0].Lease, l.ID)
	}
}

// An alert cannot move the clock past the time of the log.
func TestClockIsTheLogs(t *testing.T) {
	d := build(t, simpleConfig())
	a := theft("1", start+schema.Day)
	b := batch(a)
	b.Now = start
	if err := d.Process(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := d.tenant("acme").vars.v.Clock; got != start {
		t.Errorf("clock at %v, the log at %v", got, start)
	}
}

func TestSweepForgetsWhatExpired(t *testing.T) {
	d := build(t, simpleConfig())
	run(t, d, theft("1", start), verdict(schema.NewAlertID("acme", "x", "y"), "false_positive"))
	x := d.tenant("acme")
	tick(t, d, "acme", start+schema.Hour)
	if len(x.suspects.m) != 1 || len(x.naming.m) != 1 {
		t.Errorf("%d suspects, %d named alerts while the evidence lives", len(x.suspects.m), len(x.naming.m))
	}
	tick(t, d, "acme", start+8*schema.Day)
	if len(x.suspects.m)+len(x.naming.m)+len(x.disproof.m) != 0 {
		t.Errorf("left: %d suspects, %d named alerts, %d verdicts", len(x.suspects.m), len(x.naming.m), len(x.disproof.m))
	}
}

// Made-up targets of one sensor give way before what is attested.
func TestSuspectsAreBounded(t *testing.T) {
	cfg := simpleConfig()
	cfg.MaxSuspects = 16
	d := build(t, cfg)
	known(t, d)
	run(t, d, theft("1", start))
	for i := range 200 {
		run(t, d, alert("rogue", fmt.Sprint(i), start+schema.Millis(i), "T1021", fmt.Sprintf("host:made-up-%d", i)))
		if n := len(d.tenant("acme").suspects.m); n > cfg.MaxSuspects {
			t.Fatalf("%d suspects", n)
		}
	}
	if d.Evictions() == 0 {
		t.Error("evictions are not counted")
	}
	expect(t, "decisions", brief(run(t, d, move("2", start+300)).Decisions), []string{"host:ws-1 contain_host fired"})
}

// Stages made from one preparation share nothing that changes.
func TestPreparedIsShared(t *testing.T) {
	p := simple("simple")
	p.Signals[0].When = `target.key.startsWith("ws") && alert.entities.exists(e, e.attested)`
	prepared, err := Prepare(simpleConfig(p))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d := prepared.New()
			for range 50 {
				b := batch(assetControl("acme", "host:ws-1", "workstation", start), theft("1", start), move("2", start))
				if err := d.Process(t.Context(), b); err != nil || len(d.tenant("acme").leases.m) != 1 {
					t.Errorf("error %v, decisions %v", err, brief(b.Decisions))
				}
				d.Commit()
			}
		})
	}
	wg.Wait()
}
