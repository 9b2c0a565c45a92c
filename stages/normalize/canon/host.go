package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Host gives the key of a host's name: NetBIOS or DNS, with or without a domain
// before or behind it, a machine account (WS-1$), a distinguished name, a UNC
// path, brackets or a port. An address is no host.
func Host(a *arena.Arena, s string) string {
	s = Clean(s)
	switch i := hostMark(s); {
	case i == len(s):
	case s[i] == '.' && isLetter(s[0]) && strings.IndexByte(s[i:], '\\') < 0:
		s = machine(s[:i])
	default:
		return hostName(a, Lower(a, s))
	}
	if s == "" || strings.EqualFold(s, "localhost") {
		return ""
	}
	return known(Lower(a, s), s)
}

// hostMark gives the place of the first character that a name alone does not
// have. The digits of an address stand before one of them.
func hostMark(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '.', '\\', '$', '[', ']', ':', '=', '"':
			return i
		}
	}
	return len(s)
}

// hostName cuts the name out of what stands around it.
func hostName(a *arena.Arena, s string) string {
	s = unquoted(s, '"')
	if ends(s, '[', ']') {
		s = Clean(s[1 : len(s)-1])
	}
	if name, ok := distinguished(a, s); ok {
		s = Clean(name)
	}
	if IsIP(s) {
		return ""
	}
	if strings.HasPrefix(s, `\\`) { // of a share the server
		s = strings.TrimLeft(s, `\`)
		s = s[:indexOf(s, '\\', '\\')]
	} else if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && isPort(s[i+1:]) {
		s = s[:i]
		if IsIP(s) {
			return ""
		}
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		s = s[:i]
	}
	s = machine(s)
	if s == "localhost" || firstOf(s, `:="[]\`) < len(s) {
		return ""
	}
	return s
}

// machine gives the name of a machine's account without its $.
func machine(s string) string {
	if s == "" || isLetter(s[len(s)-1]) {
		return Clean(s)
	}
	return Clean(trimTail(s, '$'))
}

// firstOf gives the place of the first of the characters in s, the length where
// there is none.
func firstOf(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}

// isPort reports whether s is a number of up to five digits.
func isPort(s string) bool { return s != "" && len(s) <= 5 && allDigits(s) }
