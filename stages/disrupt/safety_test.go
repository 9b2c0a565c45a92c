package disrupt

import (
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
)

// TestRules breaks one thing at a time in a trial that passes every rule.
func TestRules(t *testing.T) {
	cfg := simpleConfig()
	cfg.NeverContain.Targets = []string{"host:dc-1.corp.example", "user:root"}
	cfg.Exclude = []Exclusion{{Target: "host:lab-7", Note: "lab"}, {Range: "10.9.0.0/16"}}
	now := start + schema.Hour
	cases := []struct {
		rule, name string
		spoil      func(*trial)
	}{
		{"kill_switch", "of the tenant", func(x *trial) { x.t.vars.v.Kill = true }},
		{"kill_switch", "of all", func(x *trial) { x.d.kill.v = true }},
		{"false_positive", "", func(x *trial) { x.disproved = true }},
		{"stale_evidence", "by event", func(x *trial) { ages(x, now-11*schema.Minute, now) }},
		{"stale_evidence", "by ingest", func(x *trial) { ages(x, now, now-11*schema.Minute) }},
		{"stale_evidence", "in the future", func(x *trial) { ages(x, now+6*schema.Minute, now) }},
		{"one_sensor", "", func(x *trial) { x.evidence[1].Source = "edr" }},
		{"not_attested", "", func(x *trial) { x.evidence[0].Attested = false }},
		{"never_contain_class", "class", func(x *trial) { x.asset.Class = "domain_controller" }},
		{"never_contain_class", "class, spelled otherwise", func(x *trial) { x.asset.Class = " DNS-Server" }},
		{"never_contain_class", "listed", func(x *trial) { x.target.Key = "DC-1.corp.example" }},
		{"never_contain_class", "listed, by short name", func(x *trial) { x.target.Key = "dc-1" }},
		{"never_contain_class", "listed user", func(x *trial) { x.target = schema.EntityRef{Type: schema.EntityUser, Key: "Root"} }},
		{"excluded", "target", func(x *trial) { x.target.Key = "lab-7" }},
		{"excluded", "range", func(x *trial) { x.target = schema.EntityRef{Type: schema.EntityIP, Key: "10.9.3.4"} }},
		{"excluded", "range, mapped", func(x *trial) { x.target = schema.EntityRef{Type: schema.EntityIP, Key: "::ffff:10.9.3.4"} }},
		{"released", "", func(x *trial) { x.episode.Released = true }},
		{"already_leased", "", func(x *trial) { x.held = &lease{Causes: []cause{{Policy: "simple"}}} }},
		{"unknown_asset", "not in the inventory", func(x *trial) { x.known = false }},
		{"unknown_asset", "without a class", func(x *trial) { x.asset.Class = "" }},
		{"unknown_asset", "from the future", func(x *trial) { x.asset.Fresh = now + 8*schema.Day }},
		{"unknown_asset", "stale", func(x *trial) { x.asset.Fresh = now - 8*schema.Day }},
		{"budget", "", func(x *trial) { x.t.buckets.put(schema.EntityHost, bucket{token - 1, now}) }},
		{"approval", "", func(x *trial) { x.policy.mode = ModeApproval }},
		{"", "nothing", func(*trial) {}},
		{"", "old evidence beside fresh", func(x *trial) { x.evidence[0].Created, x.evidence[0].Ingested = start, start }},
		{"", "another policy's lease", func(x *trial) { x.held = &lease{Causes: []cause{{Policy: "other"}}} }},
		{"", "a renewal", func(x *trial) {
			x.held, x.mine = &lease{Causes: []cause{{Policy: "simple"}}}, true
			x.t.buckets.put(schema.EntityHost, bucket{0, now})
		}},
		{"", "a target with a listed one's name in it", func(x *trial) { x.target.Key = "dc-11" }},
	}
	tested := map[string]bool{}
	for _, c := range cases {
		tested[c.rule] = true
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			d := build(t, cfg)
			x := &trial{d: d, t: d.tenant("acme"), policy: d.catalog.policies[0], arm: arm{schema.ActionContainHost, 4 * schema.Hour},
				target: schema.EntityRef{Type: schema.EntityHost, Key: "ws-1"}, now: now, asset: asset{Class: "workstation", Fresh: start}, known: true,
				evidence: []evidence{{Source: "edr", Attested: true}, {Source: "ndr"}}}
			ages(x, now, now)
			x.t.vars.v.Clock = now
			c.spoil(x)
			failed, reason := x.judge()
			if c.rule == "" && failed != nil {
				t.Errorf("vetoed by %s: %s", failed.name, reason)
			}
			if c.rule != "" && (failed == nil || failed.name != c.rule || reason == "") {
				t.Errorf("judged %+v %q, want %s", failed, reason, c.rule)
			}
		})
	}
	for _, r := range rules {
		if !tested[r.name] {
			t.Errorf("rule %s has no case", r.name)
		}
	}
}

