package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

type intelExportCmd struct {
	intelFlags
	Format     string   `default:"stix" enum:"stix,csv,list" help:"Form (${enum})."`
	Feed       []string `placeholder:"NAME" help:"Of these feeds; default: all."`
	Type       []string `placeholder:"TYPE" help:"Of these types; default: all."`
	MaxTLP     string   `name:"max-tlp" placeholder:"MARKING" help:"Most secret marking. Default: intel.library.export_tlp, green."`
	Tenant     string   `placeholder:"NAME" help:"For this tenant: with its own indicators. Red and amber+strict are given to nobody else."`
	Confidence uint8    `help:"Least confidence."`
	At         string   `placeholder:"TIME" help:"What counts at that time: a date, RFC 3339, or a span from now; default: now."`
	All        bool     `help:"Also what does not count: on benign lists, allowed, outranked, benign, decayed, ended, not begun; with the reason, as column doubt (csv) or label (stix)."`
	Listed     bool     `help:"Also the entries of benign lists."`
	Out        string   `short:"o" type:"path" placeholder:"FILE" help:"File to write, made as a whole; default: standard output."`
	JSON       bool     `name:"json" help:"Print what was written and left out as JSON, to standard error."`
}

func (c *intelExportCmd) Run(ctx context.Context, s *streams) (err error) {
	o := library.ExportOptions{Format: library.ExportFormat(c.Format), Feeds: c.Feed, Tenant: c.Tenant, MinConfidence: c.Confidence, Listed: c.Listed, Doubtful: c.All}
	if err := errors.Join(setText(&o.MaxTLP, "--max-tlp", c.MaxTLP), percent(&c.Confidence)); err != nil {
		return usage{err}
	}
	for _, name := range c.Type {
		if err := oneOf("--type", name, observableTypes()...); err != nil {
			return err
		}
		var t schema.ObservableType
		if err := t.UnmarshalText([]byte(name)); err != nil {
			return usage{err}
		}
		o.Types = append(o.Types, t)
	}
	if c.All && o.Format == library.ExportList {
		return usagef("--all: a list cannot say what does not count, and whoever reads it blocks all that is in it: --format csv or stix")
	}
	at := time.Now()
	if c.At != "" {
		if at, err = moment(c.At, at); err != nil {
			return err
		}
	}
	o.At = schema.FromTime(at)
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	if err := knownAll(l, c.Feed...); err != nil {
		return err
	}
	o.Decay = cfg.Match.Decay
	dir, err := os.MkdirTemp("", "interdict-export-*") // who exports need not be who may write to the library
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var lacks library.Partial // the export itself tells of it
	if o.Index, _, err = l.IndexIn(ctx, dir, cfg.Match); lacks.Add(err) != nil {
		return err
	}
	done, err := c.write(s, func(w io.Writer) (library.Exported, error) { return l.Export(ctx, o, w) })
	code, err := incomplete(s, err)
	if err != nil {
		return err
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(s.err).Encode(done), code)
	}
	if code != nil && c.Out != "" {
		fmt.Fprintf(s.err, "interdict: %s stays as it was; --feed exports the feeds that can be read\n", printable(c.Out))
		return code
	}
	fmt.Fprintf(s.err, "%d indicators written\n", done.Written)
	tellCounts(s, "of these do not count", done.Doubted)
	tellCounts(s, "left out", done.Left)
	if done.Objects+done.Relations+len(done.LeftThings) > 0 {
		fmt.Fprintf(s.err, "%d objects behind them and %d relations written\n", done.Objects, done.Relations)
		tellCounts(s, "left out", done.LeftThings)
	}
	return code
}

// tellCounts tells how many there are of each kind.
func tellCounts(s *streams, what string, counts map[string]int) {
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(s.err, "%9d %s: %s\n", counts[kind], what, printable(kind))
	}
}

// write gives the writer that the options ask for; a file appears only when it is
// complete.
func (c *intelExportCmd) write(s *streams, export func(io.Writer) (library.Exported, error)) (done library.Exported, err error) {
	if c.Out == "" {
		return export(s.out)
	}
	tmp, err := os.CreateTemp(filepath.Dir(c.Out), ".export-*")
	if err != nil {
		return done, fmt.Errorf("writing %s: %w", printable(c.Out), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if done, err = export(tmp); err != nil {
		return done, errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return done, err
	}
	return done, os.Rename(tmp.Name(), c.Out)
}
