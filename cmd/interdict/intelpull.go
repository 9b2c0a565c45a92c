package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
)

type intelPullCmd struct {
	intelFlags
	AcceptShrink  bool     `help:"Take the named feeds whole, however much they have lost (max_shrink)."`
	AcceptRefused bool     `help:"Take the named feeds however much of them is no value of any kind (max_refused)."`
	JSON          bool     `name:"json" help:"Print the reports as JSON lines."`
	Quiet         bool     `short:"q" help:"No progress, no list of refusals."`
	Feed          []string `arg:"" optional:"" help:"Names of feeds; default: all that are configured."`
}

// failedPull is the line of JSON of a feed that could not be pulled.
type failedPull struct {
	Feed  string `json:"feed"`
	Error string `json:"error"`
}

func (c *intelPullCmd) Run(ctx context.Context, s *streams) error {
	l, cfg, err := c.open(s)
	if err != nil {
		return err
	}
	feeds := map[string]fact.Feed{}
	var names []string
	for _, f := range cfg.Intel.Feeds {
		if f.Transport == fact.TransportUpload {
			continue
		}
		feeds[f.Name] = f
		names = append(names, f.Name)
	}
	if (c.AcceptShrink || c.AcceptRefused) && len(c.Feed) == 0 {
		return usagef("--accept-shrink and --accept-refused want the names of the feeds that somebody has looked at")
	}
	if len(c.Feed) > 0 {
		names = c.Feed
	}
	if len(names) == 0 {
		return usagef("no feeds are configured: --config FILE with intel.feeds names them")
	}
	for _, name := range names {
		if _, ok := feeds[name]; !ok {
			return usagef("there is no feed %q in the configuration that can be pulled", name)
		}
	}
	p := newProgress(s.err, c.Quiet)
	var errs []error
	for _, name := range names {
		if ctx.Err() != nil {
			errs = append(errs, context.Cause(ctx))
			break
		}
		f := feeds[name]
		if c.AcceptRefused {
			f.MaxRefused = 100
		}
		once := intel.Once{Shrink: c.AcceptShrink, Tell: func(t intel.Taken) { p.report(f.Name, t.Facts, fmt.Sprintf("taking (%d refused)", t.Refused)) }}
		done, err := intel.PullOnce(ctx, l, cfg.Intel, f, once)
		p.done()
		switch {
		case err != nil && c.JSON:
			err = errors.Join(err, json.NewEncoder(s.out).Encode(failedPull{f.Name, err.Error()}))
		case err != nil:
		case done.Waiting != "":
			err = c.printWaiting(s, f.Name, done.Waiting)
		default:
			err = errors.Join(printImport(s, done.Report, c.JSON, c.Quiet), broken(done))
		}
		errs = append(errs, err) // one broken feed does not stop the others
	}
	return errors.Join(errs...)
}

// printWaiting tells of a feed of files that has none yet.
func (c *intelPullCmd) printWaiting(s *streams, feed, what string) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			Feed    string `json:"feed"`
			Waiting string `json:"waiting"`
		}{feed, what})
	}
	_, err := fmt.Fprintf(s.out, "feed %s: %s\n", feed, what)
	return err
}
