package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

type normalizeCmd struct {
	Format string   `placeholder:"NAME" help:"Accept this format only; default: detect it."`
	List   bool     `help:"List the formats."`
	JSON   bool     `name:"json" help:"With --list: as JSON."`
	Source string   `placeholder:"ID" help:"Source id the alerts get; default: the file's name."`
	Tenant string   `default:"default" help:"Tenant the alerts get."`
	Quiet  bool     `short:"q" help:"Do not print rejected and ignored records."`
	Files  []string `arg:"" optional:"" name:"file" help:"Files of alerts: NDJSON, JSON, CSV, gzip or zstd; - is standard input."`
}

// Run writes OCSF to standard output, and one line per rejected or ignored
// record to standard error. It fails only where a file cannot be read.
func (c *normalizeCmd) Run(ctx context.Context, s *streams) error {
	if c.List {
		return c.list(s)
	}
	if len(c.Files) == 0 {
		return usagef("normalize: name at least one file, or - for standard input")
	}
	cfg := normalize.Default()
	cfg.Format = c.Format
	if err := cfg.Validate(); err != nil {
		return usage{err}
	}
	n, err := normalize.New(cfg)
	if err != nil {
		return usage{err}
	}
	out := bufio.NewWriterSize(s.out, 1<<18)
	var errs []error
	for _, name := range c.Files {
		if err := c.file(ctx, s, n, name, out); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, out.Flush())...)
}

func (c *normalizeCmd) file(ctx context.Context, s *streams, n *normalize.Normalizer, name string, out *bufio.Writer) error {
	src := &schema.Source{ID: c.Source, Tenant: c.Tenant, Topic: name}
	if src.ID == "" {
		src.ID = pipeline.SourceName(name)
	}
	var b schema.Batch
	var line []byte
	var numbers []int64
	flush := func() error {
		if err := n.Process(ctx, &b); err != nil {
			return err
		}
		for i := range b.Alerts {
			line = append(schema.AppendOCSFAlert(line[:0], &b.Alerts[i]), '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
		if !c.Quiet {
			report(s.err, name, numbers, &b)
		}
		b.Reset()
		numbers = numbers[:0]
		return nil
	}
	size := 0
	err := pipeline.ReadRecords(ctx, name, s.in, func(r pipeline.FileRecord) error {
		b.Raw = append(b.Raw, schema.Raw{Source: src, Value: append([]byte(nil), r.Value...), Topic: name, Offset: r.Number})
		numbers = append(numbers, r.Number)
		if size += len(r.Value); len(b.Raw) < 256 && size < 4<<20 {
			return nil
		}
		size = 0
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// report writes a line per rejected or ignored document, in the order of the
// file.
func report(w io.Writer, name string, numbers []int64, b *schema.Batch) {
	type left struct {
		schema.Drop
		verb string
	}
	var all []left
	for _, r := range b.Rejects {
		all = append(all, left{schema.Drop{Raw: r.Raw, Doc: r.Doc, Reason: r.Reason, Detail: r.Detail}, "rejected"})
	}
	for _, d := range b.Drops {
		all = append(all, left{d, "ignored"})
	}
	slices.SortStableFunc(all, func(a, b left) int { return cmp.Or(cmp.Compare(a.Raw, b.Raw), cmp.Compare(a.Doc, b.Doc)) })
	for _, l := range all {
		fmt.Fprintf(w, "%s:%d: document %d %s: %s: %s\n", name, numbers[l.Raw], l.Doc+1, l.verb, l.Reason, printable(l.Detail))
	}
}

func (c *normalizeCmd) list(s *streams) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(normalize.Formats())
	}
	for _, f := range normalize.Formats() {
		if _, err := fmt.Fprintf(s.out, "%-18s %-14s %s\n", f.Name, f.Vendor, f.Doc); err != nil {
			return err
		}
	}
	return nil
}
