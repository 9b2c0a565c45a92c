package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

type intelStatsCmd struct {
	intelFlags
	JSON  bool `name:"json" help:"Print as JSON."`
	Quiet bool `short:"q" help:"No progress."`
}

// intelStats counts indicators that count.
type intelStats struct {
	Indicators int            `json:"indicators"` // without entries of benign lists
	Listed     int            `json:"listed"`     // entries of benign lists
	Values     map[string]int `json:"values"`     // distinct values by type, benign lists left out
	Types      map[string]int `json:"types"`
	Verdicts   map[string]int `json:"verdicts"`
	Markings   map[string]int `json:"tlp"`
	Feeds      map[string]int `json:"feeds"`
	Lists      map[string]int `json:"lists"` // entries of each benign list

	Damaged []library.Damage `json:"damaged,omitempty"` // feeds that are not counted, or as they were before
}

func (c *intelStatsCmd) Run(ctx context.Context, s *streams) error {
	l, _, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	st := intelStats{Values: map[string]int{}, Types: map[string]int{}, Verdicts: map[string]int{}, Markings: map[string]int{}, Feeds: map[string]int{}, Lists: map[string]int{}}
	p := newProgress(s.err, c.Quiet)
	seen := map[schema.ID]struct{}{} // 16 bytes for each value, whatever its length
	_, err = l.Each(ctx, func(i schema.Indicator) error {
		st.Feeds[i.Feed]++
		if i.Listed {
			st.Listed++
			if len(i.Labels) > 0 {
				st.Lists[i.Labels[0]]++
			}
			return nil
		}
		st.Indicators++
		p.report("", uint64(st.Indicators), "indicators")
		st.Types[i.Type.String()]++
		st.Verdicts[i.Verdict.String()]++
		st.Markings[i.TLP.String()]++
		id := schema.DeriveID("value", i.Type.String(), i.Value)
		if _, had := seen[id]; !had {
			seen[id] = struct{}{}
			st.Values[i.Type.String()]++
		}
		return nil
	})
	p.done()
	var lacks library.Partial
	if err := lacks.Add(err); err != nil {
		return err
	}
	st.Damaged = lacks.Damaged
	code, _ := incomplete(s, lacks.Err())
	if c.JSON {
		return errors.Join(json.NewEncoder(s.out).Encode(st), code)
	}
	fmt.Fprintf(s.out, "%d indicators, %d entries of benign lists\n", st.Indicators, st.Listed)
	for _, by := range []struct {
		name  string
		count map[string]int
	}{{"type", st.Types}, {"values", st.Values}, {"verdict", st.Verdicts}, {"tlp", st.Markings}, {"feed", st.Feeds}, {"list", st.Lists}} {
		names := make([]string, 0, len(by.count))
		for n := range by.count {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			if _, err := fmt.Fprintf(s.out, "%-8s %-48s %9d\n", by.name, short(n, 48), by.count[n]); err != nil {
				return err
			}
		}
	}
	return code
}

type intelRefusedCmd struct {
	intelFlags
	JSON bool   `name:"json" help:"Print as JSON lines."`
	Feed string `arg:"" help:"Name of the feed."`
}

func (c *intelRefusedCmd) Run(ctx context.Context, s *streams) error {
	l, _, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	if _, err := known(l, c.Feed); err != nil {
		return err
	}
	any := false
	err = l.Refusals(c.Feed, func(r fact.Refusal) error {
		any = true
		if c.JSON {
			return json.NewEncoder(s.out).Encode(r)
		}
		at := fmt.Sprintf("%d", r.Line)
		if r.Part != "" {
			at = printable(r.Part) + ":" + at
		}
		_, err := fmt.Fprintf(s.out, "%s: %q: %s\n", at, r.Value, printable(r.Reason))
		return err
	})
	if err == nil && !any && !c.JSON {
		fmt.Fprintln(s.err, "nothing was refused")
	}
	return err
}

type intelCollideCmd struct {
	intelFlags
	Tenant string `placeholder:"NAME" help:"As for alerts of this tenant."`
	Feed   string `placeholder:"NAME" help:"Of this feed's indicators."`
	JSON   bool   `name:"json" help:"Print as JSON lines."`
	Count  bool   `help:"Print only how many, by reason."`
	Quiet  bool   `short:"q" help:"No progress."`
}

// collision is an indicator that does not count, and why.
type collision struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	Feed    string `json:"feed"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
}

func (c *intelCollideCmd) Run(ctx context.Context, s *streams) (err error) {
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	if c.Feed != "" {
		if err := knownAll(l, c.Feed); err != nil {
			return err
		}
	}
	if err := doubtTenant(s, l, cfg, c.Tenant); err != nil {
		return err
	}
	var lacks library.Partial
	dir, err := os.MkdirTemp("", "interdict-collide-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	x, _, err := l.IndexIn(ctx, dir, cfg.Match)
	if err := lacks.Add(err); err != nil {
		return err
	}
	var (
		reader  = match.NewReader()
		subject = match.Subject{Tenant: c.Tenant, Created: schema.FromTime(time.Now())}
		p       = newProgress(s.err, c.Quiet)
		asked   uint64
		found   []schema.Indicator
		rulings []match.Ruling
		reasons = map[string]int{}
	)
	_, err = l.Each(ctx, func(i schema.Indicator) error {
		if i.Listed || c.Feed != "" && i.Feed != c.Feed {
			return nil
		}
		asked++
		p.report("", asked, "indicators asked")
		o := schema.Observable{Type: i.Type, Value: i.Value}
		found = found[:0]
		reader.Find(x, o, func(f *schema.Indicator) { found = append(found, *f) })
		rulings = match.Judge(cfg.Match.Decay, subject, o, found, rulings[:0])
		for k := range rulings {
			r := &rulings[k]
			if r.Outcome != match.Demoted || r.Indicator.ID != i.ID || r.Indicator.Feed != i.Feed || r.Indicator.Value != i.Value {
				continue
			}
			reasons[r.Why()]++
			if c.Count {
				continue
			}
			if c.JSON {
				return json.NewEncoder(s.out).Encode(collision{i.Type.String(), i.Value, i.Feed, i.Verdict.String(), r.Why()})
			}
			_, err := fmt.Fprintf(s.out, "%-10s %-48s feed %s: %s\n", i.Type, short(i.Value, 48), i.Feed, printable(r.Why()))
			return err
		}
		return nil
	})
	p.done()
	if err := lacks.Add(err); err != nil {
		return err
	}
	code, _ := incomplete(s, lacks.Err())
	if len(reasons) == 0 && code == nil && !c.JSON {
		fmt.Fprintln(s.err, "nothing is demoted")
	}
	if !c.Count {
		return code
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(s.out).Encode(reasons), code)
	}
	names := make([]string, 0, len(reasons))
	for n := range reasons {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if reasons[a] != reasons[b] {
			return reasons[b] - reasons[a]
		}
		return strings.Compare(a, b)
	})
	for _, n := range names {
		fmt.Fprintf(s.out, "%9d %s\n", reasons[n], printable(n))
	}
	return code
}
