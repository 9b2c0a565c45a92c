package canon

import (
	_ "embed"
	"strings"
)

// techniques has a line for each name of a technique in use, a tab, and the ids
// that have it; sorted by the letters and digits of the names. Lines that begin
// with # are comments.
//
//go:generate go run ./internal/attackgen -license LICENSE.txt -o attack_techniques.txt enterprise-attack.json mobile-attack.json ics-attack.json
//go:embed attack_techniques.txt
var techniques string

// TechniqueByName gives the id of an ATT&CK technique for its name, whatever the
// case, spaces and signs: "Brute Force", "Brute Force: Password Spraying",
// "Password Spraying". A sub-technique's name that several have means one only
// behind its technique's.
func TechniqueByName(name string) string {
	if ids := techniquesNamed(name); ids != "" {
		if strings.IndexByte(ids, ' ') >= 0 {
			return ""
		}
		return ids
	}
	parent, sub, ok := strings.Cut(name, ":")
	if !ok {
		parent, sub, ok = strings.Cut(name, " - ")
	}
	if !ok {
		return ""
	}
	id := techniquesNamed(parent)
	if len(id) != len("T0000") {
		return ""
	}
	for ids := techniquesNamed(sub); ids != ""; {
		var one string
		one, ids, _ = strings.Cut(ids, " ")
		if strings.HasPrefix(one, id) && len(one) > len(id) {
			return one
		}
	}
	return ""
}

// techniquesNamed gives the ids that have a name.
func techniquesNamed(name string) string {
	lo, hi := 0, len(techniques)
	for lo < hi {
		mid := lo + (hi-lo)/2
		start := strings.LastIndexByte(techniques[:mid], '\n') + 1
		end := start + indexOf(techniques[start:], '\n', '\n')
		row, ids, _ := strings.Cut(techniques[start:end], "\t")
		order := -1
		if row != "" && row[0] != '#' {
			order = compareNames(row, name)
		}
		switch {
		case order == 0:
			return ids
		case order < 0:
			lo = min(end+1, hi)
		default:
			hi = start
		}
	}
	return ""
}

// compareNames orders two names by their letters and digits, whatever their case.
func compareNames(a, b string) int {
	i, j := 0, 0
	for {
		var x, y byte
		for x == 0 && i < len(a) {
			x = nameByte(a[i])
			i++
		}
		for y == 0 && j < len(b) {
			y = nameByte(b[j])
			j++
		}
		if x != y {
			return int(x) - int(y)
		}
		if x == 0 {
			return 0
		}
	}
}

// nameByte gives a letter in lower case or a digit, 0 for all else.
func nameByte(c byte) byte {
	switch {
	case isLetter(c):
		return c | 0x20
	case c-'0' <= 9:
		return c
	}
	return 0
}
