package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/stages/match"
	"golang.org/x/sync/errgroup"
)

// appIntel is the part of an app that has to do with threat intelligence: workers
// follow what is published, the manager pulls and publishes, and asks the past.
type appIntel struct {
	lib      *library.Library
	log      *kafka.IndicatorLog
	follower *intel.Follower // nil: nothing is matched here
	writer   *kafka.IndicatorWriter
	manager  *intel.Manager // nil: hop intel does not run here
	past     *intel.Past    // nil: no store, or no manager
	retro    *kafka.RetroWriter
}

// startIntel prepares what the process's hops need of threat intelligence.
func (a *app) startIntel(ctx context.Context) (err error) {
	i := &a.intel
	i.lib = openLibrary(a.cfg)
	if a.indicators != "" {
		f := fact.DefaultFeed()
		f.Name, f.Transport, f.Confidence = "demo", fact.TransportUpload, 90
		if _, err := intel.Take(ctx, i.lib, &f, "the demo's list", strings.NewReader(a.indicators), time.Now(), nil); err != nil {
			return err
		}
	}
	manages := slices.Contains(a.cfg.Hops, "intel")
	if !manages && !slices.Contains(a.cfg.Hops, "detect") {
		return nil
	}
	if i.log, err = kafka.OpenIndicatorLog(a.cfg.Kafka); err != nil {
		return err
	}
	base := func(ctx context.Context) (*match.Index, error) {
		x, _, err := i.lib.Index(ctx, a.cfg.Match)
		if lacks := new(library.Partial); x != nil && errors.As(err, &lacks) {
			a.log.Error("matching with the feeds of the local library that can be read", "error", err)
			err = nil
		}
		return x, err
	}
	if i.follower, err = intel.NewFollower(a.cfg.Intel, a.cfg.DataDir, i.log, a.holder, base, a.log); err != nil {
		return err
	}
	for _, c := range i.follower.Collectors() {
		if err := a.registry.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	if !manages {
		return nil
	}
	if i.writer, err = kafka.OpenIndicatorWriter(a.cfg.Kafka); err != nil {
		return err
	}
	parts := intel.Parts{Library: i.lib, Writer: i.writer, Match: a.cfg.Match, Beside: a.askPast, Registry: a.registry, Logger: a.log, Failpoint: a.failpoint}
	if i.manager, err = intel.NewManager(a.cfg.Intel, a.cfg.DataDir, parts); err != nil {
		return err
	}
	if a.store == nil {
		a.log.Info("the past is not asked about new indicators: that needs the store, which hop persist has")
		return nil
	}
	if i.retro, err = kafka.NewRetroWriter(a.cfg.Kafka); err != nil {
		return err
	}
	finder := retro.Deps{Store: retroStore{a.store}, Emit: i.retro.Emit, Index: a.holder.Load, Decay: a.cfg.Match.Decay,
		Tenants: func() []string { return tenants(a.cfg) }, Clock: time.Now}
	readers := newPassed(a.cfg.Kafka)
	i.past, err = intel.NewPast(intel.PastConfig{Config: a.cfg.Intel.Retro, After: a.cfg.Intel.RetroAfter}, a.cfg.DataDir, intel.PastDeps{Library: i.lib, Finder: finder,
		Holds: func(at time.Time) bool { return i.follower.Holds(i.manager, at) && readers.all(ctx, at) }, Logger: a.log})
	if err != nil {
		return err
	}
	if err := a.registry.Register(i.past); err != nil {
		return fmt.Errorf("registering metrics of retro-match: %w", err)
	}
	return nil
}

// askPast remembers what alerts name and asks the past about new indicators, while
// this process manages.
func (a *app) askPast(ctx context.Context) (err error) {
	if a.intel.past == nil {
		return nil
	}
	if err := a.intel.past.Open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.intel.past.Close()) }()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.intel.past.Run(ctx) })
	g.Go(func() error { return a.seen.Run(ctx) })
	return g.Wait()
}

// tenants lists those of the configured sources.
func tenants(cfg *settings.Config) []string {
	var list []string
	for _, s := range cfg.Sources {
		if !slices.Contains(list, s.Tenant) {
			list = append(list, s.Tenant)
		}
	}
	return list
}

// indexReady waits until the worker's index has caught up with what is published. It
// gives up waiting, not matching, after intel.follow.ready_within.
func (a *app) indexReady(ctx context.Context) error {
	if a.intel.follower == nil || !slices.Contains(a.cfg.Hops, "detect") {
		return nil
	}
	caughtUp, err := a.intel.follower.Ready(ctx)
	if ctx.Err() != nil {
		return nil // a stop while it waits is none for want of indicators
	}
	if err != nil || caughtUp {
		return err
	}
	st := a.intel.follower.Status()
	a.log.Warn("starting with an index that has not caught up", "state", st.State, "indicators", st.Indicators, "behind", st.Behind, "error", st.LastError)
	return nil
}

// close ends what startIntel began.
func (i *appIntel) close() error {
	var errs []error
	if i.follower != nil {
		errs = append(errs, i.follower.Close())
	}
	if i.writer != nil {
		i.writer.Close()
	}
	if i.retro != nil {
		i.retro.Close()
	}
	if i.log != nil {
		i.log.Close()
	}
	return errors.Join(errs...)
}
