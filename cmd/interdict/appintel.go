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
	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/stages/match"
)

// appIntel is the part of an app that has to do with threat intelligence: workers
// follow what is published, the manager pulls and publishes, and asks the past.
type appIntel struct {
	lib      *library.Library
	log      *kafka.IndicatorLog
	follower *distribute.Follower // nil: nothing is matched here
	writer   *kafka.IndicatorWriter
	manager  *intel.Manager // nil: another process is it
	past     *intel.Past    // nil: no store, or another process
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
	parts := intel.Parts{Library: i.lib, Writer: i.writer, Match: a.cfg.Match, Registry: a.registry, Logger: a.log, Failpoint: a.failpoint}
	if a.store != nil {
		parts.Matched = a.matchedCounts
	}
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
	i.past, err = intel.NewPast(a.cfg.Intel.Retro, a.cfg.DataDir, i.lib, retro.Deps{Store: retroStore{a.store}, Emit: i.retro.Emit, Index: a.holder.Load,
		Decay: a.cfg.Match.Decay, Tenants: func() []string { return tenants(a.cfg) }, Clock: time.Now}, a.log)
	return err
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

// matchedCounts asks the store how often each feed matched.
func (a *app) matchedCounts(ctx context.Context) (map[string]service.Count, error) {
	list, err := a.store.FeedMatches(ctx)
	out := make(map[string]service.Count, len(list))
	for _, m := range list {
		out[m.Feed] = service.Count{Matches: int64(m.Matches), Last: m.Last}
	}
	return out, err
}

// indexReady waits until the worker's index has caught up with what is published. It
// gives up waiting, not matching, after intel.follow.ready_within.
func (a *app) indexReady(ctx context.Context) error {
	if a.intel.follower == nil || !slices.Contains(a.cfg.Hops, "detect") {
		return nil
	}
	caughtUp, err := a.intel.follower.Ready(ctx)
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
	if i.manager != nil {
		errs = append(errs, i.manager.Close())
	}
	if i.past != nil {
		errs = append(errs, i.past.Close())
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
