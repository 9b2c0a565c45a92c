package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
)

type intelImportCmd struct {
	intelFlags
	Feed         string   `placeholder:"NAME" help:"Name of the feed; default: from the name of the file, folder or host. A configured feed of that name gives the other settings."`
	Format       string   `default:"auto" enum:"auto,list,csv,stix,misp,warninglist" help:"Form of the text (${enum})."`
	Verdict      string   `placeholder:"VERDICT" help:"What the feed's values are: malicious (default), suspicious, benign."`
	Severity     string   `placeholder:"SEVERITY" help:"Severity a match raises the alert to; default: by verdict."`
	Wish         string   `placeholder:"WISH" help:"What is to be done: none (default), allow, audit, warn, block."`
	Confidence   *uint8   `help:"Confidence, 0 to 100, where the feed gives none. Default: 75."`
	TLP          string   `name:"tlp" placeholder:"MARKING" help:"Marking where the feed gives none: clear (default), green, amber, amber+strict, red."`
	Tenant       string   `placeholder:"NAME" help:"Tenant whose alerts alone it matches; red and amber+strict need one."`
	Rank         *uint8   `help:"Rank of the source: where feeds disagree, the larger counts. Default: 50."`
	ValidFor     string   `placeholder:"SPAN" help:"End of what the feed gives none, from now: 12h, 30d."`
	Label        []string `placeholder:"TEXT" help:"Label on everything; may be repeated."`
	Type         []string `placeholder:"TYPE" help:"Take these types only; url_path is taken only when named."`
	Value        string   `placeholder:"COLUMN" help:"CSV: column of the value, by header or number."`
	ValueType    string   `placeholder:"COLUMN" help:"CSV: column of the value's type."`
	NoIDs        bool     `name:"no-to-ids" help:"MISP: also attributes that are not marked for detection."`
	AllowPrivate bool     `help:"The URL may lead to private addresses."`
	JSON         bool     `name:"json" help:"Print the report as JSON."`
	Quiet        bool     `short:"q" help:"No progress, no list of refusals."`
	From         string   `arg:"" help:"File, folder, glob in quotes, http(s) URL, or - for standard input."`
}

// feed makes the feed of the flags, over a configured one of the same name.
func (c *intelImportCmd) feed(cfg *settings.Config) (f fact.Feed, configured bool, err error) {
	name := c.Feed
	if name == "" && c.From != "" {
		name = nameOf(c.From)
	}
	if name == "" {
		return f, false, usagef("%q gives the feed no name: --feed NAME does", c.From)
	}
	f = fact.DefaultFeed()
	for _, x := range cfg.Intel.Feeds {
		if x.Name == name {
			f, configured = x, true
		}
	}
	f.Name, f.Transport, f.URL, f.File, f.Collection = name, "", "", "", ""
	f.AllowPrivate = f.AllowPrivate || c.AllowPrivate
	switch {
	case c.From == "-":
		f.Transport = fact.TransportUpload
	case isURL(c.From):
		f.URL = c.From
	default: // the library must find it again from any folder
		if f.File, err = filepath.Abs(c.From); err != nil {
			return f, configured, err
		}
	}
	if c.Format != "auto" {
		f.Format = fact.Format(c.Format)
	}
	var verdict, severity, wish, tlp = &f.Verdict, &f.Severity, &f.Wish, &f.TLP
	err = errors.Join(setText(&verdict, "--verdict", c.Verdict), setText(&severity, "--severity", c.Severity), setText(&wish, "--wish", c.Wish),
		setText(&tlp, "--tlp", c.TLP), percent(c.Confidence))
	for _, t := range c.Type {
		err = errors.Join(err, oneOf("--type", t, observableTypes()...))
	}
	if c.ValidFor != "" {
		var e error
		if f.ValidFor, e = readSpan(c.ValidFor); e != nil || f.ValidFor <= 0 {
			err = errors.Join(err, usagef("--valid-for %q: want a span such as 12h or 30d", c.ValidFor))
		}
	}
	f.Verdict, f.Severity, f.Wish, f.TLP = *verdict, *severity, *wish, *tlp
	if c.Confidence != nil {
		f.Confidence = *c.Confidence
	}
	if c.Rank != nil {
		f.Rank = *c.Rank
	}
	f.Tenant = firstText(c.Tenant, f.Tenant)
	f.CSV.Value, f.CSV.Type = firstText(c.Value, f.CSV.Value), firstText(c.ValueType, f.CSV.Type)
	f.Labels = append(f.Labels[:len(f.Labels):len(f.Labels)], c.Label...)
	if len(c.Type) > 0 {
		f.Types = c.Type
	}
	f.IDsOnly = f.IDsOnly && !c.NoIDs
	if err == nil {
		err = f.Validate()
	}
	if err != nil {
		return f, configured, usage{err}
	}
	return f, configured, nil
}

