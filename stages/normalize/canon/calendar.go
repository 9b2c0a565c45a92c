package canon

import (
	"time"

	"github.com/interdict/interdict/schema"
)

// The years that a time may have. What is before is what vendors write for
// "never" (0001, 1601, 1899, 1970) and is zero; what is after is no time of an
// event.
const (
	firstYear = 1970
	lastYear  = 2200

	// lastMillis is the end of lastYear.
	lastMillis = 7289654399999
)

const dayMillis = 24 * 60 * 60 * 1000

// moment is a time as it is written, before its zone is known.
type moment struct {
	year, month, day     int
	hour, minute, second int
	milli                int
	offset               int // minutes east of UTC
	zoned                bool
	yearless             bool // no year is written
}

// millis gives the moment, in zone where it names none itself.
func (m *moment) millis(zone *time.Location) (schema.Millis, bool) {
	// A leap second counts as the second after.
	if m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.year, m.month) || m.hour > 23 || m.minute > 59 || m.second > 60 || m.year > lastYear {
		return 0, false
	}
	if m.year < firstYear {
		return 0, true
	}
	t := daysSince1970(m.year, m.month, m.day)*dayMillis + int64(m.hour*3600+m.minute*60+m.second)*1000 + int64(m.milli)
	switch {
	case m.zoned:
		t -= int64(m.offset) * 60_000
	case zone != nil && zone != time.UTC:
		t = time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, m.milli*1e6, zone).UnixMilli()
	}
	return schema.Millis(max(0, t)), true
}

// maxAhead is how far a clock may be ahead of the time at which its message was
// received, its zone not being known.
const maxAhead = schema.Day

// near gives a moment without a year in the latest year that does not bring it
// past t, but for what clocks and zones differ: what is logged has happened.
func (m moment) near(zone *time.Location, t schema.Millis) (schema.Millis, bool) {
	this := time.UnixMilli(int64(t)).UTC().Year()
	for m.year = this + 1; m.year >= this-1; m.year-- {
		if v, ok := m.millis(zone); ok && v <= t+maxAhead {
			return v, true
		}
	}
	return 0, false
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts days in the Gregorian calendar. The year is taken to
// begin in March, so that the leap day is its last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	const until1970 = 719468 // days from 1 March 0 to 1 January 1970
	return int64(365*year+year/4-year/100+year/400+(153*(month-3)+2)/5+day-1) - until1970
}

// readISO reads the times that begin with year-month-day, the frequent ones by
// far.
func readISO(s string) (m moment, ok bool) {
	if len(s) < len("2006-01-02") || s[7] != '-' {
		return m, false
	}
	y1, ok1 := two(s, 0)
	y2, ok2 := two(s, 2)
	month, ok3 := two(s, 5)
	day, ok4 := two(s, 8)
	if !(ok1 && ok2 && ok3 && ok4) {
		return m, false
	}
	m.year, m.month, m.day = 100*y1+y2, month, day
	if len(s) == len("2006-01-02") {
		return m, true
	}
	if len(s) < len("2006-01-02T15:04") || s[10] != 'T' && s[10] != ' ' && s[10] != 't' && s[10] != '_' || s[13] != ':' {
		return m, false
	}
	hour, ok1 := two(s, 11)
	minute, ok2 := two(s, 14)
	if !(ok1 && ok2) {
		return m, false
	}
	m.hour, m.minute = hour, minute
	s = s[len("2006-01-02T15:04"):]
	if s != "" && s[0] == ':' {
		if len(s) < 3 {
			return m, false
		}
		second, ok1 := two(s, 1)
		if !ok1 {
			return m, false
		}
		m.second = second
		if s, ok = readFraction(&m, s[3:]); !ok {
			return m, false
		}
	}
	return m, readZone(&m, s)
}

// readFraction reads up to nine digits of a second and gives what follows them.
func readFraction(m *moment, s string) (rest string, ok bool) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return s, true
	}
	i := 1
	for scale := 100; i < len(s) && s[i]-'0' <= 9; i++ {
		m.milli += int(s[i]-'0') * scale
		scale /= 10
	}
	return s[i:], i > 1 && i <= 10
}

// two reads two digits at i.
func two(s string, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
