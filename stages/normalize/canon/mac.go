package canon

import "github.com/interdict/interdict/stages/normalize/arena"

// MAC gives the key of an Ethernet address, however its twelve digits are
// grouped: aa:bb:cc:dd:ee:ff, AA-BB-CC-DD-EE-FF, aabb.ccdd.eeff, aabbccddeeff.
// That of nothing, of all and of groups is none.
func MAC(a *arena.Arena, s string) string {
	s = Clean(s)
	if len(s) != 17 && len(s) != 14 && len(s) != 12 {
		return ""
	}
	var b [17]byte
	normal := len(s) == len(b)
	n, zero, ones := 0, true, true
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ':' || c == '-':
			if len(s) != 17 || i%3 != 2 || c != s[2] {
				return ""
			}
			normal = normal && c == ':'
			continue
		case c == '.':
			if len(s) != 14 || i%5 != 4 {
				return ""
			}
			continue
		case c >= 'A' && c <= 'F':
			normal = false
			c += 'a' - 'A'
		case c-'0' <= 9, c >= 'a' && c <= 'f':
		default:
			return ""
		}
		if n == len(b) {
			return ""
		}
		if n%3 == 2 {
			b[n] = ':'
			n++
		}
		zero, ones = zero && c == '0', ones && c == 'f'
		b[n] = c
		n++
	}
	if n != len(b) || zero || ones || isGroup(b[1]) {
		return ""
	}
	if normal {
		return s
	}
	mark := len(a.Buf)
	a.Buf = append(a.Buf, b[:]...)
	return a.From(mark)
}

// isGroup reports whether the lowest bit of the first byte is set, given its
// second digit.
func isGroup(digit byte) bool {
	if digit > '9' {
		digit -= 'a' - 10
	}
	return digit&1 == 1
}
