package canon

import (
	"net/netip"
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// IP gives the key of an address, whatever stands around it: a port, brackets, a
// zone, the prefix length of a single address (/32, /128), marks against clicking.
func IP(a *arena.Arena, s string) string {
	s = Clean(s)
	if ip := ipv4(s); ip != "" {
		return ip
	}
	if !ipShaped(s) {
		if s = bareIP(a, s); !ipShaped(s) {
			return ""
		}
	}
	switch i := firstOf(s, ":%"); {
	case i == len(s):
		return ipv4(s)
	case i >= len("0.0.0.0"): // no group of IPv6 is that long
		if s[i] != ':' || !isPort(s[i+1:]) {
			return ""
		}
		return ipv4(s[:i])
	}
	if i := strings.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	ip = ip.Unmap()
	if !single(ip) {
		return ""
	}
	mark := len(a.Buf)
	a.Buf = ip.AppendTo(a.Buf)
	return a.From(mark)
}

// bareIP takes away what an address has around it in some reports, "" where no
// address can be left.
func bareIP(a *arena.Arena, s string) string {
	if len(s) > 128 {
		return ""
	}
	s = Refang(a, s)
	if ends(s, '"', '"') || ends(s, '\'', '\'') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && (s[end+1] != ':' || !isPort(s[end+2:])) {
			return ""
		}
		return s[1:end]
	}
	if i := strings.IndexByte(s, '/'); i > 0 {
		bits := "32"
		if strings.IndexByte(s[:i], ':') >= 0 {
			bits = "128"
		}
		if s[i+1:] != bits {
			return ""
		}
		s = s[:i]
	}
	return s
}

// single reports whether an address can be that of one machine.
func single(ip netip.Addr) bool {
	if ip.Is4() {
		return single4(ip.As4())
	}
	return !(ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() || ip.IsLinkLocalUnicast())
}

// ipv4 gives s if it is an IPv4 address of one machine. There is one way of
// writing it; leading zeros are none, because some read them as octal.
func ipv4(s string) string {
	var ip [4]byte
	part, digits, n := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 || part == 3 {
				return ""
			}
			ip[part] = byte(n)
			part++
			digits, n = 0, 0
		case c-'0' <= 9:
			if digits > 0 && n == 0 {
				return ""
			}
			digits++
			if n = 10*n + int(c-'0'); n > 255 {
				return ""
			}
		default:
			return ""
		}
	}
	if part != 3 || digits == 0 {
		return ""
	}
	ip[3] = byte(n)
	if !single4(ip) {
		return ""
	}
	return s
}

func single4(ip [4]byte) bool {
	return ip != [4]byte{} && ip[0] != 127 && ip[0]>>4 != 14 && ip != [4]byte{255, 255, 255, 255}
}

// ipShaped turns down most of what is no address, before netip, whose errors
// cost an allocation.
func ipShaped(s string) bool {
	if s == "" {
		return false
	}
	colon := false
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' <= 9, c == '.':
		case c == ':':
			colon = true
		case c == '%':
			return colon
		case c|0x20 < 'a' || c|0x20 > 'f':
			return false
		}
	}
	return colon || s[len(s)-1]-'0' <= 9
}

// IsIP reports whether s is an address of any kind.
func IsIP(s string) bool {
	if !ipShaped(s) {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}
