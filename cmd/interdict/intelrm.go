package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/interdict/interdict/intel/fact"
)

type intelRmCmd struct {
	intelFlags
	JSON bool   `name:"json" help:"Print as JSON."`
	Feed string `arg:"" help:"Name of the feed."`
}

// removed is what rm has done.
type removed struct {
	Feed       string `json:"feed"`
	Indicators int    `json:"indicators"`
	Configured bool   `json:"configured"` // as far as --config tells: the next pull brings it back
}

func (c *intelRmCmd) Run(ctx context.Context, s *streams) error {
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	st, err := known(l, c.Feed)
	if err != nil {
		return err
	}
	done := removed{Feed: c.Feed, Indicators: st.Standing.Indicators}
	at := slices.IndexFunc(cfg.Intel.Feeds, func(f fact.Feed) bool { return f.Name == c.Feed })
	done.Configured = at >= 0
	if err := l.Remove(ctx, c.Feed); err != nil {
		return err
	}
	comes := "pull"
	if done.Configured && cfg.Intel.Feeds[at].Transport == fact.TransportUpload {
		comes = "upload"
	}
	switch {
	case done.Configured:
		fmt.Fprintf(s.err, "interdict: warning: feed %s is configured: the next %s brings it back; to be rid of it take it out of intel.feeds and restart the manager\n", c.Feed, comes)
	case c.Config == "" && st.Config.Transport != fact.TransportUpload:
		fmt.Fprintf(s.err, "interdict: where a configuration names feed %s, the next pull brings it back (-c tells)\n", c.Feed)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(done)
	}
	_, err = fmt.Fprintf(s.out, "feed %s is removed with its %d indicators\n", done.Feed, done.Indicators)
	return err
}
