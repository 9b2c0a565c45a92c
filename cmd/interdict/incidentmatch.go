package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// byAlert puts the matches of each alert together.
func byAlert(list []persist.Match) map[schema.AlertID][]persist.Match {
	of := map[schema.AlertID][]persist.Match{}
	for i := range list {
		of[list[i].Alert] = append(of[list[i].Alert], list[i])
	}
	return of
}

// shownMatches bounds how many indicators are told at a time; --json has them all.
const shownMatches = 20

// writeMatches tells indicators, each once, those that count first.
func writeMatches(w io.Writer, indent string, list []persist.Match) {
	var lines []string
	for _, counting := range []bool{true, false} {
		for i := range list {
			if list[i].Counts() != counting || len(lines) > shownMatches {
				continue
			}
			if line := matchText(&list[i]); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	for _, line := range lines[:min(len(lines), shownMatches)] {
		fmt.Fprintln(w, indent+line)
	}
	if len(lines) > shownMatches {
		fmt.Fprintln(w, indent+"and more indicators: --json")
	}
}

// matchText is an indicator with what it is worth and what is behind it.
func matchText(m *persist.Match) string {
	text := fmt.Sprintf("indicator %s of feed %s: %s", short(m.Value, 120), printable(m.Feed), m.Verdict)
	if m.Wish != schema.WishNone {
		text += ", " + m.Wish.String()
	}
	switch {
	case m.Withdrawn != 0:
		text += fmt.Sprintf(", withdrawn %s: %s", m.Withdrawn.Time().Format("2006-01-02 15:04"), short(m.Demoted, 120))
	case m.Demoted != "":
		text += ", does not count: " + short(m.Demoted, 120)
	}
	if m.Retro {
		text += ", found after the alert"
	}
	var threats []string
	for _, t := range m.Threats[:min(len(m.Threats), 5)] {
		threats = append(threats, t.Kind.String()+" "+short(cmp.Or(t.Name, t.ID), 60))
	}
	if len(threats) > 0 {
		text += " (" + strings.Join(threats, ", ") + ")"
	}
	return text
}
