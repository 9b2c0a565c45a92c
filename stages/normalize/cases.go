package normalize

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Case is one sample of a format's folder and what came of it.
type Case struct {
	File    string // the sample
	Golden  string // the file that says what must come of it
	Got     string // see Dump
	Want    string
	Foreign []string // formats that took a document of the sample, and are not the folder's
	Rejects []schema.Reject
}

// OK reports that the case gave what it must.
func (c *Case) OK() bool { return c.Got == c.Want && len(c.Foreign) == 0 }

// CaseTime is when samples were received, so that golden files do not change with
// the clock. Times in them are not clamped to it, so that golden files show them as
// they were read.
const CaseTime schema.Millis = 1772484066721

// goldenExt is what replaces a sample's extension in the name of its golden file.
const goldenExt = ".golden"

// RunCases normalizes the samples in dir/cases and compares each with its golden
// file, X.golden beside X.json (or .ndjson, .log, .xml, .csv). update writes the
// golden files. format is the one that must take every document; "" for any.
func (f *Formats) RunCases(ctx context.Context, dir, format string, update bool) ([]Case, error) {
	samples, err := caseFiles(dir)
	if err != nil {
		return nil, err
	}
	cfg := Default()
	var cases []Case
	for _, file := range samples {
		c, err := f.runCase(ctx, cfg, file, format)
		if err != nil {
			return nil, err
		}
		if update {
			if err := os.WriteFile(c.Golden, []byte(c.Got), 0o644); err != nil {
				return nil, fmt.Errorf("golden file: %w", err)
			}
		}
		want, err := os.ReadFile(c.Golden)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("golden file: %w", err)
		}
		c.Want = string(want)
		cases = append(cases, c)
	}
	return cases, nil
}

func caseFiles(dir string) (samples []string, err error) {
	all, err := filepath.Glob(filepath.Join(dir, "cases", "*"))
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	for _, file := range all {
		if filepath.Ext(file) != goldenExt && !strings.HasPrefix(filepath.Base(file), ".") {
			samples = append(samples, file)
		}
	}
	stems := map[string]string{}
	for _, file := range samples {
		stem := strings.TrimSuffix(file, filepath.Ext(file))
		if other := stems[stem]; other != "" {
			return nil, fmt.Errorf("cases: %s and %s would share a golden file", other, file)
		}
		stems[stem] = file
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("cases: %s has no samples in %s", dir, filepath.Join(dir, "cases"))
	}
	return samples, nil
}

func (f *Formats) runCase(ctx context.Context, cfg Config, file, format string) (Case, error) {
	c := Case{File: file, Golden: strings.TrimSuffix(file, filepath.Ext(file)) + goldenExt}
	raw, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("case: %w", err)
	}
	n, err := New(cfg, f)
	if err != nil {
		return c, err
	}
	src := &schema.Source{ID: "s1", Tenant: "acme", Attests: []string{"host", "ip"}}
	if filepath.Ext(file) == ".csv" {
		src.Formats = []string{CSV}
	}
	b := &schema.Batch{Raw: []schema.Raw{{Source: src, Value: raw, Received: CaseTime, Topic: "raw"}}}
	if err := n.Process(ctx, b); err != nil {
		return c, fmt.Errorf("case %s: %w", file, err)
	}
	c.Got, c.Rejects = Dump(b), b.Rejects
	foreign := func(name string) {
		if format != "" && name != format && !slices.Contains(c.Foreign, name) {
			c.Foreign = append(c.Foreign, name)
		}
	}
	for i := range b.Alerts {
		foreign(b.Alerts[i].Format)
	}
	for _, d := range b.Drops {
		foreign(d.Detail)
	}
	return c, nil
}