func ages(x *trial, created, ingested schema.Millis) {
	for i := range x.evidence {
		x.evidence[i].Created, x.evidence[i].Ingested = created, ingested
	}
}

// The budget follows the fleet, has a floor, refills within an hour, and is each
// tenant's own.
func TestBudget(t *testing.T) {
	cfg := simpleConfig()
	cfg.Budget = Budget{FleetShare: 0.1, Floor: 2}
	host := func(i int) string { return "host:h" + string(rune('a'+i)) }
	attack := func(d *Disruptor, i int, at schema.Millis) string {
		id := at.String() + host(i)
		b := run(t, d, alert("edr", "e"+id, at, "T1003", host(i)+" attested"), alert("ndr", "n"+id, at, "T1021", host(i)))
		return brief(b.Decisions)[0][len(host(i))+1:]
	}
	const fired, frozen = "contain_host fired", "contain_host vetoed budget"
	for _, c := range []struct{ fleet, allowed int }{{5, 2}, {26, 3}} {
		d := build(t, cfg)
		for i := range c.fleet {
			run(t, d, assetControl("acme", host(i), "workstation", start))
		}
		for i := range 4 {
			want := fired
			if i >= c.allowed {
				want = frozen
			}
			if got := attack(d, i, start); got != want {
				t.Errorf("fleet of %d, attack %d: %s, want %s", c.fleet, i, got, want)
			}
		}
		later := start + schema.Hour/schema.Millis(c.allowed)
		if got := attack(d, 4, later-1); got != frozen {
			t.Errorf("fleet of %d, a moment before a token is back: %s", c.fleet, got)
		}
		if got := attack(d, 4, later); got != fired {
			t.Errorf("fleet of %d, when a token is back: %s", c.fleet, got)
		}
	}
}

// Decoys of one tenant cannot spend another's budget.
func TestBudgetIsTheTenants(t *testing.T) {
	cfg := simpleConfig()
	cfg.Budget = Budget{Floor: 1}
	d := build(t, cfg)
	for _, tenant := range []string{"mallory", "acme"} {
		run(t, d, assetControl(tenant, "host:a", "workstation", start), assetControl(tenant, "host:b", "workstation", start))
		a, b := alert("edr", "1", start, "T1486", "host:a attested"), alert("ndr", "2", start, "T1486", "host:a")
		a.Tenant, b.Tenant = tenant, tenant
		got := brief(run(t, d, a, b).Decisions)
		expect(t, tenant, got, []string{"host:a contain_host vetoed one_sensor", "host:a contain_host fired"})
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"default_lease":    func(c *Config) { c.DefaultLease = 0 },
		"max_evidence_age": func(c *Config) { c.MaxEvidenceAge = -1 },
		"max_asset_age":    func(c *Config) { c.MaxAssetAge = 0 },
		"fleet_share":      func(c *Config) { c.Budget.FleetShare = 1.5 },
		"floor":            func(c *Config) { c.Budget.Floor = -1 },
		"max_suspects":     func(c *Config) { c.MaxSuspects = 0 },
		"twice":            func(c *Config) { c.Policies = append(c.Policies, c.Policies[0]) },
		"min_sources":      func(c *Config) { p := simple("p"); p.MinSources = 1; c.Policies = []Policy{p} },
		"min_attested":     func(c *Config) { p := simple("p"); p.MinAttested = -1; c.Policies = []Policy{p} },
		"window":           func(c *Config) { p := simple("p"); p.Window = 48 * time.Hour; c.Policies = []Policy{p} },
		"targets":          func(c *Config) { c.NeverContain.Targets = []string{"dc-1"} },
		"classes":          func(c *Config) { c.NeverContain.Classes = []string{" "} },
		"exclude":          func(c *Config) { c.Exclude = []Exclusion{{}} },
		"range":            func(c *Config) { c.Exclude = []Exclusion{{Range: "10.0.0.0/99"}} },
	} {
		cfg := DefaultConfig()
		spoil(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s: passes", name)
		}
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: New takes it", name)
		}
	}
}

func TestConfigHash(t *testing.T) {
	base := simpleConfig().Hash()
	same := simpleConfig()
	same.SigningKeyFile = "elsewhere.pem"
	same.Policies[0].Description = "other words"
	if same.Hash() != base {
		t.Error("the key or a description is part of the hash")
	}
	for name, change := range map[string]func(*Config){
		"mode":    func(c *Config) { c.Policies[0].Mode = ModeShadow },
		"when":    func(c *Config) { c.Policies[0].Signals[0].When = "true" },
		"never":   func(c *Config) { c.NeverContain.Targets = []string{"host:a"} },
		"exclude": func(c *Config) { c.Exclude = []Exclusion{{Target: "host:a"}} },
		"budget":  func(c *Config) { c.Budget.Floor++ },
		"age":     func(c *Config) { c.MaxEvidenceAge++ },
	} {
		c := simpleConfig()
		change(&c)
		if c.Hash() == base {
			t.Errorf("%s does not change the hash", name)
		}
	}
}
