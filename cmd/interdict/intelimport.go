package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
)

type intelImportCmd struct {
	intelFlags
	Feed          string   `placeholder:"NAME" help:"Name of the feed; default: from the name of the file, folder or host. A configured feed of that name gives the other settings."`
	Format        string   `default:"" enum:",auto,list,csv,stix,misp,warninglist" placeholder:"FORM" help:"Form of the text: auto (default), list, csv, stix, misp, warninglist."`
	Verdict       string   `placeholder:"VERDICT" help:"What the feed's values are: malicious (default), suspicious, benign."`
	Severity      string   `placeholder:"SEVERITY" help:"Severity a match raises the alert to; default: by verdict."`
	Wish          string   `placeholder:"WISH" help:"What is to be done: none (default), allow, audit, warn, block."`
	Confidence    *uint8   `help:"Confidence, 0 to 100, where the feed gives none. Default: 75."`
	TLP           string   `name:"tlp" placeholder:"MARKING" help:"Marking where the feed gives none: clear (default), green, amber, amber+strict, red."`
	Tenant        string   `placeholder:"NAME" help:"Tenant whose alerts alone it matches; red and amber+strict need one."`
	Rank          *uint8   `help:"Rank of the source: where feeds disagree, the larger counts. Default: 50."`
	ValidFor      string   `placeholder:"SPAN" help:"End of what the feed gives none, from now: 12h, 30d."`
	Label         []string `placeholder:"TEXT" help:"Label on everything; may be repeated."`
	Type          []string `placeholder:"TYPE" help:"Take these types only; url_path is taken only when named."`
	Value         string   `placeholder:"COLUMN" help:"CSV: column of the value, by header or number."`
	ValueType     string   `placeholder:"COLUMN" help:"CSV: column of the value's type."`
	NoIDs         bool     `name:"no-to-ids" help:"MISP: also attributes that are not marked for detection."`
	Defaults      bool     `help:"The defaults where no flag says otherwise, not the settings of the last import of the feed."`
	AcceptRefused bool     `help:"Take it however much of it is no value of any kind (max_refused): somebody has looked at it."`
	AllowPrivate  bool     `help:"The URL may lead to private addresses."`
	JSON          bool     `name:"json" help:"Print the report as JSON."`
	Quiet         bool     `short:"q" help:"No progress, no list of refusals."`
	From          string   `arg:"" help:"File, folder, glob in quotes, http(s) URL, or - for standard input."`
}

// name gives the feed's name.
func (c *intelImportCmd) name() (string, error) {
	name := c.Feed
	if name == "" && c.From != "" {
		name = nameOf(c.From)
	}
	if name == "" {
		return "", usagef("%q gives the feed no name: --feed NAME does", c.From)
	}
	return name, nil
}

// feed makes the feed of the flags, over a configured one of the same name, else over
// the settings that it was imported with last.
func (c *intelImportCmd) feed(cfg *settings.Config, name string, last *library.Summary) (f fact.Feed, configured bool, err error) {
	f = fact.DefaultFeed()
	for _, x := range cfg.Intel.Feeds {
		if x.Name == name {
			f, configured = x, true
		}
	}
	if !configured && last != nil && !c.Defaults {
		last.Onto(&f)
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
	if c.AcceptRefused {
		f.MaxRefused = 100
	}
	if c.Format != "" {
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
	for _, l := range c.Label {
		if !slices.Contains(f.Labels, l) {
			f.Labels = append(slices.Clip(f.Labels), l)
		}
	}
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
	name, err := c.name()
	if err != nil {
		return err
	}
	st, before := l.Status(name)
	var last *library.Summary
	if before == nil && st.Config.Format != "" {
		last = &st.Config
	}
	f, configured, err := c.feed(cfg, name, last)
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
	switch kept := keptSettings(&f); {
	case configured || c.Defaults || before != nil:
	case last == nil:
		fmt.Fprintf(s.err, "interdict: the settings that feed %s was imported with cannot be read: it has those of the flags, else the defaults\n", f.Name)
	case kept != "":
		fmt.Fprintf(s.err, "interdict: feed %s has the settings of its last import and of the flags: %s; --defaults begins anew\n", f.Name, printable(kept))
	}
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
		if now, other := l.Status(f.Name); ctx.Err() != nil && (other != nil || now.LastReport.Time == st.LastReport.Time) {
			err = fmt.Errorf("feed %s: stopped (%w): nothing is changed", f.Name, context.Cause(ctx))
		}
		return errors.Join(err, c.forget(ctx, l, f.Name, configured, before))
	}
	return errors.Join(printImport(s, done.Report, c.JSON, c.Quiet), broken(done))
}

// keptSettings tells which of a feed's settings are not the defaults.
func keptSettings(f *fact.Feed) string {
	d := fact.DefaultFeed()
	var list []string
	add := func(name string, is, usual any) {
		if a := fmt.Sprint(is); a != fmt.Sprint(usual) {
			list = append(list, name+"="+a)
		}
	}
	add("tenant", f.Tenant, d.Tenant)
	add("tlp", f.TLP, d.TLP)
	add("verdict", f.Verdict, d.Verdict)
	add("wish", f.Wish, d.Wish)
	add("severity", f.Severity, d.Severity)
	add("confidence", f.Confidence, d.Confidence)
	add("rank", f.Rank, d.Rank)
	add("valid-for", f.ValidFor, d.ValidFor)
	add("label", strings.Join(f.Labels, ","), "")
	add("type", strings.Join(f.Types, ","), "")
	add("format", f.Format, d.Format)
	add("value", f.CSV.Value, d.CSV.Value)
	add("value-type", f.CSV.Type, d.CSV.Type)
	add("no-to-ids", !f.IDsOnly, !d.IDsOnly)
	return strings.Join(list, " ")
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
	if all := rep.Read + rep.Refused; rep.Noise > 0 && 10*rep.Noise >= all {
		fmt.Fprintf(s.err, "interdict: feed %s: %d of %d texts are no value of any kind: is it the right file?\n", rep.Feed, rep.Noise, all)
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
	if err == nil && rep.Became[library.BecameCounting] != rep.Read {
		_, err = fmt.Fprintf(s.out, "feed %s: of %d that were read: %s\n", rep.Feed, rep.Read, becameText(rep.Became))
	}
	return err
}

// becameText tells what became of what was read.
func becameText(became map[string]int) string {
	parts := []string{fmt.Sprintf("%d in force", became[library.BecameCounting])}
	for _, of := range [...]struct{ word, says string }{{library.AsideExpired, "ended before"}, {library.AsideRevoked, "revoked"}, {library.AsideSkipped, "skipped"},
		{library.AsideRefused, "refused"}, {library.BecameDuplicate, "duplicates"}, {library.BecameOlder, "older than what is known"}, {library.AsideSuperseded, "superseded"}, {library.AsideMissing, "missing"}} {
		if n := became[of.word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, of.says))
		}
	}
	return strings.Join(parts, ", ")
}
