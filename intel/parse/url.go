package parse

import (
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// url gives the canonical form of a URL or of the beginning of one. Without a scheme
// it is that of any ("//bad.example/x"), unless its port tells one. A URL that is
// marked with "/*" names what is below it.
func url(t schema.ObservableType, s string) (schema.Observable, error) {
	s = unfragmented(s)
	if below, ok := strings.CutSuffix(s, "/*"); ok {
		t, s = schema.ObservableURLPrefix, below+"/"
	}
	var v string
	if strings.Contains(key(canon.Refang, s), "://") {
		v = key(canon.URL, s)
	} else {
		v = anyScheme(s)
	}
	if v == "" || len(v) > maxValue {
		return schema.Observable{}, errNoURL
	}
	if t == schema.ObservableURLPrefix {
		if !strings.HasSuffix(v, "/") || strings.IndexByte(v, '?') >= 0 {
			return schema.Observable{}, errNoPrefix
		}
		return schema.Observable{Type: t, Value: v}, nil
	}
	return schema.Observable{Type: schema.ObservableURL, Value: v}, nil
}

// anyScheme gives the canonical form of a URL without a scheme, host first. The host
// must be a domain of two labels or an address: a word before a slash is no host.
func anyScheme(s string) string {
	s = strings.TrimPrefix(s, "//")
	const http = "http://"
	v := key(canon.URL, http+s)
	if v == "" {
		return ""
	}
	host := canon.URLHost(v)
	if _, err := netip.ParseAddr(host); err != nil && key(canon.Domain, host) != host {
		return ""
	}
	authority := v[len(http):]
	authority = authority[:strings.IndexByte(authority, '/')]
	if strings.IndexByte(authority, '@') >= 0 {
		return "" // a user's part says that a scheme was meant
	}
	// A canonical URL leaves out its scheme's own port, so that one written out
	// must become the scheme: nothing would ever equal "//bad.example:443/".
	written := strings.TrimRight(s, " \t")
	written = written[:indexAny(written, "/?#")]
	switch {
	case strings.HasSuffix(authority, ":443"):
		return key(canon.URL, "https"+v[len("http"):])
	case strings.HasSuffix(written, ":80"):
		return v
	}
	return v[len("http:"):]
}

// unfragmented takes away a URL's fragment, which is never sent: a mark may stand
// before it.
func unfragmented(s string) string { return strings.TrimRight(s[:indexAny(s, "#")], " \t") }

// indexAny gives the place of the first of some characters, the length where there
// is none.
func indexAny(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}

// urlPath gives the canonical form of a path, with its query.
func urlPath(s string) (schema.Observable, error) {
	s = unfragmented(s)
	if len(s) < 2 || s[0] != '/' || s[1] == '/' || strings.HasSuffix(s, "/*") {
		return schema.Observable{}, errNoPath
	}
	const host = "http://h.example"
	v := key(canon.URL, host+s)
	if len(v) < len(host)+2 {
		return schema.Observable{}, errNoPath
	}
	return schema.Observable{Type: schema.ObservableURLPath, Value: v[len(host):]}, nil
}
