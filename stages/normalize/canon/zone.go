package canon

import "strings"

// readZone reads the zone that ends a time: nothing, a name, an offset, or an
// offset with what Go and Java write after it ("+0200 CEST", "Z[UTC]").
func readZone(m *moment, s string) bool {
	switch s {
	case "":
		return true
	case "Z", "z", " UTC", " GMT", " Z":
		m.zoned = true
		return true
	}
	s = strings.TrimLeft(s, " ")
	if s == "" {
		return false
	}
	if s[0] == '+' || s[0] == '-' {
		n := 1
		for n < len(s) && (s[n]-'0' <= 9 || s[n] == ':') {
			n++
		}
		minutes, ok := zoneOffset(s[:n])
		m.offset, m.zoned = minutes, true
		return ok && zoneComment(s[n:])
	}
	n := 0
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	minutes, ok := zoneName(s[:n])
	if !ok {
		return false
	}
	m.offset, m.zoned = minutes, true
	rest := s[n:]
	if len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') && minutes == 0 && !strings.EqualFold(s[:n], "Z") {
		return readZone(m, rest) // GMT+0100
	}
	return zoneComment(rest)
}

// zoneComment reports whether s only repeats, in other words, the zone before
// it: an abbreviation, or a name in brackets.
func zoneComment(s string) bool {
	s = strings.TrimLeft(s, " ")
	if s == "" {
		return true
	}
	if len(s) <= 48 && (s[0] == '(' && s[len(s)-1] == ')' || s[0] == '[' && s[len(s)-1] == ']') {
		return true
	}
	if len(s) < 3 || len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// zoneName gives minutes east of UTC for a name. Of the abbreviations only those
// are known that RFC 822 gives a meaning; all others (CET, IST, BST, AST) stand
// for several zones or are not standardized.
func zoneName(s string) (int, bool) {
	if len(s) == 0 || len(s) > 3 {
		return 0, false
	}
	var b [3]byte
	for i := range len(s) {
		b[i] = s[i] &^ 0x20
	}
	switch string(b[:len(s)]) {
	case "Z", "UT", "UTC", "GMT":
		return 0, true
	case "EDT":
		return -4 * 60, true
	case "EST", "CDT":
		return -5 * 60, true
	case "CST", "MDT":
		return -6 * 60, true
	case "MST", "PDT":
		return -7 * 60, true
	case "PST":
		return -8 * 60, true
	}
	return 0, false
}

// zoneOffset gives minutes east of UTC for +01, +0100 and +01:00.
func zoneOffset(s string) (int, bool) {
	var h, m int
	var ok1, ok2 bool
	switch {
	case len(s) == 3:
		h, ok1 = two(s, 1)
		ok2 = true
	case len(s) == 5:
		h, ok1 = two(s, 1)
		m, ok2 = two(s, 3)
	case len(s) == 6 && s[3] == ':':
		h, ok1 = two(s, 1)
		m, ok2 = two(s, 4)
	}
	n := 60*h + m
	if s[0] == '-' {
		n = -n
	}
	return n, ok1 && ok2 && h <= 23 && m <= 59
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
