package canon

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Domain gives the key of a DNS name of two labels or more.
func Domain(a *arena.Arena, s string) string {
	s = Clean(s)
	switch nameKind(s) {
	case plainName:
		return s
	case noName:
		if !fanged(s) || len(s) > 1024 {
			return ""
		}
		s = Refang(a, s)
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if !isPort(s[i+1:]) {
			return ""
		}
		s = s[:i]
	}
	s = hostLabel(a, s)
	if nameKind(s) != plainName {
		return ""
	}
	return s
}

type kindOfName uint8

const (
	plainName kindOfName = iota // a DNS name that is its own key
	roughName                   // may become one: capitals, port, final dot, beyond ASCII
	noName
)

// nameKind looks at a name once.
func nameKind(s string) kindOfName {
	if len(s) < 3 || len(s) > 1024 || s[0] == '.' {
		return noName
	}
	kind := plainName
	dots, label, numeric := 0, 0, true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 || label > 63 && kind == plainName {
				return noName
			}
			dots++
			label, numeric = 0, true
			continue
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			numeric = false
		case c >= '0' && c <= '9':
		case c >= 'A' && c <= 'Z', c >= utf8.RuneSelf, c == ':':
			kind = roughName
		default:
			return noName
		}
		label++
	}
	switch {
	case kind == roughName, label == 0 && len(s) <= 254:
		return roughName
	case dots == 0, numeric, label > 63, len(s) > 253:
		return noName // the numeric ones are broken addresses
	}
	return plainName
}

// hostLabel brings a DNS name into lower case and punycode, without a final dot;
// "" where it has none.
func hostLabel(a *arena.Arena, s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return punycode(s)
		}
	}
	return Lower(a, strings.TrimSuffix(s, "."))
}

// punycode is apart from the arena: names beyond ASCII are rare.
func punycode(s string) string {
	if len(s) > 1024 || !utf8.ValidString(s) {
		return ""
	}
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
	name, err := profile.ToASCII(s)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(name, ".")
}
