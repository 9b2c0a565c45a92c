package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/interdict/interdict/bench/load"
	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

// benchGround is what a measurement stands on: a cluster and, if wanted, a store,
// each outside of this process.
type benchGround struct {
	Brokers    []string `placeholder:"HOST:PORT" help:"Kafka to measure on; default: an embedded broker in a process of its own."`
	Partitions int32    `default:"4" help:"Partitions of the raw topic and of ours."`
	NoStore    bool     `help:"Leave persist and ClickHouse out."`
	JSON       bool     `name:"json" help:"Print as JSON."`
}

// grounded starts what is missing, makes the topics and calls do.
func (b benchGround) grounded(ctx context.Context, s *streams, sources []settings.Source, change func(*settings.Config),
	do func(*settings.Config, *pipeline.Plan) error) (err error) {
	cfg, err := settings.Load("", append([]string{"INTERDICT_EMBEDDED=true"}, s.environ...))
	if err != nil {
		return usage{err}
	}
	cfg.Kafka.Prefix = fmt.Sprintf("bench%d", time.Now().UnixNano())
	for i := range sources {
		sources[i].Topic = cfg.Kafka.Prefix + "." + sources[i].ID
	}
	cfg.Sources, cfg.Kafka.Brokers, cfg.Kafka.Partitions, cfg.Kafka.Replication = sources, b.Brokers, b.Partitions, 1
	change(cfg)
	if err := cfg.Validate(); err != nil {
		return usage{err}
	}
	dir, err := os.MkdirTemp("", "interdict-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if len(b.Brokers) == 0 {
		stop, addrs, err := startBroker(ctx, self)
		if err != nil {
			return err
		}
		defer stop()
		cfg.Kafka.Brokers, cfg.Kafka.FreshTransactionalIDs = addrs, true
	}
	raw := cfg.RawTopics()
	for i := range raw {
		raw[i].Retention = 100 * 365 * 24 * time.Hour // the generated alerts are of another year
	}
	topics, err := kafka.PlanTopics(ctx, cfg.Kafka, raw)
	if err == nil {
		err = topics.Apply(ctx, cfg.Kafka)
	}
	if err != nil {
		return err
	}
	deps := pipeline.Deps{Index: &match.Holder{}, Prefix: cfg.Kafka.Prefix}
	if !b.NoStore {
		e := cfg.EmbeddedClickHouse
		e.Command, e.DataDir = []string{self, "chdb-serve"}, filepath.Join(dir, "clickhouse")
		engine, err := chdb.Start(ctx, e)
		if err != nil {
			return err
		}
		defer engine.Close(context.WithoutCancel(ctx))
		cfg.ClickHouse.DSN = engine.DSN()
		st, err := clickhouse.Open(ctx, cfg.ClickHouse)
		if err != nil {
			return err
		}
		defer st.Close()
		if _, err := st.Migrate(ctx); err != nil {
			return err
		}
		deps.Persist = persist.New(st, cfg.Persist)
	}
	plan, err := pipeline.NewPlan(cfg.Plan(), deps)
	if err != nil {
		return err
	}
	return do(cfg, plan)
}

// startBroker runs the embedded broker as a child, so that its CPU time is not
// ours.
func startBroker(ctx context.Context, self string) (stop func(), addrs []string, err error) {
	cmd := exec.CommandContext(ctx, self, "dev-broker", "--port", "0")
	cmd.Stderr = os.Stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	var ready struct {
		Brokers []string `json:"brokers"`
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err == nil && len(ready.Brokers) == 0 {
		err = errors.New("it names no address")
	}
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the embedded broker did not come up: %w", err)
	}
	return stop, ready.Brokers, nil
}

type benchPipelineCmd struct {
	benchGround
	Records int    `default:"200000" help:"Alerts of 1.2 KB to take through every hop."`
	Profile string `type:"existingdir" placeholder:"DIR" help:"Write a CPU profile per row here."`
}

func (c *benchPipelineCmd) Run(ctx context.Context, s *streams) error {
	sources := []settings.Source{{ID: "suricata", Tenant: "bench", Create: c.Partitions}, {ID: "copy", Tenant: "unused", Create: c.Partitions}}
	return c.grounded(ctx, s, sources, func(cfg *settings.Config) {
		cfg.Sink.InsertsPerSecond = 1000 // the price of a row, not the pace of the budget
		cfg.Detect.IdleAfter = time.Second
	}, func(cfg *settings.Config, plan *pipeline.Plan) error {
		rows, err := load.Run(ctx, load.Options{Kafka: cfg.Kafka, Plan: plan, Sink: cfg.Sink, Persist: !c.NoStore, Topic: sources[0].Topic,
			Copy: sources[1].Topic, Records: c.Records, Seed: 1, Profile: c.Profile, Progress: func(t string) { fmt.Fprintln(s.err, t) }})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(map[string]any{"build": buildInfo(), "cpus": runtime.NumCPU(), "partitions": c.Partitions, "rows": rows})
		}
		fmt.Fprintf(s.out, "%s, %d CPUs, %d partitions, %d alerts\n", runtime.Version(), runtime.NumCPU(), c.Partitions, c.Records)
		fmt.Fprintf(s.out, "%-12s %12s %14s %16s %12s %16s\n", "", "us/record", "records/s", "records/core-s", "copy = 1", "copy of out = 1")
		for _, m := range rows {
			fmt.Fprintf(s.out, "%-12s %12.2f %14.0f %16.0f %12.2f %16.2f\n", m.Name, m.CPU, m.PerSecond, m.PerCore, m.Ratio, m.RatioOut)
		}
		return nil
	})
}

type benchLatencyCmd struct {
	benchGround
	Attacks int           `default:"200" help:"Attacks, each on a host of its own."`
	Every   time.Duration `default:"100ms" help:"Time between two attacks."`
	Rate    int           `default:"5000" help:"Background alerts per second."`
}

func (c *benchLatencyCmd) Run(ctx context.Context, s *streams) error {
	attested := []string{"host"}
	sources := []settings.Source{{ID: "noise", Tenant: "bench", Create: c.Partitions}, {ID: "edr", Tenant: "bench", Create: 1, Attests: attested},
		{ID: "defender", Tenant: "bench", Create: 1, Attests: attested}}
	return c.grounded(ctx, s, sources, func(cfg *settings.Config) {
		cfg.Disrupt.Budget.Floor = 1_000_000
		cfg.Disrupt.Policies = slices.Clone(cfg.Disrupt.Policies)
		for i := range cfg.Disrupt.Policies {
			cfg.Disrupt.Policies[i].Mode = "armed"
		}
		cfg.Kafka.BatchLinger = 20 * time.Millisecond
	}, func(cfg *settings.Config, plan *pipeline.Plan) error {
		o := load.LatencyOptions{Kafka: cfg.Kafka, Plan: plan, EDR: sources[1].Topic, Defender: sources[2].Topic, Noise: sources[0].Topic,
			Tenant: "bench", Attacks: c.Attacks, Every: c.Every, Rate: c.Rate}
		if !c.NoStore {
			o.Sink = &cfg.Sink
		}
		l, err := load.MeasureLatency(ctx, o)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(l)
		}
		_, err = fmt.Fprintf(s.out, "raw record to committed action, %d of %d attacks, %d alerts/s around them, persist %t:\np50 %.0f ms  p99 %.0f ms  max %.0f ms\n",
			l.Seen, l.Attacks, l.Rate, l.Persist, l.P50, l.P99, l.Max)
		return err
	})
}
