package match

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// Bounds on values.
const (
	deepest      = 16 // parts of a url_prefix: so many are asked of a URL, the first ones
	shortestPath = 4  // bytes of a url_path behind its first slash
	longestName  = 253
	longestLabel = 63
)

func isAddress(v string) bool {
	a, err := netip.ParseAddr(v)
	return err == nil && a.Unmap().WithZone("").String() == v
}

func checkNetwork(v string) error {
	p, err := netip.ParsePrefix(v)
	if err != nil || p.Addr().Is4In6() || p.Masked().String() != v {
		return ErrCanonical
	}
	if p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 19 {
		return ErrWide
	}
	return nil
}

// isSuffix reports a name below which anybody can have one of their own, or that
// has public suffixes right below it.
func isSuffix(v string) bool {
	below := unlisted + v
	suffix, _ := publicsuffix.PublicSuffix(below)
	return (suffix == v || suffix == below) && isWord(v) // of an address it says the same
}

// unlisted is a label that no rule of the list of public suffixes names: what it
// stands for, any name would.
const unlisted = "no-such-name-is-listed."

// isHosted reports a public suffix that is one customer's all the same: every name
// there is, by a wildcard of the private section, as those of virtual machines
// ("ec2-203-0-113-7.compute-1.amazonaws.com"). It names itself, and nobody else.
func isHosted(v string) bool {
	suffix, public := publicsuffix.PublicSuffix(v)
	if suffix != v || public || !isWord(v) {
		return false
	}
	_, parent, ok := strings.Cut(v, ".")
	all, _ := publicsuffix.PublicSuffix(unlisted + parent)
	return ok && all == unlisted+parent
}

// isDomain reports a DNS name of two labels or more that is no broken address.
func isDomain(v string) bool {
	return strings.IndexByte(v, '.') > 0 && isWord(v)
}

// isWord reports a name whose last label is not a number.
func isWord(v string) bool {
	return isName(v) && strings.Trim(v[strings.LastIndexByte(v, '.')+1:], "0123456789") != ""
}

// isName reports labels in lower case with dots between them.
func isName(v string) bool {
	label := 0
	for i := range len(v) {
		switch c := v[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			if label++; label > longestLabel {
				return false
			}
		default:
			return false
		}
	}
	return label > 0 && len(v) <= longestName
}

// isSocket reports "203.0.113.7:443" or "[2001:db8::7]:443".
func isSocket(v string) bool {
	a, err := netip.ParseAddrPort(v)
	return err == nil && a.Port() > 0 && !a.Addr().Is4In6() && a.Addr().Zone() == "" && a.String() == v
}

// isURL reports a scheme in lower case or none, "//", a host, and a path that has
// nothing a normal form would escape.
func isURL(v string) bool {
	u := splitURL(v)
	return u.rest != "" && isScheme(u.scheme) && plain(u.user) && isHost(u) && strings.HasPrefix(u.path, "/") && plain(u.path)
}

func isScheme(v string) bool {
	for i := range len(v) {
		if c := v[i]; (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return true
}

func isHost(u urlParts) bool {
	if u.brackets {
		a, err := netip.ParseAddr(u.host)
		if err != nil || !a.Is6() || a.Zone() != "" || a.String() != u.host {
			return false
		}
	} else if !isName(u.host) {
		return false
	}
	return !u.colon || u.port != "" && len(u.port) <= 5 && u.port[0] != '0' && strings.Trim(u.port, "0123456789") == ""
}

// plain reports bytes that stand in a URL as they are. The fragment is never sent
// and never part of one.
func plain(v string) bool {
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '#' {
			return false
		}
	}
	return true
}

// checkPrefix reports why v is not the beginning of URLs. With a port a bare host
// is one, because no domain could say it.
func checkPrefix(v string) error {
	if !isURL(v) || !strings.HasSuffix(v, "/") || strings.Contains(v, "?") {
		return ErrCanonical
	}
	u := splitURL(v)
	if u.path == "/" && u.port == "" {
		return ErrBare
	}
	if strings.Count(u.path, "/") > deepest {
		return ErrDeep
	}
	return nil
}

func isHex(v string) bool { return strings.Trim(v, "0123456789abcdef") == "" }

// isJA4 reports "t13d1516h2_8daaf6152771_02713d6af862": protocol, version, whether
// there is a server name, two counts, the first ALPN, and two digests.
func isJA4(v string) bool {
	if len(v) != 36 || v[10] != '_' || v[23] != '_' || !isHex(v[11:23]) || !isHex(v[24:]) {
		return false
	}
	if !strings.ContainsRune("tqd", rune(v[0])) || !strings.ContainsRune("di", rune(v[3])) || strings.Trim(v[4:8], "0123456789") != "" {
		return false
	}
	for i := range 10 {
		if c := v[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// isMailbox reports an address in lower case: a local part without what would need
// quotes, and a name or an address in brackets.
func isMailbox(v string) bool {
	at := strings.LastIndexByte(v, '@')
	if at <= 0 || v != strings.ToLower(v) || strings.ContainsAny(v[:at], " \t\n\r,;:<>()[]\"\\@") || !isText(v) {
		return false
	}
	host := v[at+1:]
	if in, ok := strings.CutPrefix(host, "["); ok {
		in, ok = strings.CutSuffix(in, "]")
		return ok && isAddress(in)
	}
	return isName(host)
}

// isText reports text that is compared as it is: not empty, and nothing in it that
// a terminal would obey.
func isText(v string) bool {
	return v != "" && utf8.ValidString(v) && strings.IndexFunc(v, unicode.IsControl) < 0
}
