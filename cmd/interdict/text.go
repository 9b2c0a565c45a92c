package main

import (
	"strings"
	"unicode"
)

// printable makes hostile text safe for a terminal: control characters, line and
// paragraph separators and bidirectional overrides become spaces. All that
// arrives in an alert is hostile.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

// printableText is printable for a text of several lines, which they stay.
func printableText(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// short cuts s to at most n runes.
func short(s string, n int) string {
	r := []rune(printable(s))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-3]) + "..."
}
