package main

import (
	"fmt"
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

// TestNearNames: a slip leads to the names that may be meant, a name like none of many to
// no list of all.
func TestNearNames(t *testing.T) {
	many := []string{"", "list", "list"}
	for n := range 13 {
		many = append(many, fmt.Sprintf("somebody-%02d-else", n))
	}
	for _, x := range []struct {
		name  string
		names []string
		want  string
	}{
		{"lits", many, " (near it: list)"},
		{"LI-ST", many, " (near it: list)"},
		{"daily-list", many, " (near it: list)"},
		{"somebody-03", many, " (near it: somebody-03-else)"},
		{"quite apart", many, ""},
		{"quite apart", many[:3], " (there are: list)"},
		{"x", nil, ""},
		{strings.Repeat("x", 1000), many, ""},
	} {
		if got := nearNames(x.name, x.names); got != x.want {
			t.Errorf("%q: %q, want %q", x.name, got, x.want)
		}
	}
}
