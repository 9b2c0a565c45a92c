package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// distinguished gives the first value of an LDAP name in lower case: alice for
// cn=alice,ou=staff,dc=corp. ok is false for what is no such name.
func distinguished(a *arena.Arena, s string) (name string, ok bool) {
	switch {
	case strings.HasPrefix(s, "cn="):
		s = s[len("cn="):]
	case strings.HasPrefix(s, "uid="):
		s = s[len("uid="):]
	default:
		return s, false
	}
	escaped := false
	end := 0
	for end < len(s) && s[end] != ',' && s[end] != '+' && s[end] != ';' {
		if s[end] == '\\' {
			escaped = true
			end++
		}
		end++
	}
	s = strings.TrimSpace(s[:min(end, len(s))])
	if !escaped {
		return s, true
	}
	mark := len(a.Buf)
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && !isHex(s[i+1]) {
			i++
		}
		a.Buf = append(a.Buf, s[i])
	}
	return a.From(mark), true
}

func isHex(c byte) bool {
	_, ok := hexDigit(c)
	return ok
}
