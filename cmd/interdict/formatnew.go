package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/draft"
)

type formatNewCmd struct {
	formatsFlag
	From  []string `required:"" placeholder:"SAMPLE" help:"Files of samples: JSON, NDJSON, CSV, text, XML, gzip or zstd; - is standard input."`
	Dir   string   `default:"formats" help:"Folder of formats that the draft is written to, as NAME/."`
	Force bool     `help:"Draft although a format in force takes the samples."`
	JSON  bool     `name:"json" help:"Print the report as JSON."`
	Name  string   `arg:"" help:"Name of the format: lower-case letters, digits and _."`
}

// Bounds of what is read of samples, and of the case that is written.
const (
	maxSamples     = 2000
	maxSampleBytes = 64 << 20
	maxCase        = 20
)

// draftReport is what new did.
type draftReport struct {
	Dir        string         `json:"dir"`
	Documents  int            `json:"documents"`
	Unreadable map[string]int `json:"unreadable,omitempty"` // by reason
	TakenBy    map[string]int `json:"taken_by,omitempty"`   // documents, by format in force
	Alerts     int            `json:"alerts"`               // of the case, by the draft
	Ignored    int            `json:"ignored"`
	Rejected   []string       `json:"rejected,omitempty"`
	Checks     int            `json:"checks"` // lines to look at
	Files      []string       `json:"files"`
}

func (c *formatNewCmd) Run(ctx context.Context, s *streams) error {
	if !regexp.MustCompile(`^[a-z0-9_]{1,64}$`).MatchString(c.Name) {
		return usagef("%q: a format's name is of lower-case letters, digits and _", c.Name)
	}
	dir := filepath.Join(c.Dir, c.Name)
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return usagef("%s is there already; nothing was written", dir)
	}
	formats, _, err := c.load(s)
	if err != nil {
		return err
	}
	if formats.Known(c.Name) && !c.Force {
		return usagef("there is a format %s in force already; a draft of that name would take its place: --force", c.Name)
	}
	docs, rep, err := c.documents(ctx, s, formats)
	if err != nil {
		return err
	}
	rep.Dir = dir
	if len(rep.TakenBy) > 0 && !c.Force {
		return fmt.Errorf("%s: nothing was written (--force drafts all the same; then name the format under the source)", takenBy(rep, formats))
	}
	sample := draft.NewSample()
	var taken [][]byte
	for _, d := range docs {
		if err := sample.Add(d); err != nil {
			rep.Unreadable[err.Error()]++
			continue
		}
		taken = append(taken, d)
	}
	if rep.Documents = sample.Documents(); rep.Documents == 0 {
		return fmt.Errorf("%v holds no document that can be read%s", c.From, reasons(rep.Unreadable))
	}
	yaml := sample.Draft(c.Name)
	rep.Checks = strings.Count(string(yaml), "# check: ")
	if err := c.write(dir, yaml, choose(taken), &rep); err != nil {
		return err
	}
	if err := c.try(ctx, dir, &rep); err != nil {
		return fmt.Errorf("the draft in %s does not work as it is: %w", dir, err)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(rep)
	}
	return c.say(s, rep)
}

// documents takes the samples apart as the stage would, and says which formats
// would take them. No source allows the format named here, so that every document
// comes back as a reject with its bytes.
func (c *formatNewCmd) documents(ctx context.Context, s *streams, formats *normalize.Formats) (docs [][]byte, rep draftReport, err error) {
	rep.Unreadable, rep.TakenBy = map[string]int{}, map[string]int{}
	n, err := normalize.New(normalize.Default(), formats)
	if err != nil {
		return nil, rep, err
	}
	size, enough := 0, errors.New("enough")
	src := &schema.Source{ID: "sample", Tenant: "sample", Formats: []string{"none of these"}}
	for _, name := range c.From {
		err := pipeline.ReadRecords(ctx, name, s.in, func(r pipeline.FileRecord) error {
			b := schema.Batch{Raw: []schema.Raw{{Source: src, Value: r.Value, Topic: name, Offset: r.Number, Received: schema.FromTime(time.Now())}}}
			if err := n.Process(ctx, &b); err != nil {
				return err
			}
			for _, j := range b.Rejects {
				switch j.Reason {
				case schema.ReasonFormatNotAllowed:
					name, _, _ := strings.Cut(j.Detail, " ")
					if f, ok := formats.Find(name); ok && !f.Generic {
						rep.TakenBy[name]++
					}
				case schema.ReasonUnknownFormat:
				default:
					rep.Unreadable[j.Reason.String()+": "+j.Detail]++
					continue
				}
				docs = append(docs, bytes.Clone(j.Bytes))
				if size += len(j.Bytes); len(docs) == maxSamples || size > maxSampleBytes {
					return enough
				}
			}
			return nil
		})
		if errors.Is(err, enough) {
			break
		}
		if err != nil {
			return nil, rep, err
		}
	}
	return docs, rep, nil
}

