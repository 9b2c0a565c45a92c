package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

type sourceTestCmd struct {
	configFlag
	sourceName
	Last  int      `default:"200" help:"Without files: so many of the newest records of the source's topic."`
	JSON  bool     `name:"json" help:"Print as JSON."`
	Files []string `arg:"" optional:"" name:"file" help:"Files of records instead of the topic; - is standard input."`
}

// Help says when it fails.
func (sourceTestCmd) Help() string {
	return "The topic is read without a consumer group: nothing changes. The verdict is good, look (something needs an eye on it) or bad (exit 1): no records, nothing accepted of what was not ignored, or at least 5 in 100 documents rejected."
}

// Bounds of what is read for a test.
const (
	maxLast      = 10_000
	maxExamples  = 3
	maxTestBytes = 256 << 20
	badRejects   = 0.05
)

// sourceTrial is what normalize makes of records of a source.
type sourceTrial struct {
	Source    string                 `json:"source"`
	Tenant    string                 `json:"tenant"`
	From      string                 `json:"from"`
	Records   int                    `json:"records"`
	Newest    schema.Millis          `json:"newest,omitzero"` // timestamp of the newest record of the topic
	Documents int                    `json:"documents"`
	Accepted  int                    `json:"accepted"`
	Ignored   int                    `json:"not_an_alert"`
	Rejected  int                    `json:"rejected"`
	Reasons   map[string]*trialFault `json:"reasons,omitempty"`
	Formats   map[string]*trialShape `json:"formats,omitempty"`
	Without   trialGaps              `json:"without"`
	Verdict   string                 `json:"verdict"`
	Remarks   []string               `json:"remarks,omitempty"`
}

// trialFault is one reason for rejects.
type trialFault struct {
	Documents int      `json:"documents"`
	Examples  []string `json:"examples"`
}

// trialShape is one format that was found.
type trialShape struct {
	Alerts  int `json:"alerts"`
	Ignored int `json:"not_an_alert"`
}

// trialGaps counts the alerts that lack something.
type trialGaps struct {
	Severity int `json:"severity"`
	ID       int `json:"id"`
	Entities int `json:"entities"`
	Title    int `json:"title"`
}

func (c *sourceTestCmd) Run(ctx context.Context, s *streams) error {
	var cfg *settings.Config
	var err error
	if len(c.Files) > 0 {
		cfg, err = c.offline(s)
	} else {
		cfg, err = c.load(s)
	}
	if err != nil {
		return err
	}
	src, err := c.find(cfg)
	if err != nil {
		return err
	}
	if c.Last < 1 || c.Last > maxLast {
		return usagef("--last: want 1 to %d", maxLast)
	}
	raw, from, err := c.records(ctx, s, cfg, src)
	if err != nil {
		return err
	}
	t, err := tryRecords(ctx, cfg, src, raw)
	if err != nil {
		return err
	}
	t.From = from
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(t)
	} else {
		err = t.write(s.out)
	}
	if err == nil && t.Verdict == "bad" {
		return quietError(exitFailed)
	}
	return err
}

