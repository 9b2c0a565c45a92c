package normalize

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Canonical keys, so that the same thing has the same key whoever reports it:
//
//	host    first label of the name in lower case. Sensors disagree on whether
//	        they know the domain, so the domain cannot be part of the key; the
//	        full name stays in Entity.Name. Two hosts of one tenant that differ
//	        in the domain only share a key.
//	user    account name in lower case: what is left of DOMAIN\alice and
//	        alice@corp.example. The SID, object id or UPN is Entity.UID. Two
//	        directories of one tenant share keys in the same way.
//	ip      netip text; IPv4 in IPv6 as IPv4, no zone. Addresses that name no
//	        single machine (unspecified, loopback, multicast, IPv6 link-local)
//	        are no entities.
//	domain  lower case, no final dot, no port; at least two labels.
//	url     scheme and host in lower case, no default port, no fragment.
//	hash    lower-case hex of MD5, SHA-1 or SHA-256; not that of nothing.
//	file    path or name; in lower case where it is a Windows path.
//
// Each function gives "" for what is no such thing.

// clean trims s and gives "" for the words that vendors write for "not known".
func clean(s string) string {
	if s == "" {
		return s
	}
	if s[0] <= ' ' || s[len(s)-1] <= ' ' {
		s = strings.TrimSpace(s)
	}
	if len(s) > len("notavailable") || s == "" {
		return s
	}
	switch s[0] {
	case 'n', 'N', 'u', 'U', '<', '(', '-', '?', '.':
	default:
		return s
	}
	for _, word := range [...]string{"-", "--", "?", ".", "n/a", "na", "null", "nil", "none", "unknown", "<unknown>", "(unknown)",
		"(null)", "undefined", "notavailable"} {
		if len(s) == len(word) && strings.EqualFold(s, word) {
			return ""
		}
	}
	return s
}

// lower gives s in lower case, itself where it is already.
func (a *arena) lower(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	mark := len(a.buf)
	a.buf = append(a.buf, s[:i]...)
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		a.buf = append(a.buf, c)
	}
	for _, r := range s[i:] {
		a.buf = utf8.AppendRune(a.buf, unicode.ToLower(r))
	}
	return a.from(mark)
}

func (a *arena) host(s string) string {
	s = clean(s)
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		s = s[:i]
	}
	s = clean(s)
	if strings.EqualFold(s, "localhost") {
		return ""
	}
	return a.lower(s)
}

func (a *arena) user(s string) string {
	s = clean(s)
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		s = s[:i]
	}
	return a.lower(clean(s))
}

func (a *arena) ip(s string) string {
	s = clean(s)
	if i := strings.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	if !ipShaped(s) {
		return ""
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	v4 := ip.Is4()
	ip = ip.Unmap()
	if ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() || ip.Is6() && ip.IsLinkLocalUnicast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return ""
	}
	if v4 {
		return s // netip takes one form of IPv4 only
	}
	mark := len(a.buf)
	a.buf = ip.AppendTo(a.buf)
	return a.from(mark)
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

// isIP reports whether s is an address of any kind.
func isIP(s string) bool {
	if !ipShaped(s) {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

func (a *arena) domain(s string) string {
	s = clean(s)
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s, ':') == i {
		s = s[:i]
	}
	s = strings.TrimSuffix(s, ".")
	if len(s) < 3 || len(s) > 253 || s[0] == '.' || isIP(s) {
		return ""
	}
	dots, label := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if label == 0 || label > 63 {
				return ""
			}
			dots, label = dots+1, 0
			continue
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c >= utf8.RuneSelf:
		default:
			return ""
		}
		label++
	}
	if dots == 0 || label == 0 || label > 63 {
		return ""
	}
	return a.lower(s)
}

func (a *arena) url(s string) string {
	s = clean(s)
	i := strings.Index(s, "://")
	if i <= 0 || indexOf(s[:i], '/', '?') < i || indexOf(s[:i], '#', ' ') < i {
		return ""
	}
	scheme := a.lower(s[:i])
	rest := s[i+3:]
	if j := strings.IndexByte(rest, '#'); j >= 0 {
		rest = rest[:j]
	}
	end := indexOf(rest, '/', '?')
	authority, path := rest[:end], rest[end:]
	user := ""
	if j := strings.LastIndexByte(authority, '@'); j >= 0 {
		user, authority = authority[:j+1], authority[j+1:]
	}
	switch scheme {
	case "http":
		authority = strings.TrimSuffix(authority, ":80")
	case "https":
		authority = strings.TrimSuffix(authority, ":443")
	case "ftp":
		authority = strings.TrimSuffix(authority, ":21")
	}
	if authority == "" {
		return ""
	}
	slash := ""
	if path == "" || path[0] == '?' {
		slash = "/"
	}
	host := a.lower(authority)
	if len(scheme)+len(host) == i+len(authority) && user == "" && slash == "" && scheme == s[:i] && host == authority && len(s) == i+3+len(authority)+len(path) {
		return s
	}
	return a.join(scheme, "://", user, host, slash, path)
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

// urlHost gives the host of a URL in normal form.
func urlHost(url string) string {
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

func (a *arena) hash(s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 32 && len(s) != 40 && len(s) != 64 {
		return ""
	}
	zero := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return ""
		}
		zero = zero && c == '0'
	}
	s = a.lower(s)
	switch s {
	case "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": // of nothing
		return ""
	}
	if zero {
		return ""
	}
	return s
}

func (a *arena) mailbox(s string) string {
	s = clean(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		s = s[i+1 : len(s)-1]
	}
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 || strings.ContainsAny(s, " \t,;") {
		return ""
	}
	return a.lower(s)
}

func (a *arena) file(s string) string {
	s = clean(s)
	if strings.IndexByte(s, '\\') >= 0 || len(s) > 1 && s[1] == ':' {
		return a.lower(s)
	}
	return s
}

// resource gives the key of a cloud resource: Azure's ids ignore case.
func (a *arena) resource(s string) string {
	s = clean(s)
	if len(s) > 15 && strings.EqualFold(s[:15], "/subscriptions/") {
		return a.lower(s)
	}
	return s
}
