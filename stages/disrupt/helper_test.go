package disrupt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// start is the time at which the tests' logs begin.
const start = schema.Millis(1_750_000_000_000)

// simple is an armed policy that one credential theft and one lateral movement
// meet, or encryption alone.
func simple(name string) Policy {
	return Policy{
		Name: name, Mode: ModeArmed, Window: time.Hour, Target: "host", Action: "contain_host", Lease: 4 * time.Hour,
		Also: []Arm{{Target: "user", Action: "contain_user"}},
		Signals: []Signal{
			{Name: "theft", MinSeverity: "medium", Techniques: []string{"T1003"}},
			{Name: "move", MinSeverity: "medium", Techniques: []string{"T1021"}},
			{Name: "encrypt", MinSeverity: "high", Techniques: []string{"T1486"}},
		},
		Conditions: []Condition{{AllOf: []string{"theft", "move"}}, {AllOf: []string{"encrypt"}}},
	}
}

func simpleConfig(policies ...Policy) Config {
	cfg := DefaultConfig()
	cfg.Policies = policies
	if len(policies) == 0 {
		cfg.Policies = []Policy{simple("simple")}
	}
	return cfg
}

func build(t testing.TB, cfg Config) *Disruptor {
	t.Helper()
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// entity reads "type:key", followed by a role and "attested" where wanted.
func entity(s string) schema.Entity {
	parts := strings.Fields(s)
	name, key, _ := strings.Cut(parts[0], ":")
	typ, ok := schema.ParseEntityType(name)
	if !ok {
		panic("no entity type: " + s)
	}
	e := schema.Entity{Type: typ, Key: key, Role: schema.RoleTarget}
	for _, p := range parts[1:] {
		if p == "attested" {
			e.Attested = true
			continue
		}
		for r := schema.RoleRelated; ; r++ {
			if r.String() == p {
				e.Role = r
				break
			}
			if r > schema.RoleC2 {
				panic("no role: " + s)
			}
		}
	}
	return e
}

// alert makes one that was created and ingested at the same time.
func alert(source, id string, at schema.Millis, technique string, entities ...string) schema.Alert {
	a := schema.Alert{
		Tenant: "acme", Source: source, VendorID: id, ID: schema.NewAlertID("acme", source, id), Format: "test",
		Severity: schema.SeverityHigh, Created: at, Ingested: at, Updated: at,
		Incident: schema.NewIncidentID("acme", schema.NewAlertID("acme", source, id)),
	}
	if technique != "" {
		a.Techniques = []schema.Technique{{ID: technique}}
	}
	for _, e := range entities {
		a.Entities = append(a.Entities, entity(e))
	}
	return a
}

func assetControl(tenant, ref, class string, fresh schema.Millis) schema.Control {
	e := entity(ref)
	v, err := json.Marshal(schema.Asset{Tenant: tenant, Entity: e.Ref(), Class: class, Fresh: fresh, Version: uint64(fresh)})
	if err != nil {
		panic(err)
	}
	return schema.Control{Tenant: tenant, Kind: schema.ControlAsset, Object: ref, Value: string(v), Actor: "inventory"}
}

// run gives a stage one batch and commits.
func run(t testing.TB, d *Disruptor, items ...any) *schema.Batch {
	t.Helper()
	b := batch(items...)
	if err := d.Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	d.Commit()
	return b
}

func batch(items ...any) *schema.Batch {
	b := &schema.Batch{}
	for _, x := range items {
		switch x := x.(type) {
		case schema.Alert:
			b.Alerts = append(b.Alerts, x)
			b.Now = max(b.Now, x.Ingested)
		case schema.Control:
			b.Control = append(b.Control, x)
		default:
			panic(fmt.Sprintf("no item: %T", x))
		}
	}
	return b
}

func tick(t testing.TB, d *Disruptor, tenant string, now schema.Millis) *schema.Batch {
	t.Helper()
	b := &schema.Batch{Now: now}
	if err := d.Advance(context.Background(), stages.Tick{Tenant: tenant, Now: now, Watermark: now}, b); err != nil {
		t.Fatal(err)
	}
	d.Commit()
	return b
}

// brief gives decisions as "target action outcome rule".
func brief(decs []schema.Decision) []string {
	out := []string{}
	for _, d := range decs {
		s := fmt.Sprintf("%s %s %s", d.Target, d.Action, d.Outcome)
		if d.Veto != "" {
			rule, _, _ := strings.Cut(d.Veto, ":")
			s += " " + rule
		}
		out = append(out, s)
	}
	return out
}

// commands gives actions as "verb kind target".
func commands(b *schema.Batch) []string {
	out := []string{}
	for _, a := range b.Actions {
		out = append(out, fmt.Sprintf("%s %s %s", a.Verb, a.Kind, a.Target))
	}
	return out
}

func expect(t testing.TB, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func state(t testing.TB, d *Disruptor) string {
	t.Helper()
	var buf bytes.Buffer
	if err := d.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// contained gives a stage with one host contained at start+1s.
func contained(t testing.TB, d *Disruptor) *schema.Batch {
	t.Helper()
	run(t, d, assetControl("acme", "host:ws-1", "workstation", start), assetControl("acme", "host:ws-2", "workstation", start))
	b := run(t, d, alert("edr", "e1", start, "T1003.001", "host:ws-1 attested"), alert("ndr", "n1", start+1000, "T1021.002", "host:ws-1"))
	expect(t, "commands", commands(b), []string{"apply contain_host host:ws-1"})
	return b
}
