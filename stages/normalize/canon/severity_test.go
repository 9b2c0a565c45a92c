package canon

import (
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

func TestSeverity(t *testing.T) {
	rows(t, "testdata/severities.txt", func(line int, in, want string) {
		for _, text := range []string{in, strings.ToUpper(in), " " + in + "\t"} {
			s, ok := Severity(text)
			got := s.String()
			if !ok {
				got = "no"
			}
			if got != want || !ok && s != schema.SeverityUnknown {
				t.Errorf("line %d: %q: got %s, want %s", line, text, got, want)
			}
		}
	})
	for s := schema.SeverityInformational; s <= schema.SeverityFatal; s++ {
		if got, ok := Severity(s.String()); !ok || got != s {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

func TestConfidence(t *testing.T) {
	for in, want := range map[string]int{
		"0": 0, "1": 1, "85": 85, "100": 100, "101": -1, "1000": -1, " 53 ": 53, "60%": 60, "60 %": 60, "0.5%": 1, "0.85": 85, "0.0": 0, "1.0": 100, "1.": 100, ".5": 50,
		"0.00066": 0, "0.999": 100, "5.9": 6, "99.99": 100, "100.1": -1, "0.5.1": -1, "1e2": -1, "-1": -1, "11/21": -1,
		"low": 15, "Medium": 50, "MODERATE": 50, "high": 85, "Hoch": 85, "Very High": 95, "certain": 95, "tentative": 15,
		"": -1, "unknown": -1, "error": -1, "malicious": -1, ".": -1, "%": -1,
	} {
		got, ok := Confidence(in)
		if n := int(got); !ok && want != -1 || ok && n != want {
			t.Errorf("%q: got %d %v, want %d", in, got, ok, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	rows(f, "testdata/severities.txt", func(_ int, in, _ string) { f.Add(in) })
	f.Add("0.85")
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := Severity(s); ok != (v != schema.SeverityUnknown) || v > schema.SeverityFatal {
			t.Fatalf("%q: %d %v", s, v, ok)
		}
		if v, ok := Confidence(s); v > 100 || !ok && v != 0 {
			t.Fatalf("%q: %d %v", s, v, ok)
		}
	})
}

// A number is never a severity.
func TestNumbersAreNoSeverity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,4})?`).Draw(t, "number")
		if v, ok := Severity(s); ok {
			t.Fatalf("%q is %s", s, v)
		}
	})
}
