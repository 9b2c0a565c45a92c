package canon

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// Confidence reads how sure a vendor is, from 0 to 100: a whole number up to 100,
// with or without a percent sign; a number from 0.0 to 1.0 where it has a decimal
// point; or a word. Low, medium and high are the middles of STIX 2.1's ranges for
// them: 15, 50, 85. Tentative and firm count as low
// and medium; what is certain or confirmed is 95.
func Confidence(text string) (uint8, bool) {
	s := strings.TrimSpace(text)
	if s == "" {
		return 0, false
	}
	if s[0]-'0' <= 9 || s[0] == '.' {
		return percent(s)
	}
	var buf [maxWord]byte
	w := folded(&buf, s)
	switch w {
	case "tentative":
		return 15, true
	case "moderate", "firm":
		return 50, true
	case "certain", "confirmed", "veryhigh":
		return 95, true
	case "verylow":
		return 5, true
	}
	switch level(w) {
	case schema.SeverityLow:
		return 15, true
	case schema.SeverityMedium:
		return 50, true
	case schema.SeverityHigh:
		return 85, true
	}
	return 0, false
}

func percent(s string) (uint8, bool) {
	sign := strings.HasSuffix(s, "%")
	if sign {
		s = strings.TrimRight(s[:len(s)-1], " ")
	}
	whole, frac, point := strings.Cut(s, ".")
	if len(whole) > 3 || len(frac) > 20 || !allDigits(whole) || !allDigits(frac) || whole == "" && frac == "" {
		return 0, false
	}
	thousandths := 0
	for i := range 3 {
		thousandths *= 10
		if i < len(frac) {
			thousandths += int(frac[i] - '0')
		}
	}
	n := 1000*small(whole) + thousandths
	if point && !sign && n <= 1000 {
		n *= 100
	}
	if n > 100_000 {
		return 0, false
	}
	return uint8((n + 500) / 1000), true
}
