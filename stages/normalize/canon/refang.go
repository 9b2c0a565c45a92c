package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Refang undoes the usual ways of making a value harmless to click: hxxp and fxp;
// a dot, colon, slash or at sign in brackets, parentheses or braces, or its name
// there. Text without any of that is given back as it is.
func Refang(a *arena.Arena, s string) string {
	if !fanged(s) {
		return s
	}
	mark := len(a.Buf)
	if scheme, n := fangedScheme(s); n > 0 {
		a.Buf = append(a.Buf, scheme...)
		s = s[n:]
	}
	for i := 0; i < len(s); {
		if c := s[i]; c == '[' || c == '(' || c == '{' {
			if with, n := fang(s[i:]); n > 0 {
				a.Buf = append(a.Buf, with...)
				i += n
				continue
			}
		}
		a.Buf = append(a.Buf, s[i])
		i++
	}
	return a.From(mark)
}

// fanged reports whether there is anything for Refang to do.
func fanged(s string) bool {
	if len(s) < 4 {
		return false
	}
	if _, n := fangedScheme(s); n > 0 {
		return true
	}
	for i := range len(s) {
		if c := s[i]; c == '[' || c == '(' || c == '{' {
			if _, n := fang(s[i:]); n > 0 {
				return true
			}
		}
	}
	return false
}

// fang gives what the mark at the start of s stands for and how long it is.
func fang(s string) (with string, n int) {
	closing := byte(']')
	switch s[0] {
	case '(':
		closing = ')'
	case '{':
		closing = '}'
	}
	end := 1
	for end < len(s) && end < 5 && s[end] != closing {
		end++
	}
	if end >= len(s) || s[end] != closing {
		return "", 0
	}
	switch in := s[1:end]; {
	case in == "." || strings.EqualFold(in, "dot"):
		return ".", end + 1
	case in == "@" || strings.EqualFold(in, "at"):
		return "@", end + 1
	case in == ":" || in == "/" || in == "://":
		return in, end + 1
	}
	return "", 0
}

// fangedScheme gives the scheme that s begins with in disguise, and how long the
// disguise is.
func fangedScheme(s string) (scheme string, n int) {
	switch {
	case hasPrefixFold(s, "hxxps"):
		scheme, n = "https", 5
	case hasPrefixFold(s, "hxxp"):
		scheme, n = "http", 4
	case hasPrefixFold(s, "fxps"):
		scheme, n = "ftps", 4
	case hasPrefixFold(s, "fxp"):
		scheme, n = "ftp", 3
	default:
		return "", 0
	}
	if n == len(s) || strings.IndexByte(":[({", s[n]) < 0 {
		return "", 0 // a name that begins like one
	}
	return scheme, n
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
