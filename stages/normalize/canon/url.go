package canon

import (
	"net/netip"
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// maxURL is longer than what browsers and proxies take.
const maxURL = 64 << 10

// URL gives the key of a URL with a scheme and a host: RFC 3986's normal form,
// except that dot segments stay. What the user's part holds stays too; the
// fragment, which is never sent, goes.
func URL(a *arena.Arena, s string) string {
	s = Clean(s)
	if plainURL(s) {
		return s
	}
	if len(s) > maxURL {
		return ""
	}
	s = refangURL(a, s)
	i := strings.Index(s, "://")
	if i <= 0 || !isScheme(s[:i]) {
		return ""
	}
	scheme := Lower(a, s[:i])
	rest := s[i+3:]
	if j := strings.IndexByte(rest, '#'); j >= 0 {
		rest = rest[:j]
	}
	end := firstOf(rest, "/?\\")
	authority, path := rest[:end], rest[end:]
	if path != "" && path[0] == '\\' {
		return ""
	}
	user := ""
	if j := strings.LastIndexByte(authority, '@'); j >= 0 {
		user, authority = escapes(a, authority[:j+1]), authority[j+1:]
	}
	host, port, ok := urlAuthority(a, scheme, authority)
	if !ok {
		return ""
	}
	colon := ""
	if port != "" {
		colon = ":"
	}
	slash := ""
	if path == "" || path[0] == '?' {
		slash = "/"
	}
	return a.Join(scheme, "://", user, host, colon, port, slash, escapes(a, path))
}

// plainURL reports whether s is its own key, as most are.
func plainURL(s string) bool {
	i := 0
	for i < len(s) && s[i] >= 'a' && s[i] <= 'z' {
		i++
	}
	if i == 0 || i+3 >= len(s) || s[i:i+3] != "://" {
		return false
	}
	if _, n := fangedScheme(s); n > 0 { // it looks like any other scheme
		return false
	}
	start := i + 3
	i = start
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i]-'0' <= 9 || s[i] == '.' || s[i] == '-' || s[i] == '_') {
		i++
	}
	if i == start || i == len(s) || s[i] != '/' || s[start] == '.' || s[i-1] == '.' || i-start > 253 {
		return false
	}
	for j := start + 1; j < i; j++ {
		if s[j] == '.' && s[j-1] == '.' {
			return false
		}
	}
	return plainEscapes(s[i:])
}

// refangURL undoes the marks against clicking where the scheme or the host has
// one. Brackets in the path alone may be the path's own.
func refangURL(a *arena.Arena, s string) string {
	_, n := fangedScheme(s)
	head := s
	if i := strings.Index(s, "://"); i >= 0 && n == 0 {
		j := i + 3
		for j < len(s) && s[j] != '/' && s[j] != '?' && s[j] != '#' {
			j++
		}
		head = s[:j]
	}
	if n > 0 || fanged(head) {
		return Refang(a, s)
	}
	return s
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (i == 0 || c-'0' > 9 && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// urlAuthority splits a host and its port, and brings both into normal form.
func urlAuthority(a *arena.Arena, scheme, s string) (host, port string, ok bool) {
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		ip, err := netip.ParseAddr(s[1:end])
		if err != nil || ip.Zone() != "" || !ip.Is6() {
			return "", "", false
		}
		mark := len(a.Buf)
		a.Buf = append(a.Buf, '[')
		a.Buf = ip.AppendTo(a.Buf)
		a.Buf = append(a.Buf, ']')
		host, s = a.From(mark), s[end+1:]
		if s != "" && s[0] != ':' {
			return "", "", false
		}
		port = strings.TrimPrefix(s, ":")
	} else {
		host, port, _ = strings.Cut(s, ":")
		if host = urlName(a, host); host == "" {
			return "", "", false
		}
	}
	if !allDigits(port) {
		return "", "", false
	}
	port = strings.TrimLeft(port, "0")
	switch {
	case len(port) > 5:
		return "", "", false
	case scheme == "http" && port == "80", scheme == "https" && port == "443", scheme == "ftp" && port == "21", scheme == "ws" && port == "80", scheme == "wss" && port == "443":
		port = ""
	}
	return host, port, true
}

// urlName brings a host's name into normal form, "" where it is none.
func urlName(a *arena.Arena, s string) string {
	if strings.IndexByte(s, '%') >= 0 {
		mark := len(a.Buf)
		for i := 0; i < len(s); i++ {
			c := s[i]
			if c == '%' {
				v, ok := escaped(s[i:])
				if !ok {
					return ""
				}
				c = v
				i += 2
			}
			a.Buf = append(a.Buf, c)
		}
		s = a.From(mark)
	}
	s = hostLabel(a, s)
	if len(s) > 253 {
		return ""
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && i < len(s)-1 && s[i-1] != '.':
		default:
			return ""
		}
	}
	return s
}

// plainEscapes reports whether escapes has nothing to do.
func plainEscapes(s string) bool {
	for i := range len(s) {
		c := s[i]
		if mustEscape(c) || c == '#' {
			return false
		}
		if c == '%' {
			v, ok := escaped(s[i:])
			if !ok || unreserved(v) || s[i+1] >= 'a' || s[i+2] >= 'a' {
				return false
			}
		}
	}
	return true
}

// escapes writes what needs no escape as it is, what needs one as one, and the
// digits of escapes as capitals. A percent sign that begins no escape is itself
// escaped, so that nothing becomes one by what is undone behind it.
func escapes(a *arena.Arena, s string) string {
	if plainEscapes(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	mark := len(a.Buf)
	for i := 0; i < len(s); i++ {
		c := s[i]
		escape := mustEscape(c)
		if c == '%' {
			if v, ok := escaped(s[i:]); ok {
				c = v
				i += 2
				escape = !unreserved(v)
			} else {
				escape = true
			}
		}
		if escape {
			a.Buf = append(a.Buf, '%', hex[c>>4], hex[c&15])
		} else {
			a.Buf = append(a.Buf, c)
		}
	}
	return a.From(mark)
}

// escaped gives the byte of the escape at the start of s.
func escaped(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	hi, ok1 := hexDigit(s[1])
	lo, ok2 := hexDigit(s[2])
	return hi<<4 | lo, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10, true
	}
	return 0, false
}

// unreserved characters mean the same with and without an escape.
func unreserved(c byte) bool {
	return isLetter(c) || c-'0' <= 9 || c == '-' || c == '.' || c == '_' || c == '~'
}

// mustEscape are the characters that no URL has as they are, and that whoever
// fetches it escapes.
func mustEscape(c byte) bool {
	return c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>'
}

// URLHost gives the host of a URL in normal form.
func URLHost(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	rest = rest[:indexOf(rest, '/', '?')]
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	return strings.Trim(rest, "[]")
}

// indexOf gives the place of the first a or b, the length where there is none.
func indexOf(s string, a, b byte) int {
	for i := range len(s) {
		if s[i] == a || s[i] == b {
			return i
		}
	}
	return len(s)
}
