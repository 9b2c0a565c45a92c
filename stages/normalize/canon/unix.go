package canon

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

// Unix times are told apart by size: seconds stay below 1e11 (year 5138),
// milliseconds below 1e14, microseconds below 1e17. Of what is larger, the 100 ns
// since 1601 of a Windows FILETIME are between 1.1e17 (1949) and 2e17 (2234), where
// nanoseconds would be the years 1973 to 1976.
const (
	maxSeconds  = 1e11
	maxMillis   = 1e14
	maxMicros   = 1e17
	minFiletime = 11e16
	maxFiletime = 2e17

	// filetimeEpoch is 1601 in milliseconds before 1970.
	filetimeEpoch = 11644473600000
)

// unit is what a number counts.
type unit uint8

const (
	bySize unit = iota
	seconds
	millis
	micros
	nanos
	filetime
)

// number reads the time in a number with or without fraction and exponent.
// Negative ones, and all before 1970, are zero.
func number(s string, u unit) (schema.Millis, bool) {
	digits := s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	var n uint64
	i := 0
	for i < len(digits) && digits[i]-'0' <= 9 {
		if n > 1e18 {
			return 0, false
		}
		n = 10*n + uint64(digits[i]-'0')
		i++
	}
	if i == 0 {
		return 0, false
	}
	frac := 0 // thousandths
	if i < len(digits) && digits[i] == '.' {
		i++
		start := i
		for scale := 100; i < len(digits) && digits[i]-'0' <= 9; i++ {
			frac += int(digits[i]-'0') * scale
			scale /= 10
		}
		if i == start || i-start > 20 {
			return 0, false
		}
	}
	if i < len(digits) {
		if digits[i]|0x20 != 'e' || len(s) > 40 {
			return 0, false
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f > 9e18 {
			return 0, false
		}
		if f < 0 {
			return 0, true
		}
		n = uint64(f)
		frac = int((f - float64(n)) * 1000)
	}
	if s[0] == '-' {
		return 0, true
	}
	if u == bySize {
		switch {
		case n < maxSeconds:
			u = seconds
		case n < maxMillis:
			u = millis
		case n < maxMicros:
			u = micros
		case n >= minFiletime && n < maxFiletime:
			u = filetime
		default:
			u = nanos
		}
	}
	switch u {
	case seconds:
		if n > lastMillis/1000 {
			return 0, false
		}
		n = n*1000 + uint64(frac)
	case micros:
		n /= 1e3
	case nanos:
		n /= 1e6
	case filetime:
		n /= 1e4
		n -= min(n, filetimeEpoch)
	}
	if n > lastMillis {
		return 0, false
	}
	return schema.Millis(n), true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}
