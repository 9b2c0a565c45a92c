package parse

import (
	"fmt"
	"net"
	"net/netip"
	neturl "net/url"
	"strings"

	"golang.org/x/net/idna"
)

// plainForm brings a value into its form with the standard library: another
// opinion than canon's.
func plainForm(typ, v string) string {
	switch typ {
	case "hash":
		return strings.ToLower(v)
	case "ip":
		v, _, _ = strings.Cut(v, "/")
		if ip := net.ParseIP(v); ip != nil {
			return ip.String()
		}
	case "cidr":
		if _, n, err := net.ParseCIDR(v); err == nil {
			return n.String()
		}
	case "socket":
		if a, err := netip.ParseAddrPort(v); err == nil {
			return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
		}
	case "domain":
		v = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(v, "."), "."))
		if ascii, err := idna.Lookup.ToASCII(v); err == nil {
			return ascii
		}
	case "email":
		return strings.ToLower(v)
	case "url":
		return plainURL(v)
	case "url_path":
		return plainPath(v)
	}
	return v
}

// plainURL writes a URL's host in lower case without its scheme's port, and escapes
// what must be.
func plainURL(v string) string {
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok {
		scheme, rest = "", strings.TrimPrefix(v, "//")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		rest, end = rest+"/", len(rest)
	}
	host, path := strings.ToLower(rest[:end]), rest[end:]
	if path[0] == '?' {
		path = "/" + path
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	scheme = strings.ToLower(scheme)
	for _, known := range [...]string{"http:80", "https:443", "ftp:21"} {
		name, port, _ := strings.Cut(known, ":")
		if bare, ok := strings.CutSuffix(host, ":"+port); ok && (scheme == name || scheme == "" && name != "ftp") {
			scheme, host = name, bare
		}
	}
	if scheme != "" {
		scheme += ":"
	}
	return scheme + "//" + host + plainPath(path)
}

func plainPath(v string) string {
	v, _, _ = strings.Cut(v, "#")
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '%' && i+2 < len(v):
			if u, err := neturl.PathUnescape(v[i : i+3]); err == nil {
				if strings.ContainsAny(u, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") && u != "" {
					b.WriteString(u)
				} else {
					b.WriteString(strings.ToUpper(v[i : i+3]))
				}
				i += 2
				continue
			}
			b.WriteString("%25")
		case c == '%':
			b.WriteString("%25")
		case c <= ' ', c >= 0x7f, c == '"', c == '<', c == '>':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
