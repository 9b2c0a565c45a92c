package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"
)

// app is a running deployment, or the part of one that this process is.
type app struct {
	cfg        *settings.Config
	log        *slog.Logger
	registry   *prometheus.Registry
	holder     *match.Holder
	broker     *kafka.Broker     // embedded; nil otherwise
	engine     *chdb.Supervisor  // embedded; nil otherwise
	store      *clickhouse.Store // nil where persist does not run here
	runners    []*kafka.Runner
	sink       *kafka.Sink
	seen       *kafka.Sink // what alerts named, for retro-match; nil where that is not done
	intel      appIntel
	started    atomic.Bool // the hops run: the first indicators are there, or not waited for any more
	progress   *pipeline.Progress
	formats    *normalize.Formats
	failpoint  func(string)
	clock      func() time.Time // nil: the machine's
	indicators string           // a list for the library
}

// newApp starts what the hops stand on: in embedded mode the broker and the
// engine, in every mode the checked topics, the migrated store and the index.
func newApp(ctx context.Context, cfg *settings.Config, log *slog.Logger, opts ...func(*app)) (a *app, err error) {
	a = &app{cfg: cfg, log: log, registry: prometheus.NewRegistry(), holder: &match.Holder{}, progress: &pipeline.Progress{},
		failpoint: failpoints(os.Getenv(failpointEnv))}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(context.WithoutCancel(ctx)))
		}
	}()
	for _, o := range opts {
		o(a)
	}
	if cfg.Embedded {
		if err := a.startEmbedded(ctx); err != nil {
			return a, err
		}
	}
	if slices.Contains(cfg.Hops, "persist") {
		if a.store, err = clickhouse.Open(ctx, cfg.ClickHouse); err != nil {
			return a, err
		}
		if cfg.Embedded {
			if _, err := a.store.Migrate(ctx); err != nil {
				return a, err
			}
		}
		if err := a.store.WriteSources(ctx, schema.FromTime(time.Now()), cfg.Plan().Sources); err != nil {
			return a, fmt.Errorf("recording the sources (is the store migrated?): %w", err)
		}
	}
	if err := a.startIntel(ctx); err != nil {
		return a, fmt.Errorf("threat intelligence: %w", err)
	}
	return a, a.plan()
}

// withClock replaces the clock of hop 1 and of what waits by it.
func withClock(now func() time.Time) func(*app) { return func(a *app) { a.clock = now } }

// withIndicators puts a list into the library as the feed demo.
func withIndicators(list string) func(*app) { return func(a *app) { a.indicators = list } }

// startEmbedded starts the broker and the engine and points the configuration at
// them.
func (a *app) startEmbedded(ctx context.Context) (err error) {
	cfg := a.cfg
	cfg.Kafka.Replication = 1
	cfg.Kafka.FreshTransactionalIDs = true
	b := cfg.Broker
	b.Prefix, b.Partitions, b.Raw, b.Logger = cfg.Kafka.Prefix, cfg.Kafka.Partitions, cfg.RawTopics(), a.log
	if len(cfg.Kafka.Brokers) == 0 {
		if a.broker, err = kafka.StartBroker(ctx, b); err != nil {
			return err
		}
		cfg.Kafka.Brokers = a.broker.Addrs()
	}
	if !slices.Contains(cfg.Hops, "persist") || cfg.ClickHouse.DSN != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program to start the embedded engine: %w", err)
	}
	e := cfg.EmbeddedClickHouse
	e.Command, e.Log = []string{self, "chdb-serve"}, a.log
	if e.DataDir == chdb.DefaultConfig().DataDir {
		e.DataDir = filepath.Join(cfg.DataDir, "clickhouse")
	}
	if a.engine, err = chdb.Start(ctx, e); err != nil {
		return err
	}
	cfg.ClickHouse.DSN = a.engine.DSN()
	return nil
}

// plan builds the runners of the hops that this process runs.
func (a *app) plan() error {
	deps := pipeline.Deps{Index: a.holder, Counts: pipeline.NewCounts(a.registry), Progress: a.progress, Prefix: a.cfg.Kafka.Prefix, Clock: a.clock}
	if a.store != nil {
		deps.Persist = persist.New(a.store, a.cfg.Persist)
	}
	if a.intel.past != nil {
		deps.Seen = a.intel.past
	}
	p, err := pipeline.NewPlan(a.cfg.Plan(), deps)
	if err != nil {
		return usage{err}
	}
	a.formats = p.Formats()
	set := kafka.Settings{Logger: a.log, Registry: a.registry, DrainTimeout: a.cfg.DrainTimeout, Failpoint: a.failpoint, Clock: a.clock}
	for _, hop := range p.Hops() {
		if !slices.Contains(a.cfg.Hops, hop.Name) {
			continue
		}
		r, err := kafka.NewRunner(a.cfg.Kafka, hop, set)
		if err != nil {
			return fmt.Errorf("hop %s: %w", hop.Name, err)
		}
		a.runners = append(a.runners, r)
	}
	if a.store != nil {
		if a.sink, err = kafka.NewSink(a.cfg.Kafka, p.Sink(), a.cfg.Sink, set); err != nil {
			return fmt.Errorf("hop persist: %w", err)
		}
	}
	if hop, ok := p.SeenSink(); ok {
		if a.seen, err = kafka.NewSink(a.cfg.Kafka, hop, a.cfg.Sink, set); err != nil {
			return fmt.Errorf("hop %s: %w", hop.Name, err)
		}
	}
	return nil
}

// run drives the hops until ctx ends or one of them cannot go on.
func (a *app) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if a.intel.follower != nil {
		g.Go(func() error { return a.intel.follower.Run(ctx) })
	}
	if a.intel.manager != nil {
		g.Go(func() error { return a.intel.manager.Run(ctx) })
	}
	g.Go(func() error {
		if err := a.indexReady(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		a.started.Store(true)
		for _, r := range a.runners {
			g.Go(func() error { return r.Run(ctx) })
		}
		return nil
	})
	if a.sink != nil {
		g.Go(func() error { return a.sink.Run(ctx) })
	}
	if a.cfg.Admin.Listen != "" {
		g.Go(func() error { return a.serveAdmin(ctx) })
	}
	if a.formats != nil && a.cfg.Normalize.FormatsDir != "" {
		g.Go(func() error { a.watchFormats(ctx); return nil })
	}
	return g.Wait()
}

// close ends what newApp started, downstream last.
func (a *app) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	errs := []error{a.intel.close()}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.engine != nil {
		errs = append(errs, a.engine.Close(ctx))
	}
	if a.broker != nil {
		a.broker.Close()
	}
	return errors.Join(errs...)
}
