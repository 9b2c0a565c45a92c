package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages/match"
)

type replayCmd struct {
	configFlag
	Out        string   `required:"" type:"path" placeholder:"DIR" help:"Folder for the results; made if needed."`
	Tenant     string   `default:"default" help:"Tenant the alerts get."`
	Source     string   `placeholder:"ID" help:"Source id of all files; default: each file is a source, named after it."`
	Attest     []string `placeholder:"TYPE" help:"Entity types the sources are trusted for, such as host,user. Default: those of the configured source of the same name."`
	Indicators []string `type:"existingfile" placeholder:"FILE" help:"Feeds to match besides the library's: lists or STIX bundles."`
	Assets     string   `type:"existingfile" placeholder:"FILE" help:"Inventory: one host a line as JSON (name, class, criticality, owner, updated)."`
	JSON       bool     `name:"json" help:"Print the summary as JSON."`
	Quiet      bool     `short:"q" help:"No progress."`
	Files      []string `arg:"" name:"file" help:"Files of alerts: NDJSON, JSON, CSV, gzip or zstd; - is standard input."`
}

func (c *replayCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	index, err := loadIndex(ctx, cfg, c.Indicators)
	if err != nil {
		return err
	}
	holder := &match.Holder{}
	holder.Store(index)
	plan, err := pipeline.NewPlan(cfg.Plan(), pipeline.Deps{Index: holder, Prefix: cfg.Kafka.Prefix})
	if err != nil {
		return usage{err}
	}
	assets, err := readInventory(c.Assets, c.Tenant)
	if err != nil {
		return err
	}
	progress := newProgress(s.err, c.Quiet)
	r := pipeline.Replay{Plan: plan, Out: c.Out, Tenant: c.Tenant, Source: c.Source, Attests: c.Attest, Files: c.Files, Stdin: s.in,
		Assets: assets, Progress: progress.report}
	sum, err := r.Run(ctx)
	progress.done()
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(sum)
	}
	_, err = fmt.Fprintf(s.out, "%d records: %d accepted, %d rejected, %d ignored\n%d alerts (%d revisions, %d duplicates, %d late)\n"+
		"%d incidents, %d promoted, %d attack paths\n%d decisions, %d actions\nresults in %s\n",
		sum.Records, sum.Accepted, sum.Rejected, sum.Ignored, sum.Alerts, sum.Revisions, sum.Duplicates, sum.Late,
		sum.Incidents, sum.Promoted, sum.Paths, sum.Decisions, sum.Actions, c.Out)
	return err
}

// config loads the file if one is named; a replay needs no broker and no store,
// so without a file it runs on the defaults.
func (c *replayCmd) config(s *streams) (*settings.Config, error) {
	environ := s.environ
	if c.Config == "" {
		environ = append([]string{"INTERDICT_EMBEDDED=true"}, environ...)
	}
	cfg, err := settings.Load(c.Config, environ)
	if err != nil {
		return nil, usage{err}
	}
	return cfg, nil
}

// loadIndex gives the index of the library and of more feeds.
func loadIndex(ctx context.Context, cfg *settings.Config, files []string) (*match.Index, error) {
	x, _, err := openLibrary(cfg).Index(ctx, cfg.Match)
	if err != nil {
		return nil, err
	}
	var texts []intel.Text
	for n, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		feed := fact.DefaultFeed()
		feed.Name, feed.Transport = pipeline.SourceName(name), fact.TransportUpload
		if slices.ContainsFunc(texts, func(t intel.Text) bool { return t.Feed.Name == feed.Name }) {
			feed.Name += "-" + strconv.Itoa(n+1) // of another folder
		}
		texts = append(texts, intel.Text{Feed: feed, Origin: name, Body: f})
	}
	return intel.With(ctx, x, cfg.Intel.Library, time.Now(), texts...)
}
