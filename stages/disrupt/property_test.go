package disrupt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

// entry is one record of a random log: exactly one field is set.
type entry struct {
	alert   *schema.Alert
	control *schema.Control
	tick    *stages.Tick
}

var (
	poolTenants  = []string{"acme", "other"}
	poolTargets  = []string{"host:ws-1", "host:ws-2", "host:dc-1", "user:bob"}
	poolSources  = []string{"edr", "ndr", "idp"}
	poolAttacks  = []string{"T1003", "T1003.001", "T1021.002", "T1486", "T1057", ""}
	poolVerdicts = []schema.Verdict{schema.VerdictUnknown, schema.VerdictUnknown, schema.VerdictUnknown, schema.VerdictFalsePositive}
)

// drawLog makes a log in which everything happens: evidence from several sources,
// late, revised, disproved; inventory, kill switch, releases; time passing.
func drawLog(t *rapid.T) []entry {
	var log []entry
	now := start
	for _, tenant := range poolTenants {
		for _, ref := range poolTargets[:3] {
			class := "workstation"
			if ref == "host:dc-1" {
				class = "domain_controller"
			}
			c := assetControl(tenant, ref, class, start)
			log = append(log, entry{control: &c})
		}
	}
	for range rapid.IntRange(1, 60).Draw(t, "entries") {
		tenant := rapid.SampledFrom(poolTenants).Draw(t, "tenant")
		now += schema.Millis(rapid.SampledFrom([]int64{0, 1, 1000, 60_000, 900_000, 3_600_000}).Draw(t, "gap"))
		switch rapid.IntRange(0, 11).Draw(t, "kind") {
		case 0:
			log = append(log, entry{tick: &stages.Tick{Tenant: tenant, Now: now, Watermark: now - schema.Hour}})
		case 1:
			c := drawControl(t, tenant)
			log = append(log, entry{control: &c})
		default:
			a := drawAlert(t, tenant, now)
			log = append(log, entry{alert: &a})
		}
	}
	return log
}

func drawAlert(t *rapid.T, tenant string, now schema.Millis) schema.Alert {
	source := rapid.SampledFrom(poolSources).Draw(t, "source")
	id := fmt.Sprint(rapid.IntRange(0, 15).Draw(t, "id"))
	a := alert(source, id, now, rapid.SampledFrom(poolAttacks).Draw(t, "technique"))
	a.Tenant, a.ID = tenant, schema.NewAlertID(tenant, source, id)
	a.Created = now - schema.Millis(rapid.Int64Range(-60_000, 1_200_000).Draw(t, "late"))
	a.Updated = now
	a.Severity = rapid.SampledFrom([]schema.Severity{1, 4, 5}).Draw(t, "severity")
	a.Standing = rapid.SampledFrom([]schema.Standing{schema.StandingNew, schema.StandingNew, schema.StandingRevision, schema.StandingDuplicate}).Draw(t, "standing")
	a.Verdict = rapid.SampledFrom(poolVerdicts).Draw(t, "verdict")
	for range rapid.IntRange(0, 3).Draw(t, "entities") {
		e := entity(rapid.SampledFrom(poolTargets).Draw(t, "target"))
		e.Attested = rapid.Bool().Draw(t, "attested")
		a.Entities = append(a.Entities, e)
	}
	return a
}

func drawControl(t *rapid.T, tenant string) schema.Control {
	c := schema.Control{Tenant: tenant, Actor: "ana"}
	if rapid.Bool().Draw(t, "all tenants") {
		c.Tenant = ""
	}
	host := schema.EntityRef{Type: schema.EntityHost, Key: "ws-1"}
	switch rapid.IntRange(0, 4).Draw(t, "control") {
	case 0:
		c.Kind, c.Value = schema.ControlKillSwitch, rapid.SampledFrom([]string{"on", "off", "off"}).Draw(t, "value")
	case 1:
		c.Kind = schema.ControlReleaseAll
	case 2:
		c.Kind, c.Object = schema.ControlRelease, schema.NewLeaseID(tenant, host, schema.ActionContainHost).String()
	case 3:
		c.Kind, c.Object = schema.ControlVerdict, schema.NewAlertID(tenant, "edr", fmt.Sprint(rapid.IntRange(0, 15).Draw(t, "id"))).String()
		c.Value = rapid.SampledFrom([]string{"false_positive", "malicious"}).Draw(t, "value")
	default:
		c = assetControl(tenant, "user:bob", "person", start)
	}
	return c
}

