package fact_test

import (
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// TestFeedFromYAML: what a feed does not say has the default, and a key that it
// cannot have is an error.
func TestFeedFromYAML(t *testing.T) {
	var list []fact.Feed
	text := "- name: a\n  url: https://feeds.example/a.txt\n  tlp: amber+strict\n  tenant: acme\n  to_ids: false\n  every: 10m\n- name: b\n  file: /feeds/b\n"
	if err := yaml.UnmarshalWithOptions([]byte(text), &list, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			t.Error(err)
		}
	}
	a, b := list[0], list[1]
	if a.TLP != schema.TLPAmberStrict || a.IDsOnly || a.Every != 10*time.Minute || a.Confidence != 75 || a.Rank != 50 || a.Transport != fact.TransportHTTP {
		t.Errorf("a: %+v", a)
	}
	if !b.IDsOnly || b.Every != time.Hour || b.Verdict != schema.VerdictMalicious || b.Transport != fact.TransportFile {
		t.Errorf("b: %+v", b)
	}
	if err := yaml.UnmarshalWithOptions([]byte("- name: a\n  urll: x\n"), &list, yaml.Strict(), yaml.DisallowUnknownField()); err == nil {
		t.Error("an unknown key was taken")
	}
}

// TestFeedValidate: each of these cannot work.
func TestFeedValidate(t *testing.T) {
	for name, change := range map[string]func(*fact.Feed){
		"name":             func(f *fact.Feed) { f.Name = "../x" },
		"nowhere":          func(f *fact.Feed) { f.URL = "" },
		"twice":            func(f *fact.Feed) { f.File = "x" },
		"transport":        func(f *fact.Feed) { f.Transport = "ftp" },
		"collection":       func(f *fact.Feed) { f.Transport = fact.TransportTAXII },
		"format":           func(f *fact.Feed) { f.Format = "xml" },
		"confidence":       func(f *fact.Feed) { f.Confidence = 101 },
		"red for all":      func(f *fact.Feed) { f.TLP = schema.TLPRed },
		"type":             func(f *fact.Feed) { f.Types = []string{"name"} },
		"too often":        func(f *fact.Feed) { f.Every = time.Millisecond },
		"negative silence": func(f *fact.Feed) { f.Silence = -1 },
		"analysts' rank":   func(f *fact.Feed) { f.Rank = 255 },
		"header":           func(f *fact.Feed) { f.CSV.Header = "true" },
		"comma":            func(f *fact.Feed) { f.CSV.Comma = ", " },
		"comma of a quote": func(f *fact.Feed) { f.CSV.Comma = "\"" },
		"shrink":           func(f *fact.Feed) { f.MaxShrink = 101 },
		"no bytes":         func(f *fact.Feed) { f.MaxBytes = 0 },
	} {
		f := fact.DefaultFeed()
		f.Name, f.URL = "a", "https://feeds.example/"
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		f.Transport = ""
		change(&f)
		if err := f.Validate(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
