package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

type runCmd struct {
	configFlag
	Hops []string `placeholder:"HOP" help:"Run these hops only: intel, detect, correlate, respond, persist."`
}

func (c *runCmd) Run(ctx context.Context, s *streams) error {
	if len(c.Hops) > 0 {
		s.environ = append(s.environ, "INTERDICT_HOPS=["+strings.Join(c.Hops, ",")+"]")
	}
	cfg, doubts, err := c.examine(s)
	if err != nil {
		return err
	}
	if len(cfg.Sources) == 0 {
		return usagef("no sources are configured: name the topics that your sensors write to under sources")
	}
	log := logger(cfg.Log, s.err)
	for _, f := range doubts {
		log.Warn("the configuration is doubtful", "at", f.Place, "reason", f.Text)
	}
	if err := cfg.MakeDataDir(); err != nil {
		return usage{err}
	}
	a, err := newApp(ctx, cfg, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped while starting", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	if a.broker != nil {
		fmt.Fprintf(s.out, "embedded broker on %s\n", strings.Join(cfg.Kafka.Brokers, ","))
	}
	err = a.run(ctx)
	log.Info("stopped")
	return errors.Join(err, a.close(context.WithoutCancel(ctx)))
}
