package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	All        bool     `help:"Also what has ended or not begun."`
	Listed     bool     `help:"Also the entries of benign lists."`
	Out        string   `short:"o" type:"path" placeholder:"FILE" help:"File to write, made as a whole; default: standard output."`
	JSON       bool     `name:"json" help:"Print what was written and left out as JSON, to standard error."`
}

func (c *intelExportCmd) Run(ctx context.Context, s *streams) (err error) {
	o := library.ExportOptions{Format: library.ExportFormat(c.Format), Feeds: c.Feed, Tenant: c.Tenant, MinConfidence: c.Confidence, Listed: c.Listed}
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
	if !c.All {
		o.At = schema.FromTime(time.Now())
	}
	l, _, err := c.look(s)
	if err != nil {
		return err
	}
	if err := knownAll(l, c.Feed...); err != nil {
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
		fmt.Fprintf(s.err, "interdict: %s stays as it was; --feed exports the feeds that can be read\n", c.Out)
		return code
	}
	fmt.Fprintf(s.err, "%d indicators written\n", done.Written)
	why := make([]string, 0, len(done.Left))
	for w := range done.Left {
		why = append(why, w)
	}
	slices.Sort(why)
	for _, w := range why {
		fmt.Fprintf(s.err, "%9d left out: %s\n", done.Left[w], w)
	}
	return code
}

// write gives the writer that the options ask for; a file appears only when it is
// complete.
func (c *intelExportCmd) write(s *streams, export func(io.Writer) (library.Exported, error)) (done library.Exported, err error) {
	if c.Out == "" {
		return export(s.out)
	}
	tmp, err := os.CreateTemp(filepath.Dir(c.Out), ".export-*")
	if err != nil {
		return done, fmt.Errorf("writing %s: %w", c.Out, err)
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

type intelRmCmd struct {
	intelFlags
	Feed string `arg:"" help:"Name of the feed."`
}

func (c *intelRmCmd) Run(ctx context.Context, s *streams) error {
	l, _, err := c.open(s)
	if err != nil {
		return err
	}
	st, err := known(l, c.Feed)
	if err != nil {
		return err
	}
	if err := l.Remove(ctx, c.Feed); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "feed %s is removed with its %d indicators\n", c.Feed, st.Standing.Indicators)
	return err
}

type intelRefusedCmd struct {
	intelFlags
	JSON bool   `name:"json" help:"Print as JSON lines."`
	Feed string `arg:"" help:"Name of the feed."`
}
