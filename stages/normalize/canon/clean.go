package canon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Clean trims s and gives "" for the words that vendors write for "not known".
func Clean(s string) string {
	if s == "" {
		return s
	}
	if s[0] <= ' ' || s[0] >= utf8.RuneSelf || s[len(s)-1] <= ' ' || s[len(s)-1] >= utf8.RuneSelf {
		s = strings.TrimSpace(s)
	}
	if len(s) > len("notavailable") || s == "" {
		return s
	}
	switch s[0] {
	case 'n', 'N', 'u', 'U', '<', '(', '-', '?', '.':
	default:
		return s
	}
	for _, word := range [...]string{"-", "--", "?", ".", "n/a", "na", "null", "nil", "none", "unknown", "<unknown>", "(unknown)",
		"(null)", "undefined", "notavailable"} {
		if len(s) == len(word) && strings.EqualFold(s, word) {
			return ""
		}
	}
	return s
}

// Lower gives s in lower case, itself where it is already.
func Lower(a *arena.Arena, s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && s[i]-'A' > 'Z'-'A' {
		i++
	}
	if i == len(s) {
		return s
	}
	mark := len(a.Buf)
	a.Buf = append(a.Buf, s[:i]...)
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		a.Buf = append(a.Buf, c)
	}
	for _, r := range s[i:] {
		a.Buf = utf8.AppendRune(a.Buf, unicode.ToLower(r))
	}
	return a.From(mark)
}

// unquoted takes away pairs of a quote around s.
func unquoted(s string, quote byte) string {
	for ends(s, quote, quote) {
		s = Clean(s[1 : len(s)-1])
	}
	return s
}

// trimTail takes away the given character and blanks at the end of s.
func trimTail(s string, c rune) string {
	return strings.TrimRightFunc(s, func(r rune) bool { return r == c || unicode.IsSpace(r) })
}

// ends reports whether s has more than two characters and stands between a and
// z.
func ends(s string, a, z byte) bool { return len(s) > 2 && s[0] == a && s[len(s)-1] == z }

// known gives lower, the lower case of s, "" where only that is a word for "not
// known": beyond ASCII there are capitals of ASCII's letters.
func known(lower, s string) string {
	if len(lower) != len(s) {
		return Clean(lower)
	}
	return lower
}
