package load

import (
	"context"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/correlate"
	"github.com/interdict/interdict/stages/disrupt"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/respond"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ground starts a broker with the raw topics and builds a plan over them.
func ground(t *testing.T, sources []schema.Source, change func(*pipeline.Config)) (kafka.Config, *pipeline.Plan) {
	t.Helper()
	cfg := kafka.DefaultConfig()
	cfg.Prefix, cfg.Partitions, cfg.Replication, cfg.FreshTransactionalIDs = "load", 2, 1, true
	b := kafka.DefaultBrokerConfig()
	b.Prefix, b.Partitions = cfg.Prefix, cfg.Partitions
	raw := []kafka.RawTopic{{Name: "copy", Create: true, Partitions: 2, Retention: 1000 * 24 * time.Hour}}
	for _, s := range sources {
		raw = append(raw, kafka.RawTopic{Name: s.Topic, Create: true, Partitions: 2, Retention: 1000 * 24 * time.Hour})
	}
	b.Raw = raw
	broker, err := kafka.StartBroker(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	cfg.Brokers = broker.Addrs()
	pc := pipeline.Config{Sources: sources, Detect: pipeline.DefaultDetectConfig(), Normalize: normalize.Default(),
		Correlate: correlate.Default(), Disrupt: disrupt.DefaultConfig(), Respond: respond.DefaultConfig()}
	change(&pc)
	plan, err := pipeline.NewPlan(pc, pipeline.Deps{Index: &match.Holder{}, Prefix: cfg.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, plan
}

func TestRun(t *testing.T) {
	cfg, plan := ground(t, []schema.Source{{ID: "suricata", Tenant: "t", Topic: "raw"}}, func(*pipeline.Config) {})
	rows, err := Run(context.Background(), Options{Kafka: cfg, Plan: plan, Topic: "raw", Copy: "copy", Records: 3000, Seed: 1, WaitAtMost: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{rowCopy, "detect", rowOut, "correlate", "whole way"}
	if len(rows) != len(want) {
		t.Fatalf("%+v", rows)
	}
	for i, m := range rows {
		if m.Name != want[i] || m.CPU <= 0 || m.PerSecond <= 0 || m.Ratio <= 0 || m.RatioOut <= 0 {
			t.Errorf("row %d: %+v, want %s", i, m, want[i])
		}
	}
}

func TestMeasureLatency(t *testing.T) {
	sources := []schema.Source{{ID: "noise", Tenant: "t", Topic: "noise"}, {ID: "edr", Tenant: "t", Topic: "edr", Attests: []string{"host"}},
		{ID: "defender", Tenant: "t", Topic: "defender", Attests: []string{"host"}}}
	cfg, plan := ground(t, sources, func(c *pipeline.Config) {
		c.Disrupt.Budget.Floor = 1000
		for i := range c.Disrupt.Policies {
			c.Disrupt.Policies[i].Mode = "armed"
		}
	})
	l, err := MeasureLatency(context.Background(), LatencyOptions{Kafka: cfg, Plan: plan, EDR: "edr", Defender: "defender", Noise: "noise",
		Tenant: "t", Attacks: 5, Every: 200 * time.Millisecond, Rate: 100})
	if err != nil {
		t.Fatal(err)
	}
	if l.Seen != 5 || l.P50 <= 0 || l.Max < l.P50 {
		t.Errorf("%+v", l)
	}
}
