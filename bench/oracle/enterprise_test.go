package oracle_test

import (
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

// enterprise gives the alerts of a generated company, as normalize reads them.
func enterprise(t testing.TB, cfg gen.Config) (alerts []schema.Alert) {
	t.Helper()
	world, err := gen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := normalize.Load(normalize.Default())
	if err != nil {
		t.Fatal(err)
	}
	stage, err := normalize.New(normalize.Default(), f)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]*schema.Source{}
	for _, name := range gen.Sources() {
		sources[name] = &schema.Source{ID: name, Tenant: tenant, Topic: name}
	}
	var b schema.Batch
	for rec := range world.Records() {
		b.Reset()
		b.Now = schema.FromTime(rec.Time)
		b.Raw = append(b.Raw, schema.Raw{Source: sources[rec.Source], Value: rec.Value, Time: b.Now, Topic: rec.Source})
		if err := stage.Process(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if len(b.Rejects) > 0 {
			t.Fatalf("%s: rejected: %+v", rec.Source, b.Rejects[0])
		}
		for i := range b.Alerts {
			alerts = append(alerts, b.Alerts[i].Clone())
		}
	}
	return alerts
}

// small is two days of a company of 200 machines, about 2,000 alerts.
func small(seed uint64) gen.Config {
	cfg := gen.Default()
	cfg.Seed, cfg.Duration, cfg.Hosts, cfg.Users = seed, 48*time.Hour, 200, 200
	cfg.Background = 1700
	return cfg
}

// TestEnterprise compares stage and oracle on generated companies with the
// default parameters.
func TestEnterprise(t *testing.T) {
	for seed := range uint64(2) {
		docs := enterprise(t, small(seed+1))
		if len(docs) < 1500 || len(docs) > 3000 {
			t.Errorf("%d alerts, want about 2,000", len(docs))
		}
		p := oracle.DefaultParams()
		steps := pickDelivery(seeded(seed), docs, false)
		if !fair(steps) {
			t.Fatal("the delivery is not fair")
		}
		if diff := compare(t.Context(), p, steps); diff != "" {
			t.Errorf("seed %d: %.4000s", seed, diff)
		}
		tally := map[string]int{}
		count(tally, p, steps)
		t.Logf("seed %d: %d alerts: %v", seed, len(docs), tally)
	}
}

// TestSize: 5,000 alerts are no reason to wait.
func TestSize(t *testing.T) {
	cfg := small(3)
	cfg.Background = 4600
	docs := enterprise(t, cfg)
	if len(docs) < 4800 {
		t.Fatalf("only %d alerts", len(docs))
	}
	start := time.Now()
	r := oracle.Correlate(tenant, docs, oracle.DefaultParams())
	took := time.Since(start)
	t.Logf("%d alerts, %d incidents in %v", len(docs), len(r.Incidents), took)
	if took > 20*time.Second {
		t.Errorf("%d alerts took %v", len(docs), took)
	}
}
