package canon

import "strings"

// wordReader reads a date and a time of day in any of the orders in which people
// write them. It goes by what is written: names of months, four-digit years,
// colons. Where that leaves two readings it gives none.
type wordReader struct {
	s string
	m moment

	hasDay, hasYear, hasTime bool
	half                     byte // 'A' or 'P'
	first, second            int  // of a numeric date: month and day, in one order or the other
	dotted                   bool // the numeric date is written with dots
	monthFirst               bool // its order is known
	weekday                  bool
}

func readWords(s string) (moment, bool) {
	r := wordReader{s: s}
	for r.s != "" {
		if !r.step() {
			return moment{}, false
		}
	}
	return r.finish()
}

func (r *wordReader) step() bool {
	switch c := r.s[0]; {
	case c == ' ' || c == ',' || c == '\t':
		r.s = r.s[1:]
		return true
	case c-'0' <= 9:
		return r.digits()
	case isLetter(c):
		return r.word()
	case c == '+' || c == '-':
		return r.offset()
	case c == '(' || c == '[':
		ok := r.m.zoned && zoneComment(r.s)
		r.s = ""
		return ok
	case strings.HasPrefix(r.s, "\u00a0"):
		r.s = r.s[len("\u00a0"):]
		return true
	case strings.HasPrefix(r.s, "\u202f"):
		r.s = r.s[len("\u202f"):]
		return true
	}
	return false
}

// word reads the name of a month, a weekday or a zone, AM or PM, or a word that
// only joins.
func (r *wordReader) word() bool {
	n := 1
	for n < len(r.s) && isLetter(r.s[n]) {
		n++
	}
	w := r.s[:n]
	r.s = r.s[n:]
	if month := monthNamed(w); month > 0 {
		if r.m.month != 0 || r.first != 0 {
			return false
		}
		r.m.month = month
		r.s = strings.TrimPrefix(r.s, ".")
		return true
	}
	switch {
	case (w == "T" || w == "t" || w == "at") && !r.hasTime:
		return r.hasDay && r.s != ""
	case strings.EqualFold(w, "AM") || strings.EqualFold(w, "PM"):
		if !r.hasTime || r.half != 0 {
			return false
		}
		r.half = w[0] &^ 0x20
		return true
	case isWeekday(w):
		if r.weekday {
			return false
		}
		r.weekday = true
		r.s = strings.TrimPrefix(r.s, ".")
		return true
	case !r.hasTime:
		return false
	case r.m.zoned:
		return zoneComment(w) // +0200 CEST
	}
	minutes, ok := zoneName(w)
	if !ok {
		return false
	}
	r.m.offset, r.m.zoned = minutes, true
	if minutes == 0 && len(w) > 1 && len(r.s) > 2 && (r.s[0] == '+' || r.s[0] == '-') {
		r.m.zoned = false // GMT+0100: the offset follows
	}
	return true
}

func (r *wordReader) offset() bool {
	if !r.hasTime || r.m.zoned {
		return false
	}
	n := 1
	for n < len(r.s) && (r.s[n]-'0' <= 9 || r.s[n] == ':') {
		n++
	}
	minutes, ok := zoneOffset(r.s[:n])
	r.m.offset, r.m.zoned = minutes, true
	r.s = r.s[n:]
	return ok
}

// digits reads what begins with a number: a time, a date in numbers, a day or a
// year.
func (r *wordReader) digits() bool {
	n := 1
	for n < len(r.s) && r.s[n]-'0' <= 9 {
		n++
	}
	if n > 4 {
		return false
	}
	value := small(r.s[:n])
	next := byte(0)
	if n < len(r.s) {
		next = r.s[n]
	}
	switch {
	case next == ':' && n <= 2:
		return r.clock(value, r.s[n+1:])
	case (next == '/' || next == '-' || next == '.') && !r.hasDay && r.m.month == 0 && !r.hasYear && n+1 < len(r.s):
		return r.date(value, n, next)
	case n == 4:
		if r.hasYear {
			return false
		}
		r.m.year, r.hasYear = value, true
		r.s = r.s[n:]
		if next == ':' { // Apache
			r.s = r.s[1:]
		}
		return r.first == 0
	case n > 2:
		return false
	case !r.hasDay:
		r.m.day, r.hasDay = value, true
		r.s = r.s[n:]
		return r.first == 0
	case r.m.month != 0 && !r.hasYear && !r.hasTime && n == 2:
		r.m.year, r.hasYear = century(value), true
		r.s = r.s[n:]
		return true
	}
	return false
}