// feed gives entries to a stage in batches: cut decides before each alert whether
// a new batch begins. Control records and ticks begin one in any case.
func feed(t require, d *Disruptor, log []entry, cut func() bool) (out schema.Batch) {
	b := &schema.Batch{}
	flush := func() {
		if err := d.Process(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		gather(&out, b)
		b = &schema.Batch{Now: b.Now}
	}
	for _, e := range log {
		switch {
		case e.alert != nil:
			if len(b.Alerts)+len(b.Control) > 0 && cut() {
				flush()
			}
			b.Alerts = append(b.Alerts, e.alert.Clone())
			b.Alerts[len(b.Alerts)-1].Standing = e.alert.Standing
			b.Alerts[len(b.Alerts)-1].Incident = e.alert.Incident
			b.Now = max(b.Now, e.alert.Ingested)
		case e.control != nil:
			flush()
			b.Control = append(b.Control, *e.control)
		default:
			flush()
			x := &schema.Batch{Now: e.tick.Now}
			if err := d.Advance(context.Background(), *e.tick, x); err != nil {
				t.Fatal(err)
			}
			gather(&out, x)
		}
	}
	flush()
	return out
}

// require is what *testing.T and *rapid.T share.
type require interface{ Fatal(args ...any) }

func gather(to, b *schema.Batch) {
	to.Decisions = append(to.Decisions, b.Decisions...)
	to.Leases = append(to.Leases, b.Leases...)
	to.Actions = append(to.Actions, b.Actions...)
	to.Ledger = append(to.Ledger, b.Ledger...)
}

func propertyConfig() Config {
	p := simple("simple")
	p.Lease = 90 * time.Minute
	q := simple("second")
	q.Conditions = []Condition{{AnyOf: []string{"theft", "move", "encrypt"}, Min: 2}}
	cfg := simpleConfig(p, q)
	cfg.Budget.Floor = 2
	return cfg
}

func always() bool { return true }

func snap(t require, d *Disruptor) string {
	var buf bytes.Buffer
	if err := d.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// Decisions, leases and actions do not depend on where batches end.
func TestBatchBoundariesDoNotMatter(t *testing.T) {
	cfg := propertyConfig()
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		one, many := mustBuild(t, cfg), mustBuild(t, cfg)
		x := feed(t, one, log, always)
		y := feed(t, many, log, func() bool { return rapid.Bool().Draw(t, "cut") })
		one.Commit()
		many.Commit()
		if a, b := stagetest.Dump(x), stagetest.Dump(y); a != b {
			t.Fatalf("outputs differ:\n%s\n----\n%s", a, b)
		}
		if a, b := snap(t, one), snap(t, many); a != b {
			t.Fatalf("states differ:\n%s\n----\n%s", a, b)
		}
	})
}

func mustBuild(t require, cfg Config) *Disruptor {
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Rollback restores the state exactly, and a restored stage goes on alike.
func TestRollbackAndRestoreAnywhere(t *testing.T) {
	cfg := propertyConfig()
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		d, plain := mustBuild(t, cfg), mustBuild(t, cfg)
		var got schema.Batch
		for i := 0; i < len(log); {
			n := rapid.IntRange(1, 8).Draw(t, "batch")
			part := log[i:min(len(log), i+n)]
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				before := snap(t, d)
				feed(t, d, log[i:min(len(log), i+rapid.IntRange(1, 30).Draw(t, "undone"))], always)
				d.Rollback()
				if after := snap(t, d); after != before {
					t.Fatalf("rolled back to:\n%s\nwant:\n%s", after, before)
				}
				checkIndex(t, d)
			case 1:
				before := snap(t, d)
				d = mustBuild(t, cfg)
				if err := d.Restore(strings.NewReader(before)); err != nil {
					t.Fatal(err)
				}
				if after := snap(t, d); after != before {
					t.Fatalf("restored to:\n%s\nwant:\n%s", after, before)
				}
				checkIndex(t, d)
			}
			b := feed(t, d, part, always)
			gather(&got, &b)
			d.Commit()
			i += len(part)
		}
		want := feed(t, plain, log, always)
		plain.Commit()
		if a, b := stagetest.Dump(got), stagetest.Dump(want); a != b {
			t.Fatalf("outputs differ:\n%s\n----\n%s", a, b)
		}
		if a, b := snap(t, d), snap(t, plain); a != b {
			t.Fatalf("states differ:\n%s\n----\n%s", a, b)
		}
	})
}