func (c *intelImportCmd) Run(ctx context.Context, s *streams) error {
	l, cfg, err := c.open(s)
	if err != nil {
		return err
	}
	f, configured, err := c.feed(cfg)
	if err != nil {
		return err
	}
	if f.File != "" {
		if _, err := os.Stat(f.File); err != nil && !strings.ContainsAny(f.File, "*?[") {
			return err
		}
	}
	if c.Feed == "" {
		if err := sameName(l, &f, configured); err != nil {
			return err
		}
	}
	_, before := l.Status(f.Name)
	p := newProgress(s.err, c.Quiet)
	tell := func(t intel.Taken) { p.report(f.Name, t.Facts, fmt.Sprintf("taking (%d refused)", t.Refused)) }
	var done intel.Pulled
	if c.From == "-" {
		done.Report, err = intel.Take(ctx, l, &f, "standard input", s.in, time.Now(), tell)
	} else if done, err = intel.PullOnce(ctx, l, cfg.Intel, f, intel.Once{Tell: tell}); done.Waiting != "" {
		err = fmt.Errorf("feed %s: %s", f.Name, done.Waiting)
	}
	p.done()
	if err != nil {
		return errors.Join(err, c.forget(ctx, l, f.Name, configured, before))
	}
	return errors.Join(printImport(s, done.Report, c.JSON, c.Quiet), broken(done))
}

// forget takes back what an import that failed booked about a feed that nobody had
// before: whoever typed a wrong address has been told, and no alarm must stay.
func (c *intelImportCmd) forget(ctx context.Context, l *library.Library, feed string, configured bool, before error) error {
	if configured || !errors.Is(before, library.ErrUnknownFeed) {
		return nil
	}
	if st, err := l.Status(feed); err != nil || st.Generation != 0 {
		return nil // nothing was booked, or it counts nevertheless
	}
	return l.Remove(context.WithoutCancel(ctx), feed)
}

// broken makes an error of files of a folder that cannot be used, while the others are
// in force.
func broken(done intel.Pulled) error {
	var errs []error
	for _, text := range done.Broken {
		errs = append(errs, fmt.Errorf("feed %s: %s: what it said before stays", done.Feed, text))
	}
	return errors.Join(errs...)
}

// printImport tells what an import did.
func printImport(s *streams, rep library.Report, asJSON, quiet bool) error {
	if asJSON {
		return json.NewEncoder(s.out).Encode(rep)
	}
	if rep.Origin == intel.NotModified {
		_, err := fmt.Fprintf(s.out, "feed %s: %d indicators, not modified since the last time\n", rep.Feed, rep.Indicators)
		return err
	}
	if !quiet {
		for _, r := range rep.Refusals {
			fmt.Fprintf(s.err, "%s:%d: refused %q: %s\n", printable(firstText(r.Part, rep.Origin)), r.Line, r.Value, printable(r.Reason))
		}
		if more := rep.Refused - len(rep.Refusals); more > 0 {
			fmt.Fprintf(s.err, "and %d more: interdict intel refused %s\n", more, rep.Feed)
		}
	}
	_, err := fmt.Fprintf(s.out, "feed %s: %d indicators (%d added, %d changed, %d removed, %d expired, %d unchanged), %d refused, %d skipped by rules and types, %d objects, %d relations\n",
		rep.Feed, rep.Indicators, rep.Added, rep.Changed, rep.Removed, rep.Expired, rep.Unchanged, rep.Refused, rep.Skipped, rep.Objects, rep.Relations)
	return err
}
