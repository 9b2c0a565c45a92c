package library

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Bounds on what is asked of one value.
const (
	deepestURL  = 64
	longestName = 253
)

// namesOf lists the places of indicators that may name an observable, itself first.
// They are those that match asks its index for.
func namesOf(o schema.Observable) [][]byte {
	var list [][]byte
	seen := map[string]bool{}
	add := func(t schema.ObservableType, value string) {
		if p := appendPlace(nil, t, value); value != "" && !seen[string(p)] {
			seen[string(p)] = true
			list = append(list, p)
		}
	}
	name := func(t schema.ObservableType, host string) {
		if len(host) > longestName {
			return
		}
		for strings.Contains(host, ".") {
			add(t, host)
			_, host, _ = strings.Cut(host, ".")
		}
	}
	networks := func(p netip.Prefix) {
		for bits := p.Bits(); bits >= 0; bits-- {
			add(schema.ObservableCIDR, netip.PrefixFrom(p.Addr(), bits).Masked().String())
		}
	}
	address := func(a netip.Addr) {
		a = a.Unmap().WithZone("")
		add(schema.ObservableIP, a.String())
		networks(netip.PrefixFrom(a, a.BitLen()))
	}
	add(o.Type, o.Value)
	switch o.Type {
	case schema.ObservableIP:
		if a, err := netip.ParseAddr(o.Value); err == nil {
			address(a)
		}
	case schema.ObservableCIDR:
		if p, err := netip.ParsePrefix(o.Value); err == nil {
			networks(p)
		}
	case schema.ObservableSocket:
		if a, err := netip.ParseAddrPort(o.Value); err == nil {
			address(a.Addr())
		}
	case schema.ObservableDomain:
		name(schema.ObservableDomain, o.Value)
	case schema.ObservableSender:
		name(schema.ObservableSender, o.Value)
		name(schema.ObservableDomain, o.Value)
	case schema.ObservableEmail:
		host := o.Value[strings.LastIndexByte(o.Value, '@')+1:]
		name(schema.ObservableSender, host)
		name(schema.ObservableDomain, host)
	case schema.ObservableURL:
		namesOfURL(o.Value, add, name, address)
	}
	return list
}

func namesOfURL(v string, add func(schema.ObservableType, string), name func(schema.ObservableType, string), address func(netip.Addr)) {
	at := strings.Index(v, "//")
	if at < 0 {
		return
	}
	scheme := strings.TrimSuffix(v[:at], ":")
	add(schema.ObservableURL, v[at:])
	host := v[at+2:]
	path := ""
	if n := strings.IndexAny(host, "/?#"); n >= 0 {
		host, path = host[:n], host[n:]
	}
	add(schema.ObservableURLPath, path)
	bare, _, _ := strings.Cut(path, "?")
	add(schema.ObservableURLPath, bare)
	end := len(v) - len(path)
	for n, parts := 0, 0; n < len(bare) && parts < deepestURL; n++ {
		if bare[n] == '/' {
			parts++
			add(schema.ObservableURLPrefix, v[:end+n+1])
			add(schema.ObservableURLPrefix, v[at:end+n+1])
		}
	}
	u := url.URL{Host: host[strings.LastIndexByte(host, '@')+1:]}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		name(schema.ObservableDomain, u.Hostname())
		return
	}
	address(a)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21"}[scheme]
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		add(schema.ObservableSocket, netip.AddrPortFrom(a.Unmap(), uint16(n)).String())
	}
}
