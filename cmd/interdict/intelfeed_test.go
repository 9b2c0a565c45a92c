package main

import (
	"strings"
	"testing"
	"time"
)

func TestNameOf(t *testing.T) {
	for place, want := range map[string]string{
		"-":                                     "stdin",
		"/feeds/bad hosts.txt":                  "bad-hosts",
		"/feeds/Vendor.Covid19.Indicators.csv":  "Vendor.Covid19.Indicators",
		"/feeds/list.txt.gz":                    "list",
		"/feeds/v1.2":                           "v1.2",
		"/feeds/.hidden":                        "hidden",
		"/feeds/daily/":                         "daily",
		"/feeds/daily/*.txt":                    "daily",
		"/feeds/daily/bad-*.txt":                "bad",
		"/feeds/\u00e9\u00e9.txt":               "feeds",
		"/":                                     "",
		"https://ti.example/x/list.txt?key=a/b": "list",
		"https://ti.example/":                   "ti.example",
		"https://ti.example":                    "ti.example",
		"https://ti.example/" + strings.Repeat("x", 200): strings.Repeat("x", 100),
		"https://ti.example/%zz":                         "",
	} {
		if got := nameOf(place); got != want {
			t.Errorf("%q: %q, want %q", place, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-03-01":                "2026-03-01T00:00:00Z",
		"2026-03-01T10:30":          "2026-03-01T10:30:00Z",
		"2026-03-01T10:30:00+02:00": "2026-03-01T08:30:00Z",
		"30d":                       "2026-04-01T12:00:00Z",
		"-1.5d":                     "2026-03-01T00:00:00Z",
		"-2h":                       "2026-03-02T10:00:00Z",
		"":                          "",
		"d":                         "",
		"1000000d":                  "", // longer than a duration can be
		"-1000000d":                 "",
		"1e9999d":                   "",
		"yesterday":                 "",
	} {
		got := ""
		if at, err := moment(text, now); err == nil {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
