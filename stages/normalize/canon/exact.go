package canon

import (
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// maxExact bounds user agents and names of mutexes, in bytes. Real ones are
// shorter; of a longer one the beginning is the key.
const maxExact = 1024

// UserAgent gives the key of a User-Agent header: as the client sent it, without
// control characters.
func UserAgent(a *arena.Arena, s string) string { return exact(a, s) }

// Mutex gives the key of a mutex: its name, without the directory of the session's
// objects before it, whose number differs from one logon to the next. Windows tells
// names by case.
func Mutex(a *arena.Arena, s string) string {
	s = exact(a, s)
	for { // stable: nothing is left that would be taken away the next time
		name, ok := strings.CutPrefix(s, sessionObjects(s))
		if name = Clean(name); !ok || name == s {
			return s
		}
		s = name
	}
}

// sessionObjects gives what names the directory of a session's objects at the
// beginning of s.
func sessionObjects(s string) string {
	const objects = `\BaseNamedObjects\`
	rest := s
	if sessions := `\Sessions\`; hasPrefixFold(s, sessions) {
		i := strings.IndexByte(s[len(sessions):], '\\')
		if i < 1 || !allDigits(s[len(sessions):len(sessions)+i]) {
			return ""
		}
		rest = s[len(sessions)+i:]
	}
	if !hasPrefixFold(rest, objects) {
		return ""
	}
	return s[:len(s)-len(rest)+len(objects)]
}

// exact gives s as it is, but for control characters, what is no UTF-8, blanks
// around it and what is longer than a key.
func exact(a *arena.Arena, s string) string {
	s = Clean(s)
	if len(s) > maxExact {
		s = cutRune(s, maxExact)
	}
	if plainText(s) {
		return Clean(s)
	}
	mark := len(a.Buf)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !isControl(r) && (r != utf8.RuneError || n > 1) {
			a.Buf = append(a.Buf, s[i:i+n]...)
		}
		i += n
	}
	return Clean(a.From(mark))
}

// cutRune gives at most n bytes of s, whole characters of it.
func cutRune(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// plainText reports whether s has neither control characters nor anything beyond
// ASCII.
func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isControl reports control characters, and what turns the direction of writing
// around.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
