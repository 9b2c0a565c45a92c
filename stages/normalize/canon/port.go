package canon

import "strings"

// Port reads a port of TCP or UDP, 0 for what is none.
func Port(s string) uint16 {
	s = strings.TrimSpace(s)
	if len(s) == 0 || len(s) > 5 {
		return 0
	}
	n := 0
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0
		}
		n = 10*n + int(s[i]-'0')
	}
	if n > 0xffff {
		return 0
	}
	return uint16(n)
}

// PortAfter gives the port that stands after an address or a name
// (192.0.2.7:443, [2001:db8::7]:443, c2.example:8443), 0 where there is none.
func PortAfter(s string) uint16 {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || strings.IndexByte(s[:i], ':') >= 0 && s[i-1] != ']' {
		return 0
	}
	return Port(s[i+1:])
}

// URLPort gives the port that a URL in normal form names, 0 where it leaves it to
// its scheme: often the scheme is what a format put before the vendor's text.
func URLPort(url string) uint16 {
	_, rest, _ := strings.Cut(url, "://")
	rest = rest[:indexOf(rest, '/', '?')]
	return PortAfter(rest[strings.LastIndexByte(rest, '@')+1:])
}
