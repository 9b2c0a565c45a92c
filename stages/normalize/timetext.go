package normalize

import (
	"strconv"
	"time"

	"github.com/interdict/interdict/schema"
)

// Unix times are told apart by size: seconds stay below 1e11 (year 5138),
// milliseconds below 1e14, microseconds below 1e17.
const (
	maxSeconds = 1e11
	maxMillis  = 1e14
	maxMicros  = 1e17
)

// parseTime reads RFC 3339 and its common relatives (a space for the T, +0000,
// no zone for UTC, 0-9 digits of fraction) and Unix times. Times at or before
// 1970, which vendors write for "never", are zero. ok is false for text that is
// no time.
func parseTime(s string) (schema.Millis, bool) {
	if s == "" {
		return 0, false
	}
	if len(s) > 4 && s[4] == '-' {
		return parseCalendar(s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f > -maxMicros && f < maxMicros) {
			return 0, false
		}
		if f < maxSeconds {
			return max(0, schema.Millis(f*1000)), true
		}
		n = int64(f)
	}
	switch {
	case n <= 0:
		return 0, true
	case n < maxSeconds:
		return schema.Millis(n * 1000), true
	case n < maxMillis:
		return schema.Millis(n), true
	case n < maxMicros:
		return schema.Millis(n / 1e3), true
	}
	return schema.Millis(n / 1e6), true
}

func parseCalendar(s string) (schema.Millis, bool) {
	const layout = "2006-01-02T15:04:05"
	if len(s) < len(layout) || s[7] != '-' || s[10] != 'T' && s[10] != ' ' && s[10] != 't' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if leap {
		days[1] = 29
	}
	// A leap second counts as the second after.
	if month < 1 || month > 12 || day < 1 || day > days[month-1] || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	rest := s[19:]
	millis := 0
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		i := 1
		for scale := 100; i < len(rest) && rest[i]-'0' <= 9; i++ {
			millis += int(rest[i]-'0') * scale
			scale /= 10
		}
		if i == 1 || i > 10 {
			return 0, false
		}
		rest = rest[i:]
	}
	offset, ok := parseZone(rest)
	if !ok {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, millis*1e6, time.UTC).UnixMilli() - int64(offset)*60_000
	return schema.Millis(max(0, t)), true
}

// parseZone gives minutes east of UTC.
func parseZone(s string) (int, bool) {
	switch s {
	case "", "Z", "z", " UTC", " Z":
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign, s := s[0], s[1:]
	if len(s) == 5 && s[2] == ':' {
		h, ok1 := digits(s[:2])
		m, ok2 := digits(s[3:])
		return zone(sign, h, m, ok1 && ok2)
	}
	if len(s) == 4 {
		h, ok1 := digits(s[:2])
		m, ok2 := digits(s[2:])
		return zone(sign, h, m, ok1 && ok2)
	}
	h, ok := digits(s)
	return zone(sign, h, 0, ok && len(s) == 2)
}

func zone(sign byte, h, m int, ok bool) (int, bool) {
	n := 60*h + m
	if sign == '-' {
		n = -n
	}
	return n, ok && h <= 23 && m <= 59
}

func digits(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = 10*n + int(c)
	}
	return n, len(s) > 0
}
