package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestExplainedMatches: each alert tells its indicators with what they are worth by now,
// and the incident that none of them counts any more.
func TestExplainedMatches(t *testing.T) {
	const at = schema.Millis(1_795_348_800_000) // 2026-11-22 12:00 UTC
	one, two := schema.AlertID{1}, schema.AlertID{2}
	x := &clickhouse.Explanation{Incident: schema.Incident{Disposition: schema.Promoted}, Withdrawn: true,
		Members: []schema.Member{{Alert: one, Title: "One", Created: at}, {Alert: two, Title: "Two", Created: at}},
		Matches: []persist.Match{
			{Alert: one, Withdrawn: at, Match: schema.Match{Value: "203.0.113.7", Feed: "misp", Verdict: schema.VerdictMalicious, Demoted: "allowed by feed analyst", Retro: true,
				Threats: []schema.Threat{{Kind: schema.ThreatReport, ID: "report--1", Name: "Winter storm"}, {Kind: schema.ThreatMalware, ID: "malware--1"}}}},
			{Alert: two, Match: schema.Match{Value: "203.0.113.9", Feed: "list\x1b", Verdict: schema.VerdictMalicious, Demoted: "on the benign list \"Scanners\""}},
			{Alert: two, Match: schema.Match{Value: "203.0.113.9", Feed: "analyst", Verdict: schema.VerdictBenign, Wish: schema.WishAllow}}}}
	var b strings.Builder
	if err := writeExplanation(&b, x, true); err != nil {
		t.Fatal(err)
	}
	first, second, ok := strings.Cut(b.String(), "Two")
	if !ok {
		t.Fatal(b.String())
	}
	for text, want := range map[string][]string{
		first: {"      indicator 203.0.113.7 of feed misp: malicious, withdrawn 2026-11-22 12:00: allowed by feed analyst, found after the alert (report Winter storm, malware malware--1)\n"},
		second: {"      indicator 203.0.113.9 of feed list : malicious, does not count: on the benign list \"Scanners\"\n",
			"      indicator 203.0.113.9 of feed analyst: benign, allow\n", "  every indicator that counted was taken back; it stays promoted\n"},
	} {
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("no %q in\n%s", w, text)
			}
		}
	}
	for n := range 100 {
		x.Matches = append(x.Matches, persist.Match{Alert: two, Match: schema.Match{Value: fmt.Sprintf("192.0.2.%d", n), Feed: "f", Verdict: schema.VerdictMalicious}})
	}
	b.Reset()
	if err := writeExplanation(&b, x, false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "  indicator "); n != shownMatches || !strings.Contains(b.String(), "and more indicators: --json") {
		t.Errorf("%d indicators in\n%s", n, b.String())
	}
}
