package canon

import (
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
)

// ParseTime reads a time that explains itself: RFC 3339 and its relatives, the
// dates that vendors write with the month's name, numeric dates of which only one
// reading is possible, and Unix times. Without a zone it is UTC. Times before
// 1970, which vendors write for "never", are zero. ok is false for text that is
// no time, for what could be two times, and for years after 2200.
func ParseTime(s string) (t schema.Millis, ok bool) { return automatic(s, nil, 0) }

// automatic reads any time that explains itself. One without a year is put near
// the given time, if there is one.
func automatic(s string, zone *time.Location, near schema.Millis) (schema.Millis, bool) {
	if len(s) > 4 && s[4] == '-' {
		if m, ok := readISO(s); ok {
			return m.millis(zone)
		}
	}
	if s = bare(s); s == "" {
		return 0, false
	}
	switch {
	case s[0]-'0' <= 9:
	case s[0] == '-' || s[0] == '+' || s[0] == '.':
		if len(s) < 2 || s[1]-'0' > 9 {
			return 0, false
		}
	case strings.HasPrefix(s, "/Date("):
		return dotNet(s)
	}
	if len(s) == len("20060102") && allDigits(s) {
		if m, ok := readDay(s); ok && m.year >= firstYear {
			if _, ok := m.millis(nil); ok {
				return 0, false // a day, or seconds of 1970
			}
		}
	}
	if t, ok := number(s, bySize); ok {
		return t, true
	}
	if m, ok := readISO(s); ok {
		return m.millis(zone)
	}
	if m, ok := readStamp(s); ok {
		return m.millis(zone)
	}
	m, ok := readWords(s)
	switch {
	case !ok:
		return 0, false
	case !m.yearless:
		return m.millis(zone)
	case near == 0:
		return 0, false
	}
	return m.near(zone, near)
}

// maxTimeText is longer than any time is written.
const maxTimeText = 80

// bare takes away what stands around a time: blanks, quotes, brackets, and the
// sign with which a Cisco device says that its clock is not synchronized.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxTimeText {
		return ""
	}
	if len(s) > 2 {
		switch a, z := s[0], s[len(s)-1]; {
		case a == '"' && z == '"', a == '\'' && z == '\'', a == '[' && z == ']':
			s = strings.TrimSpace(s[1 : len(s)-1])
		case a == '*', a == '.' && isLetter(s[1]):
			s = s[1:]
		}
	}
	return s
}

// dotNet reads the dates of Microsoft's older JSON, /Date(1398422400000+0200)/:
// milliseconds, whatever the offset for display.
func dotNet(s string) (schema.Millis, bool) {
	s = s[len("/Date("):]
	end := strings.Index(s, ")/")
	if end < 0 || end+2 != len(s) {
		return 0, false
	}
	s = s[:end]
	if n := len(s) - 5; n > 0 && (s[n] == '+' || s[n] == '-') {
		s = s[:n]
	}
	return number(s, millis)
}
