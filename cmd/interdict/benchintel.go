package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/interdict/interdict/bench/indicators"
	"github.com/interdict/interdict/stages/match"
)

type benchIntelCmd struct {
	Indicators uint64        `default:"1000000" help:"Generated indicators; 50000000 need 8 GB of disk."`
	Lookups    uint64        `default:"2000000" help:"Questions to compare with the oracle."`
	Rate       int           `default:"10000" help:"Changes per second while matching."`
	Churn      time.Duration `default:"10s" help:"How long questions are asked with changes beside them, and how long without; 0 leaves both out."`
	Dir        string        `type:"existingdir" placeholder:"DIR" help:"Where the snapshot is written; default: a temporary folder."`
	JSON       bool          `name:"json" help:"Print as JSON."`
}

func (c *benchIntelCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.Indicators == 0 || c.Rate < 100 {
		return usagef("want at least one indicator and 100 changes a second")
	}
	dir, err := os.MkdirTemp(c.Dir, "interdict-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rep, err := indicators.Run(ctx, indicators.Options{Indicators: c.Indicators, Lookups: c.Lookups, Dir: dir, Match: match.DefaultConfig(),
		Rate: c.Rate, Churn: c.Churn, Progress: func(t string) { fmt.Fprintln(s.err, t) }})
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(map[string]any{"build": buildInfo(), "cpus": runtime.NumCPU(), "report": rep})
	} else {
		err = c.print(s, rep)
	}
	if o := rep.Oracle; err == nil && o.False+o.Missed+o.Wrong+uint64(rep.Churn.Wrong) > 0 {
		return errors.New("index and oracle differ")
	}
	return err
}

func (c *benchIntelCmd) print(s *streams, r indicators.Report) error {
	mb := func(n int64) float64 { return float64(n) / 1e6 }
	b, o, l, q, h := r.Build, r.Open, r.Lookup, r.Oracle, r.Churn
	_, err := fmt.Fprintf(s.out, "%s, %d CPUs, load average %s before, %s after\n%d indicators\n"+
		"built in %.1f s (%.0f/s), snapshot %.0f MB, private memory %.0f MB\n"+
		"opened in %.1f s: filter %.0f MB, entries %.0f MB; private memory %.0f MB more, mapped pages %.0f MB more\n",
		runtime.Version(), runtime.NumCPU(), r.LoadBefore, r.LoadAfter, r.Indicators, b.Seconds, b.PerSecond, mb(b.Bytes), mb(b.Memory.Private),
		o.Seconds, mb(o.Index.Filter), mb(o.Index.Entries), mb(o.After.Private-o.Before.Private), mb(o.After.File-o.Before.File))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "ns per question (CPU, clock): absent %.0f, %.0f; listed %.0f, %.0f; listed and asked lately %.0f, %.0f; listed, first time %.0f, %.0f\n"+
		"the filter let %.2e of absent values through, its setting is %.0e\n"+
		"%d questions beside the oracle: %d named, %d false, %d missed, %d wrong (%.0f s)\n",
		l.Negative.CPU, l.Negative.Wall, l.Positive.CPU, l.Positive.Wall, l.PositiveRecent.CPU, l.PositiveRecent.Wall, l.First.CPU, l.First.Wall,
		l.FalsePositives, l.Setting, q.Lookups, q.Named, q.False, q.Missed, q.Wrong, q.Seconds)
	if err != nil || c.Churn == 0 {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d changes at %d/s (%d new, %d changed or ended, %d revoked): %.0f questions/s with, %.0f without, ratio %.2f\n"+
		"ns of CPU per question %.0f with, %.0f without, ratio %.2f; us of CPU per change %.1f, of other threads meanwhile %.1f\n"+
		"staleness p50 %.1f ms, p99 %.1f ms, max %.1f ms; longest pause %.1f ms with, %.1f ms without; apply p99 %.1f ms\n"+
		"%d changed indicators checked, %d wrong; private memory %.0f MB\n",
		h.Changes, h.Rate, h.Applied.Added, h.Applied.Changed, h.Applied.Removed, h.Changing.PerSecond, h.Control.PerSecond, h.Ratio,
		h.Changing.CPU, h.Control.CPU, h.CPURatio, h.ChangeCPU, h.OtherCPU, h.StaleP50, h.StaleP99, h.StaleMax, h.Changing.Pause, h.Control.Pause, h.ApplyP99,
		h.Checked, h.Wrong, mb(h.Memory.Private))
	return err
}
