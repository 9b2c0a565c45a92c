package canon

import "strings"

const months = "january  february march    april    may      june     july     august   septemberoctober  november december "

// monthNamed gives the month for its English name or an abbreviation of three or
// more letters, 0 for any other word.
func monthNamed(w string) int {
	const width = len("september")
	if len(w) < 3 || len(w) > width {
		return 0
	}
	for i := range 12 {
		if strings.EqualFold(months[i*width:i*width+len(w)], w) {
			return i + 1
		}
	}
	return 0
}

func isWeekday(w string) bool {
	if len(w) < 3 || len(w) > len("wednesday") {
		return false
	}
	for _, name := range [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		if len(w) <= len(name) && strings.EqualFold(name[:len(w)], w) {
			return true
		}
	}
	return false
}