func takenBy(rep draftReport, formats *normalize.Formats) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(rep.TakenBy)) {
		doc := ""
		if f, ok := formats.Find(name); ok {
			doc = " (" + f.Doc + ")"
		}
		all = append(all, fmt.Sprintf("the format %s takes %d of the samples%s", name, rep.TakenBy[name], doc))
	}
	return strings.Join(all, "; ")
}

func reasons(counts map[string]int) string {
	var b strings.Builder
	for _, what := range slices.SortedFunc(maps.Keys(counts), func(x, y string) int { return cmp.Or(counts[y]-counts[x], cmp.Compare(x, y)) }) {
		fmt.Fprintf(&b, "; %d x %s", counts[what], printable(what))
		if b.Len() > 400 {
			break
		}
	}
	return b.String()
}

// choose takes the documents of the case: the first of each shape, then the first
// of all.
func choose(docs [][]byte) [][]byte {
	var first, rest [][]byte
	seen := map[string]bool{}
	for _, d := range docs {
		if s := shapeOf(d); !seen[s] {
			seen[s] = true
			first = append(first, d)
		} else {
			rest = append(rest, d)
		}
	}
	all := append(first, rest...)
	return all[:min(len(all), maxCase)]
}

// shapeOf tells documents of different kinds apart: by their top-level names and
// what they say of their type.
func shapeOf(doc []byte) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(doc, &o) != nil {
		return "text"
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(o)) {
		b.WriteString(k + "\x00")
		if strings.Contains(strings.ToLower(k), "type") || k == "kind" || k == "category" {
			b.Write(o[k])
		}
	}
	return b.String()
}

func (c *formatNewCmd) write(dir string, yaml []byte, docs [][]byte, rep *draftReport) error {
	if err := os.MkdirAll(filepath.Join(dir, "cases"), 0o755); err != nil {
		return err
	}
	cases := map[string][]byte{}
	for _, d := range docs {
		name := "sample.log"
		if d[0] == '{' {
			var line bytes.Buffer
			if err := json.Compact(&line, d); err != nil {
				return fmt.Errorf("sample: %w", err)
			}
			name, d = "sample.ndjson", line.Bytes()
		} else if d[0] == '<' && d[len(d)-1] == '>' {
			name = "sample.xml"
		}
		cases[name] = append(append(cases[name], d...), '\n')
	}
	files := map[string][]byte{normalize.FormatFile: yaml, "README.md": readme(c.Name)}
	for name, text := range cases {
		if ext := filepath.Ext(name); len(cases) > 1 { // each needs a golden file of its own
			name = "sample_" + ext[1:] + ext
		}
		files[filepath.Join("cases", name)] = text
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		rep.Files = append(rep.Files, path)
	}
	return nil
}

// readme is the page that every format has, with what is to be filled in.
func readme(name string) []byte {
	return fmt.Appendf(nil, `# %s

What it is: one or two sentences.

## How it gets to Kafka
The shipper, the settings of the product, the envelope.

## What is an alert
Which records are alerts, which are telemetry, and why.

## Fields
- **id**: where it is from, and whether it stays when the alert changes.
- **severity**: the vendor's scale.
- **entities**: what is unusual; who may write what.

## Source
Where the facts are from. Proved on samples, or on documentation alone.
`, name)
}

// try normalizes the written case with the draft.
func (c *formatNewCmd) try(ctx context.Context, dir string, rep *draftReport) error {
	cfg, own := normalize.Default(), ""
	if c.Formats != "" {
		own = c.Formats
	}
	cfg.FormatsDir, cfg.Format = own, c.Name
	f, err := loadFolders(cfg, []string{dir})
	if err != nil {
		return err
	}
	cases, err := f.RunCases(ctx, dir, c.Name, false)
	if err != nil {
		return err
	}
	for _, x := range cases {
		for line := range strings.Lines(x.Got) {
			if strings.HasPrefix(line, "alert ") {
				rep.Alerts++
			} else if strings.HasPrefix(line, "drop ") {
				rep.Ignored++
			}
		}
		for _, j := range x.Rejects {
			rep.Rejected = append(rep.Rejected, fmt.Sprintf("%s: %s: %s", j.Reason, j.Detail, short(string(j.Bytes), 100)))
		}
	}
	return nil
}

func (c *formatNewCmd) say(s *streams, rep draftReport) error {
	for _, f := range rep.Files {
		fmt.Fprintf(s.out, "wrote %s\n", f)
	}
	fmt.Fprintf(s.out, "%d documents read; of those in the case the draft makes %d alerts, ignores %d, rejects %d\n", rep.Documents, rep.Alerts, rep.Ignored, len(rep.Rejected))
	for _, r := range rep.Rejected {
		fmt.Fprintf(s.out, "  reject: %s\n", printable(r))
	}
	if len(rep.Unreadable) > 0 {
		fmt.Fprintf(s.out, "not readable%s\n", reasons(rep.Unreadable))
	}
	_, err := fmt.Fprintf(s.out, "next: look at the %d lines marked # check in %s, then\n  interdict format test %s --update\n",
		rep.Checks, filepath.Join(rep.Dir, normalize.FormatFile), rep.Dir)
	return err
}
