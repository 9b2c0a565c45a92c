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
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

type normalizeCmd struct {
	Format   string   `placeholder:"NAME" help:"Accept this format only; default: detect it."`
	Formats  string   `placeholder:"DIR" help:"Folder of formats of your own."`
	List     bool     `help:"List the formats."`
	JSON     bool     `name:"json" help:"With --list or --explain: as JSON."`
	Source   string   `placeholder:"ID" help:"Source id the alerts get; default: the file's name."`
	Tenant   string   `default:"default" help:"Tenant the alerts get."`
	Zone     string   `placeholder:"ZONE" help:"Time zone of times that name none, as Europe/Berlin. Default: UTC."`
	Explain  bool     `help:"Print, instead of OCSF, which rule filled each field."`
	Validate bool     `help:"Check what is written against OCSF 1.8: a line on standard error for each problem, and exit 1."`
	Raw      bool     `help:"Add the document as received, as raw_data."`
	Unmapped bool     `help:"Add what of the document no field holds, as unmapped.fields."`
	Quiet    bool     `short:"q" help:"Do not print rejected and ignored records."`
	Files    []string `arg:"" optional:"" name:"file" help:"Files of alerts: JSON, NDJSON, CSV, text, XML, Zeek logs, gzip or zstd; - is standard input."`
}

// Run writes OCSF to standard output, and one line per rejected or ignored
// record to standard error. It fails only where a file cannot be read, or, with
// Validate, where what it wrote is not OCSF.
func (c *normalizeCmd) Run(ctx context.Context, s *streams) error {
	cfg := normalize.Default()
	cfg.Format, cfg.FormatsDir = c.Format, c.Formats
	formats, err := normalize.Load(cfg)
	if err != nil {
		return usage{err}
	}
	if c.List {
		return c.list(s, formats)
	}
	if len(c.Files) == 0 {
		return usagef("normalize: name at least one file, or - for standard input")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return usagef("normalize: zone: %v", err)
	}
	n, err := normalize.New(cfg, formats)
	if err != nil {
		return usage{err}
	}
	w := &normalizeOutput{cmd: c, out: bufio.NewWriterSize(s.out, 1<<18), err: s.err}
	if err := w.prepare(n, formats); err != nil {
		return err
	}
	var errs []error
	for _, name := range c.Files {
		if err := c.file(ctx, s, n, name, w); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, w.out.Flush())
	if w.invalid > 0 {
		errs = append(errs, fmt.Errorf("%d of %d alerts are not valid OCSF", w.invalid, w.written))
	}
	return errors.Join(errs...)
}

func (c *normalizeCmd) file(ctx context.Context, s *streams, n *normalize.Normalizer, name string, w *normalizeOutput) error {
	src := &schema.Source{ID: c.Source, Tenant: c.Tenant, Topic: name, Zone: c.Zone}
	if src.ID == "" {
		src.ID = pipeline.SourceName(name)
	}
	var b schema.Batch
	var numbers []int64
	flush := func() error {
		if err := n.Process(ctx, &b); err != nil {
			return err
		}
		if err := w.alerts(name, numbers, &b); err != nil {
			return err
		}
		if !c.Quiet {
			report(s.err, name, numbers, &b)
		}
		b.Reset()
		numbers = numbers[:0]
		return nil
	}
	size, received := 0, pipeline.FileTime(name)
	if received == 0 {
		received = schema.FromTime(time.Now())
	}
	var failed error // to flush, and not to read
	err := pipeline.ReadRecords(ctx, name, s.in, func(r pipeline.FileRecord) error {
		b.Raw = append(b.Raw, schema.Raw{Source: src, Value: append([]byte(nil), r.Value...), Topic: name, Offset: r.Number, Received: received})
		numbers = append(numbers, r.Number)
		if size += len(r.Value); !c.Explain && len(b.Raw) < 256 && size < 4<<20 {
			return nil
		}
		size = 0
		failed = flush()
		return failed
	})
	if failed != nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(err, flush()) // what was read of a file that is cut counts
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

func (c *normalizeCmd) list(s *streams, formats *normalize.Formats) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(formats.List())
	}
	for _, f := range formats.List() {
		if _, err := fmt.Fprintf(s.out, "%-28s %-14s %s\n", f.Name, f.Vendor, f.Doc); err != nil {
			return err
		}
	}
	return nil
}
