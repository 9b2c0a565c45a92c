package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

type intelCmd struct {
	Import intelImportCmd `cmd:"" help:"Import a feed: a list, or a STIX 2.1 bundle; replaces the feed of that name."`
	List   intelListCmd   `cmd:"" help:"List the feeds."`
	Stats  intelStatsCmd  `cmd:"" help:"Count indicators by type, verdict and feed."`
	Check  intelCheckCmd  `cmd:"" help:"Say which feeds know a value; exit 0 if it matches, 1 if not."`
}

// dataDir is where the library lives.
type dataDir struct {
	DataDir string `default:"data" type:"path" placeholder:"DIR" help:"Data folder with the indicator library."`
}

type intelImportCmd struct {
	dataDir
	Feed       string `placeholder:"NAME" help:"Name of the feed; default: from the file's name."`
	Verdict    string `default:"malicious" enum:"malicious,suspicious,benign" help:"What the feed's values are (${enum})."`
	Confidence uint8  `default:"75" help:"Confidence, 0 to 100, where the feed gives none."`
	TLP        string `name:"tlp" default:"clear" enum:"clear,green,amber,red" help:"Marking (${enum})."`
	JSON       bool   `name:"json" help:"Print the report as JSON."`
	From       string `arg:"" help:"File, http(s) URL, or - for standard input."`
}

func (c *intelImportCmd) Run(ctx context.Context, s *streams) error {
	in, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	feed := c.Feed
	if feed == "" {
		feed = pipeline.SourceName(strings.TrimRight(c.From, "/"))
	}
	def := intel.Defaults{Feed: feed, Confidence: min(c.Confidence, 100)}
	if err := def.Verdict.UnmarshalText([]byte(c.Verdict)); err != nil {
		return usage{err}
	}
	if err := def.TLP.UnmarshalText([]byte(c.TLP)); err != nil {
		return usage{err}
	}
	taken, refused, err := intel.Read(in, def)
	if err != nil {
		return fmt.Errorf("%s: %w", c.From, err)
	}
	rep, err := intel.Open(c.DataDir).Import(feed, c.From, time.Now(), taken, refused)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(rep)
	}
	for _, r := range refused {
		fmt.Fprintf(s.err, "%s:%d: refused %q: %s\n", c.From, r.Line, r.Value, r.Reason)
	}
	_, err = fmt.Fprintf(s.out, "feed %s: %d indicators (%d added, %d kept, %d removed), %d lines refused\n",
		feed, rep.Indicators, rep.Added, rep.Kept, rep.Removed, rep.Refused)
	return err
}

func (c *intelImportCmd) open(ctx context.Context, s *streams) (io.ReadCloser, error) {
	if c.From == "-" {
		return io.NopCloser(s.in), nil
	}
	if !strings.HasPrefix(c.From, "http://") && !strings.HasPrefix(c.From, "https://") {
		return os.Open(c.From)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.From, nil)
	if err != nil {
		cancel()
		return nil, usage{err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		cancel()
		resp.Body.Close()
		return nil, fmt.Errorf("%s: server answered %s", c.From, resp.Status)
	}
	return download{resp.Body, cancel}, nil
}

// download ends its request's deadline when it is closed.
type download struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (d download) Close() error {
	d.cancel()
	return d.ReadCloser.Close()
}

type intelListCmd struct {
	dataDir
	JSON bool `name:"json" help:"Print as JSON lines."`
}

func (c *intelListCmd) Run(s *streams) error {
	feeds, _, err := intel.Open(c.DataDir).Load()
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(f)
		} else {
			_, err = fmt.Fprintf(s.out, "%-24s %9d indicators  %6d refused  %s  %s\n", f.Name, f.Indicators, f.Refused, f.Imported, f.Origin)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type intelStatsCmd struct {
	dataDir
	JSON bool `name:"json" help:"Print as JSON."`
}

func (c *intelStatsCmd) Run(s *streams) error {
	_, all, err := intel.Open(c.DataDir).Load()
	if err != nil {
		return err
	}
	count := map[string]map[string]int{"type": {}, "verdict": {}, "feed": {}}
	for _, i := range all {
		count["type"][i.Type.String()]++
		count["verdict"][i.Verdict.String()]++
		count["feed"][i.Feed]++
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(count)
	}
	for _, by := range []string{"type", "verdict", "feed"} {
		names := make([]string, 0, len(count[by]))
		for n := range count[by] {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			if _, err := fmt.Fprintf(s.out, "%-8s %-24s %9d\n", by, n, count[by][n]); err != nil {
				return err
			}
		}
	}
	return nil
}

type intelCheckCmd struct {
	dataDir
	JSON  bool   `name:"json" help:"Print as JSON lines."`
	Value string `arg:"" help:"Address, network, domain, URL, file hash or e-mail address; may be defanged."`
}

func (c *intelCheckCmd) Run(s *streams) error {
	o, err := intel.Recognize(c.Value)
	if err != nil {
		return usagef("%q is %w", c.Value, err)
	}
	x, err := intel.Open(c.DataDir).Index(match.DefaultConfig())
	if err != nil {
		return err
	}
	matched := false
	for _, e := range intel.Explain(x, o, schema.FromTime(time.Now())) {
		matched = matched || e.Counts && e.Indicator.Verdict != schema.VerdictBenign
		if c.JSON {
			if err := json.NewEncoder(s.out).Encode(e); err != nil {
				return err
			}
			continue
		}
		counts := "counts"
		if !e.Counts {
			counts = "does not count"
		}
		i := e.Indicator
		fmt.Fprintf(s.out, "%s %s: feed %s says %s %s is %s, confidence %d, TLP %s (%s): %s\n",
			o.Type, o.Value, i.Feed, i.Type, i.Value, i.Verdict, i.Confidence, i.TLP, counts, e.Why)
	}
	if !matched {
		if !c.JSON {
			fmt.Fprintf(s.out, "%s %s: no indicator matches\n", o.Type, o.Value)
		}
		return quietError(exitFailed)
	}
	return nil
}