// date reads a date whose parts one sign separates; r.s begins with a number of n
// digits and the sign.
func (r *wordReader) date(value, n int, sign byte) bool {
	s := r.s[n+1:]
	mid, midLen, s := r.part(s)
	if midLen == 0 || n == 3 {
		return false
	}
	if s == "" || s[0] != sign {
		// Snort: month and day, a dash, the time.
		if s == "" || sign != '/' || s[0] != '-' || mid < 0 || n > 2 || midLen > 2 {
			return false
		}
		r.first, r.second, r.monthFirst, r.hasDay = value, mid, true, true
		r.s = s[1:]
		return true
	}
	s = s[1:]
	last, lastLen, s := r.part(s)
	if last < 0 || lastLen == 0 || lastLen == 3 || midLen > 2 {
		return false
	}
	r.s = s
	r.hasDay, r.hasYear = true, true
	switch {
	case n == 4 && lastLen <= 2:
		r.m.year, r.m.day = value, last
		if mid >= 0 {
			r.m.month = mid
		}
		return mid != 0
	case n == 4:
		return false
	case lastLen == 4:
		r.m.year = last
	case lastLen == 2:
		r.m.year = century(last)
		if mid >= 0 { // which of the three is the year?
			r.monthFirst = sign == '/' && s != "" && s[0] == '-'
			if !r.monthFirst && !endsInHalf(s) {
				return false
			}
		}
	default:
		return false
	}
	if r.s != "" && (r.s[0] == '-' && sign == '/' || r.s[0] == ':') { // Snort; Apache
		r.s = r.s[1:]
	}
	if mid < 0 {
		r.m.day = value
		return true
	}
	r.first, r.second, r.dotted = value, mid, sign == '.'
	return true
}

// part reads a number, or the name of a month, which is set; value is -1 then.
func (r *wordReader) part(s string) (value, n int, rest string) {
	if s != "" && isLetter(s[0]) {
		for n < len(s) && isLetter(s[n]) {
			n++
		}
		r.m.month = monthNamed(s[:n])
		if r.m.month == 0 {
			return 0, 0, ""
		}
		return -1, 1, s[n:]
	}
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	if n > 4 {
		return 0, 0, ""
	}
	return small(s[:n]), n, s[n:]
}

// clock reads a time of day whose hour and colon were read.
func (r *wordReader) clock(hour int, s string) bool {
	if r.hasTime || len(s) < 2 {
		return false
	}
	minute, ok := two(s, 0)
	if !ok {
		return false
	}
	r.hasTime = true
	r.m.hour, r.m.minute = hour, minute
	s = s[2:]
	if len(s) > 2 && s[0] == ':' {
		if r.m.second, ok = two(s, 1); !ok {
			return false
		}
		s = s[3:]
		if len(s) >= 4 && s[0] == ':' && allDigits(s[1:4]) && (len(s) == 4 || s[4]-'0' > 9) { // 07:11:33:699
			r.m.milli = small(s[1:4])
			s = s[4:]
		} else if len(s) > 1 && s[1]-'0' <= 9 {
			if s, ok = readFraction(&r.m, s); !ok {
				return false
			}
		}
		if s != "" && s[0] == ':' { // Cisco writes a colon after the time
			s = s[1:]
		}
	}
	r.s = s
	return s == "" || s[0]-'0' > 9
}

func (r *wordReader) finish() (moment, bool) {
	m := &r.m
	if r.first != 0 || r.second != 0 {
		switch a, b := r.first, r.second; {
		case r.monthFirst, a == b:
			m.month, m.day = a, b
		case a > 12:
			m.month, m.day = b, a
		case b > 12, r.half != 0 && !r.dotted:
			m.month, m.day = a, b
		default:
			return *m, false
		}
	}
	if r.half != 0 {
		if m.hour > 12 {
			return *m, false
		}
		m.hour %= 12
		if r.half == 'P' {
			m.hour += 12
		}
	}
	m.yearless = !r.hasYear
	return *m, r.hasDay && m.month != 0 && (r.hasYear || r.hasTime)
}

// century completes a year of two digits.
func century(y int) int {
	if y < 70 {
		return 2000 + y
	}
	return 1900 + y
}

// small reads a few digits.
func small(s string) int {
	n := 0
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n
}

// endsInHalf reports whether AM or PM ends s.
func endsInHalf(s string) bool { return s != "" && s[len(s)-1]|0x20 == 'm' }
