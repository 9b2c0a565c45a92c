package retro

import (
	"net/netip"
	"strconv"
	"strings"
)

// anyScheme cuts the scheme off a URL in normal form: what is left begins with
// "//". It is empty where the text is no URL.
func anyScheme(v string) (scheme, rest string) {
	if strings.HasPrefix(v, "//") {
		return "", v
	}
	if i := strings.Index(v, "://"); i > 0 {
		return v[:i], v[i+1:]
	}
	return "", ""
}

// authority gives the host and the port (zero: not written) of a URL without
// scheme, and where its path begins.
func authority(rest string) (host string, port uint16, path int) {
	path = len(rest)
	if i := strings.IndexAny(rest[2:], "/?#"); i >= 0 {
		path = 2 + i
	}
	host = rest[2:path]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	text := ""
	if strings.HasPrefix(host, "[") {
		host, text, _ = strings.Cut(host[1:], "]")
		text = strings.TrimPrefix(text, ":")
	} else {
		host, text, _ = strings.Cut(host, ":")
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return host, 0, path
	}
	return host, uint16(n), path
}

// defaultPort is the port that a normal form leaves out; zero: none.
func defaultPort(scheme string) uint16 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	case "ftp":
		return 21
	}
	return 0
}

func mailHost(v string) string { return v[strings.LastIndexByte(v, '@')+1:] }

// leading gives the text that every address of a network begins with. It is short
// where whole groups are not fixed, and empty where nothing is.
func leading(p netip.Prefix) string {
	a := p.Addr()
	var b strings.Builder
	if a.Is4() {
		octets := a.As4()
		for i := range p.Bits() / 8 {
			if i == 3 {
				return a.String()
			}
			b.WriteString(strconv.Itoa(int(octets[i])))
			b.WriteByte('.')
		}
		return b.String()
	}
	groups := a.As16()
	for i := range p.Bits() / 16 {
		g := uint64(groups[2*i])<<8 | uint64(groups[2*i+1])
		if g == 0 || i == 7 { // zeros may be written as "::"
			return b.String()
		}
		b.WriteString(strconv.FormatUint(g, 16))
		b.WriteByte(':')
	}
	return b.String()
}
