package syntax

// clockTime finds the end of a time as syslog writes it: "Oct  1 12:34:56", with
// a year before the month or the clock and a fraction; 0 if there is none.
func clockTime(t []byte, pos int) (end int) {
	p := pos
	if q := year(t, p); q > 0 {
		p = q
	}
	if !isMonth(t, p) {
		return 0
	}
	p += 3
	q := skipBlank(t, p)
	if q == p || q-p > 2 {
		return 0
	}
	p = skipDigits(t, q)
	if p == q || p-q > 2 || p == len(t) || t[p] != ' ' {
		return 0
	}
	p++
	if q = year(t, p); q > 0 {
		p = q
	}
	return clock(t, p)
}

// year skips "2018 ".
func year(t []byte, pos int) (next int) {
	if skipDigits(t, pos) == pos+4 && hasAt(t, pos+4, " ") {
		return pos + 5
	}
	return 0
}

func isMonth(t []byte, pos int) bool {
	if len(t)-pos < 4 {
		return false
	}
	switch string(t[pos : pos+3]) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

// clock finds the end of "12:34:56" with or without a fraction.
func clock(t []byte, pos int) (end int) {
	if !shaped(t, pos, "00:00:00") {
		return 0
	}
	p := pos + 8
	if p < len(t) && (t[p] == '.' || t[p] == ',') {
		if q := skipDigits(t, p+1); q > p+1 && q-p < 11 {
			p = q
		}
	}
	if p < len(t) && t[p]-'0' <= 9 {
		return 0
	}
	return p
}

// isoTime finds the end of "2020-10-01T12:34:56.789+02:00" and its relatives; 0
// if there is none.
func isoTime(t []byte, pos int) (end int) {
	if !shaped(t, pos, "0000-00-00") || len(t) < pos+11 || t[pos+10] != 'T' && t[pos+10] != ' ' {
		return 0
	}
	p := clock(t, pos+11)
	switch {
	case p == 0 || p == len(t):
	case t[p] == 'Z':
		p++
	case t[p] == '+' || t[p] == '-':
		switch {
		case shaped(t, p+1, "00:00"):
			p += 6
		case shaped(t, p+1, "0000"):
			p += 5
		}
	}
	return p
}

// shaped reports whether the text at pos has a digit for each "0", and else the
// same bytes.
func shaped(t []byte, pos int, shape string) bool {
	if len(t)-pos < len(shape) {
		return false
	}
	for i := range len(shape) {
		c := t[pos+i]
		if shape[i] == '0' && c-'0' > 9 || shape[i] != '0' && c != shape[i] {
			return false
		}
	}
	return true
}
