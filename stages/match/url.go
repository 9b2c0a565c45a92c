package match

import (
	"net/netip"
	"strings"
)

// urlParts are the parts of a URL in normal form. All of them are parts of its
// text, so that taking one apart costs no memory.
type urlParts struct {
	scheme   string // empty where it begins with "//"
	rest     string // from "//" on; empty where the text is no URL
	user     string // what stands before "@"
	host     string // without brackets
	socket   string // host and port as written
	port     string
	path     string // with the query
	brackets bool
	colon    bool // a port follows, if only an empty one
}

// splitURL takes a URL apart.
func splitURL(v string) (u urlParts) {
	if strings.HasPrefix(v, "//") {
		u.rest = v
	} else {
		i := strings.Index(v, "://")
		if i <= 0 {
			return u
		}
		u.scheme, u.rest = v[:i], v[i+1:]
	}
	authority := u.rest[2:]
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority, u.path = authority[:i], authority[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		u.user, authority = authority[:i], authority[i+1:]
	}
	u.socket = authority
	if strings.HasPrefix(authority, "[") {
		u.brackets = true
		u.host, authority, u.colon = strings.Cut(authority[1:], "]")
		if !u.colon || authority != "" && authority[0] != ':' {
			return urlParts{}
		}
		u.port, u.colon = strings.CutPrefix(authority, ":")
		return u
	}
	u.host, u.port, u.colon = strings.Cut(authority, ":")
	return u
}

// defaultPort is the port that a normal form leaves out.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	case "ftp":
		return "21"
	}
	return ""
}

// address reads the host as an address, without the cost of an error value where it
// is a name: no top-level domain ends in a digit.
func (u *urlParts) address() (netip.Addr, bool) {
	if u.host == "" {
		return netip.Addr{}, false
	}
	if last := u.host[len(u.host)-1]; !u.brackets && (last < '0' || last > '9') {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(u.host)
	return a.Unmap(), err == nil && a.Zone() == ""
}

// mailHost gives what stands behind the "@" of an address; empty where there is none.
func mailHost(v string) string {
	at := strings.LastIndexByte(v, '@')
	if at < 0 {
		return ""
	}
	return v[at+1:]
}
