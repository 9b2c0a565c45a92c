package parse

import (
	"strings"
	"unicode/utf8"
)

// trimmed takes away what surrounds a value and is none of it: blanks, also those
// that nobody sees and word processors and web pages leave behind.
func trimmed(s string) string {
	if n := len(s); n > 0 && isVisible(s[0]) && isVisible(s[n-1]) {
		return s
	}
	s = strings.TrimFunc(s, invisible)
	if !utf8.ValidString(s) { // the blank of Latin-1 that does not break
		s = strings.Trim(s, " \t")
		for strings.HasSuffix(s, "\xa0") && !utf8.ValidString(s) {
			s = strings.TrimRight(s[:len(s)-1], " \t")
		}
	}
	return s
}

// isVisible reports a character of ASCII that can be seen.
func isVisible(c byte) bool { return c > ' ' && c < 0x7f }

func invisible(r rune) bool {
	switch r {
	case ' ', '\t', '\r', '\n', '\v', '\f', '\u0085', '\u00a0', '\u00ad', '\u2028', '\u2029', '\u202f', '\u3000', '\ufeff':
		return true
	}
	return r >= '\u2000' && r <= '\u200f' || r >= '\u2060' && r <= '\u2064'
}

// unwrapped takes away quotes, code marks and the brackets of a link around a value.
func unwrapped(s string) string {
	if s == "" || s[0] < utf8.RuneSelf && strings.IndexByte("\"'`<", s[0]) < 0 {
		return s
	}
	for _, q := range [...]string{"\"\"", "''", "``", "<>", "\u201c\u201d", "\u2018\u2019"} {
		first, n := utf8.DecodeRuneInString(q)
		last := q[n:]
		if q == "<>" && !strings.Contains(s, "://") && strings.IndexByte(s, '@') < 0 {
			continue // a mark of a page
		}
		if len(s) > len(q) && strings.HasPrefix(s, string(first)) && strings.HasSuffix(s, last) {
			return trimmed(s[n : len(s)-len(last)])
		}
	}
	return s
}

// disguises are beginnings of URLs that canon does not know, in lower case.
var disguises = [...]struct{ from, to string }{
	{"h**ps:", "https:"}, {"h**p:", "http:"}, {"hxxxps:", "https:"}, {"hxxxp:", "http:"}, {"htxps:", "https:"}, {"htxp:", "http:"},
	{"hxtps:", "https:"}, {"hxtp:", "http:"}, {"h__ps:", "https:"}, {"h__p:", "http:"}, {"meows:", "https:"}, {"meow:", "http:"},
	{"http[s]:", "https:"}, {"hxxp[s]:", "https:"}, {"[http]:", "http:"}, {"[https]:", "https:"}, {"[hxxp]:", "http:"}, {"[hxxps]:", "https:"},
}

// refanged undoes the marks against clicking that canon does not: a dot with a
// bracket on one side, a dot behind a backslash, other ways to spoil "http". Text
// without any of that is given back as it is. The path of a URL keeps its own.
func refanged(s string) string {
	i := strings.IndexByte(s, ':')
	if i > 2 && i < 10 && strings.HasPrefix(s[i+1:], "//") {
		for _, d := range disguises {
			if len(d.from) == i+1 && strings.EqualFold(s[:i+1], d.from) {
				s = d.to + s[i+1:]
				break
			}
		}
	}
	start := 0
	if i := strings.Index(s, "//"); i > 0 {
		start = i + 2
	}
	end := start + indexAny(s[start:], "/?#")
	host := s[start:end]
	if strings.Contains(host, `\.`) && !strings.ContainsAny(host, "[](){}*+?^$|") && strings.Count(host, `\`) == strings.Count(host, `\.`) {
		host = strings.ReplaceAll(host, `\.`, ".")
	}
	for _, b := range [...]string{"[]", "()", "{}"} {
		host = halves(host, b[0], b[1])
	}
	if len(host) == end-start {
		return s
	}
	return s[:start] + host + s[end:]
}

// halves takes away brackets beside a dot that have no partner on its other side.
func halves(s string, open, closing byte) string {
	if strings.IndexByte(s, open) < 0 && strings.IndexByte(s, closing) < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == open && i+1 < len(s) && s[i+1] == '.' && (i+2 == len(s) || s[i+2] != closing):
		case c == closing && i > 0 && s[i-1] == '.' && (i == 1 || s[i-2] != open):
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