// checkIndex compares what is derived, and so not in a snapshot, with its source.
func checkIndex(t *rapid.T, d *Disruptor) {
	for _, name := range d.names() {
		x, fleet := d.tenant(name), map[schema.EntityType]int{}
		links := 0
		for k, s := range x.suspects.m {
			for _, e := range s.Evidence {
				links++
				if keys, _ := x.naming.get(e.Alert); !slices.Contains(keys, k) {
					t.Fatalf("alert %s is not indexed for %v", e.Alert, k)
				}
			}
		}
		for _, keys := range x.naming.m {
			links -= len(keys)
		}
		for ref := range x.assets.m {
			fleet[ref.Type]++
		}
		if links != 0 || len(fleet) != len(x.fleet.m) || fleet[schema.EntityHost] != x.fleet.m[schema.EntityHost] {
			t.Fatalf("index: %d links too few, fleet %v, counted %v", links, x.fleet.m, fleet)
		}
		for _, l := range x.leases.m {
			for _, c := range l.Causes {
				if x.vars.v.Due == 0 || c.Until < x.vars.v.Due {
					t.Fatalf("a cause ends at %d, due is %d", c.Until, x.vars.v.Due)
				}
			}
		}
	}
}

// What one tenant gets does not depend on the others of its shard.
func TestTenantsAreIsolated(t *testing.T) {
	cfg := propertyConfig()
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		both := feed(t, mustBuild(t, cfg), log, always)
		for _, tenant := range poolTenants {
			own := slices.DeleteFunc(slices.Clone(log), func(e entry) bool {
				return e.alert != nil && e.alert.Tenant != tenant || e.tick != nil && e.tick.Tenant != tenant ||
					e.control != nil && e.control.Tenant != "" && e.control.Tenant != tenant
			})
			alone := feed(t, mustBuild(t, cfg), own, always)
			var mine schema.Batch
			for _, x := range both.Decisions {
				if x.Tenant == tenant {
					mine.Decisions = append(mine.Decisions, x)
				}
			}
			for _, x := range both.Leases {
				if x.Tenant == tenant {
					mine.Leases = append(mine.Leases, x)
				}
			}
			for _, x := range both.Actions {
				if x.Tenant == tenant {
					mine.Actions = append(mine.Actions, x)
				}
			}
			for _, x := range both.Ledger {
				if x.Tenant == tenant {
					mine.Ledger = append(mine.Ledger, x)
				}
			}
			if a, b := stagetest.Dump(mine), stagetest.Dump(alone); a != b {
				t.Fatalf("tenant %s: together:\n%s\nalone:\n%s", tenant, a, b)
			}
		}
	})
}

// In whatever order the alerts of a window come, the targets that are contained
// are those a brute-force search finds.
func TestTriggerEqualsOracle(t *testing.T) {
	cfg := simpleConfig()
	cfg.MaxEvidenceAge = 24 * time.Hour
	cfg.Budget.Floor = 100
	rapid.Check(t, func(t *rapid.T) {
		var alerts []schema.Alert
		for i := range rapid.IntRange(1, 25).Draw(t, "alerts") {
			a := alert(rapid.SampledFrom(poolSources).Draw(t, "source"), fmt.Sprint(i), start, rapid.SampledFrom(poolAttacks).Draw(t, "technique"))
			a.Created += schema.Millis(rapid.Int64Range(0, 150).Draw(t, "minute")) * schema.Minute
			for range rapid.IntRange(0, 2).Draw(t, "entities") {
				e := entity(rapid.SampledFrom(poolTargets[:2]).Draw(t, "target"))
				e.Attested = rapid.IntRange(0, 3).Draw(t, "attested") == 0
				a.Entities = append(a.Entities, e)
			}
			alerts = append(alerts, a)
		}
		want := oracle(alerts, schema.Hour)
		log := []entry{}
		for _, ref := range poolTargets[:2] {
			c := assetControl("acme", ref, "workstation", start)
			log = append(log, entry{control: &c})
		}
		for _, a := range rapid.Permutation(alerts).Draw(t, "order") {
			a.Ingested = start + 3*schema.Hour
			log = append(log, entry{alert: &a})
		}
		out := feed(t, mustBuild(t, cfg), log, always)
		got := map[string]bool{}
		for _, a := range out.Actions {
			got[a.Target.String()] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("contained %v, want %v", got, want)
		}
	})
}

// oracle applies the policy of simple by trying every window that begins at an
// alert.
func oracle(alerts []schema.Alert, window schema.Millis) map[string]bool {
	out := map[string]bool{}
	for _, target := range poolTargets[:2] {
		for _, first := range alerts {
			for _, want := range [][]string{{"T1003", "T1021"}, {"T1486"}} {
				sources, seen, attested := map[string]bool{}, map[string]bool{}, false
				for _, a := range alerts {
					if a.Created < first.Created || a.Created > first.Created+window || len(a.Techniques) == 0 {
						continue
					}
					technique, _, _ := strings.Cut(a.Techniques[0].ID, ".")
					for _, e := range a.Entities {
						if e.Ref().String() == target && slices.Contains(want, technique) {
							sources[a.Source], seen[technique] = true, true
							attested = attested || e.Attested
						}
					}
				}
				if len(seen) == len(want) && len(sources) >= 2 && attested {
					out[target] = true
				}
			}
		}
	}
	return out
}