// records gives what is to be tried, and says where it is from.
func (c *sourceTestCmd) records(ctx context.Context, s *streams, cfg *settings.Config, src settings.Source) (raw []schema.Raw, from string, err error) {
	if len(c.Files) == 0 {
		if len(cfg.Kafka.Brokers) == 0 {
			return nil, "", usagef("source test: kafka.brokers is not set; name files instead")
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		last, err := kafka.Recent(ctx, cfg.Kafka, src.Topic, c.Last)
		if err != nil {
			return nil, "", err
		}
		for _, r := range last {
			raw = append(raw, schema.Raw{Topic: src.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time, Value: r.Value})
		}
		return raw, fmt.Sprintf("the last %d records of topic %s", len(raw), src.Topic), nil
	}
	size := 0
	for _, name := range c.Files {
		received := cmp.Or(pipeline.FileTime(name), schema.FromTime(time.Now()))
		err := pipeline.ReadRecords(ctx, name, s.in, func(r pipeline.FileRecord) error {
			if size += len(r.Value); size > maxTestBytes {
				return fmt.Errorf("%s: the files hold more than %d bytes: take fewer records", name, maxTestBytes)
			}
			raw = append(raw, schema.Raw{Topic: name, Offset: r.Number, Received: received, Value: bytes.Clone(r.Value)})
			return nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	return raw, strings.Join(c.Files, ", "), nil
}

// tryRecords normalizes records as the source's.
func tryRecords(ctx context.Context, cfg *settings.Config, src settings.Source, raw []schema.Raw) (*sourceTrial, error) {
	formats, err := normalize.Load(cfg.Normalize)
	if err != nil {
		return nil, usage{err}
	}
	n, err := normalize.New(cfg.Normalize, formats)
	if err != nil {
		return nil, usage{err}
	}
	t := &sourceTrial{Source: src.ID, Tenant: src.Tenant, Records: len(raw), Reasons: map[string]*trialFault{}, Formats: map[string]*trialShape{}}
	var plan *schema.Source
	for _, p := range cfg.Plan().Sources {
		if p.ID == src.ID && p.Tenant == src.Tenant {
			plan = &p
		}
	}
	if plan == nil {
		return nil, errors.New("the source is not in the plan")
	}
	var b schema.Batch
	for i := range raw {
		raw[i].Source = plan
		b.Raw = append(b.Raw[:0], raw[i])
		if err := n.Process(ctx, &b); err != nil {
			return nil, err
		}
		t.add(&b)
		t.Newest = max(t.Newest, raw[i].Time)
		b.Reset()
	}
	t.judge(src)
	return t, nil
}

func (t *sourceTrial) add(b *schema.Batch) {
	shape := func(name string) *trialShape {
		if t.Formats[name] == nil {
			t.Formats[name] = &trialShape{}
		}
		return t.Formats[name]
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		shape(a.Format).Alerts++
		count := func(n *int, missing bool) {
			if missing {
				*n++
			}
		}
		count(&t.Without.Severity, a.Severity == schema.SeverityUnknown)
		count(&t.Without.ID, a.VendorID == schema.ContentSum(a.Raw))
		count(&t.Without.Entities, len(a.Entities) == 0)
		count(&t.Without.Title, a.Title == "")
	}
	for _, d := range b.Drops {
		shape(d.Detail).Ignored++
	}
	for _, r := range b.Rejects {
		f := t.Reasons[r.Reason.String()]
		if f == nil {
			f = &trialFault{}
			t.Reasons[r.Reason.String()] = f
		}
		if f.Documents++; len(f.Examples) < maxExamples {
			f.Examples = append(f.Examples, fmt.Sprintf("%s/%d/%d document %d: %s: %s", r0(b).Topic, r0(b).Partition, r0(b).Offset, r.Doc+1, r.Detail, short(string(r.Bytes), 120)))
		}
	}
	t.Accepted += len(b.Alerts)
	t.Ignored += len(b.Drops)
	t.Rejected += len(b.Rejects)
	t.Documents += len(b.Alerts) + len(b.Drops) + len(b.Rejects)
}

// r0 is the record of a batch of one.
func r0(b *schema.Batch) *schema.Raw { return &b.Raw[0] }

// judge says what a person would say of the figures.
func (t *sourceTrial) judge(src settings.Source) {
	t.Verdict = "good"
	worse := func(verdict, format string, args ...any) {
		if t.Verdict != "bad" {
			t.Verdict = verdict
		}
		t.Remarks = append(t.Remarks, fmt.Sprintf(format, args...))
	}
	switch {
	case t.Records == 0:
		worse("bad", "there are no records: does the sensor write to %s?", src.Topic)
		return
	case float64(t.Rejected) >= badRejects*float64(t.Documents) && t.Rejected > 0:
		worse("bad", "%d of %d documents are rejected", t.Rejected, t.Documents)
	case t.Rejected > 0:
		worse("look", "%d of %d documents are rejected", t.Rejected, t.Documents)
	}
	if t.Accepted == 0 {
		worse("look", "none of the documents is an alert")
	}
	if f := t.Reasons[schema.ReasonFormatNotAllowed.String()]; f != nil {
		worse("look", "%d documents are of a format that the source does not list", f.Documents)
	}
	if len(src.Formats) == 0 && len(t.Formats) > 0 {
		worse("look", "name the formats under the source, so that nothing else is taken: formats: [%s]", strings.Join(slices.Sorted(maps.Keys(t.Formats)), ", "))
	}
	gap := func(n int, what string) {
		if t.Accepted > 0 && 2*n > t.Accepted {
			worse("look", "%d of %d alerts have no %s", n, t.Accepted, what)
		}
	}
	gap(t.Without.Severity, "severity")
	if t.Without.ID > 0 { // some vendors have none
		t.Remarks = append(t.Remarks, fmt.Sprintf("%d of %d alerts have no id of the vendor's: sent again in other words, they are other alerts", t.Without.ID, t.Accepted))
	}
	gap(t.Without.Entities, "entities: nothing can be correlated with them")
	gap(t.Without.Title, "title")
}

func (t *sourceTrial) write(w io.Writer) error {
	fmt.Fprintf(w, "source %s of tenant %s, %s\n", t.Source, t.Tenant, t.From)
	if t.Newest != 0 {
		fmt.Fprintf(w, "newest record     %s\n", t.Newest)
	}
	fmt.Fprintf(w, "records           %d, documents %d\n", t.Records, t.Documents)
	part := func(name string, n, of int) {
		share := ""
		if of > 0 {
			share = fmt.Sprintf("  %.1f %%", 100*float64(n)/float64(of))
		}
		fmt.Fprintf(w, "%-17s %d%s\n", name, n, share)
	}
	part("accepted", t.Accepted, t.Documents)
	part("not an alert", t.Ignored, t.Documents)
	part("rejected", t.Rejected, t.Documents)
	byCount := func(x, y string) int {
		return cmp.Or(t.Reasons[y].Documents-t.Reasons[x].Documents, cmp.Compare(x, y))
	}
	for _, reason := range slices.SortedFunc(maps.Keys(t.Reasons), byCount) {
		fmt.Fprintf(w, "  %-22s %d\n", reason, t.Reasons[reason].Documents)
		for _, e := range t.Reasons[reason].Examples {
			fmt.Fprintf(w, "    %s\n", printable(e))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Formats)) {
		fmt.Fprintf(w, "format %-22s %d alerts, %d not\n", printable(name), t.Formats[name].Alerts, t.Formats[name].Ignored)
	}
	if t.Accepted > 0 {
		part("no severity", t.Without.Severity, t.Accepted)
		part("no vendor's id", t.Without.ID, t.Accepted)
		part("no entities", t.Without.Entities, t.Accepted)
		part("no title", t.Without.Title, t.Accepted)
	}
	for _, r := range t.Remarks {
		fmt.Fprintf(w, "- %s\n", printable(r))
	}
	_, err := fmt.Fprintf(w, "verdict: %s\n", t.Verdict)
	return err
}
