package retro

import (
	"net/netip"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
)

// An entity is remembered by everything that an indicator may name it by, as
// match.Reader asks: its value; an address with its port and by networks around it; a
// name by its parents; a URL by its beginnings, its path and its host. So each
// indicator is asked by one key. A value that is remembered more often costs nothing
// more.
//
// Kinds of names are not told apart (a domain, the host of a URL, that of a
// mailbox), nor is the scheme of a URL: an hour more may be asked, and the exact
// answer does tell them apart.

// key hashes a value with its type.
func key(t schema.ObservableType, value string) uint64 {
	return xxh3.HashString(value) ^ uint64(t)*0x9E3779B97F4A7C15
}

// deepest is how many beginnings of a URL are remembered: match knows no indicator
// with more.
const deepest = 16

// widths are the networks around an address that are remembered. A network that is
// asked for is asked by the narrowest of them that holds it. No indicator is wider
// than the first.
func widths(a netip.Addr) []int {
	if a.Is4() {
		return []int{8, 16, 24}
	}
	return []int{19, 32, 48, 64}
}

// keys appends the keys of an entity.
func keys(to []uint64, e *schema.Entity) []uint64 {
	o, ok := e.Observable()
	if !ok {
		return to
	}
	switch o.Type {
	case schema.ObservableIP:
		a, err := netip.ParseAddr(o.Value)
		if err != nil || a.Zone() != "" {
			return append(to, key(o.Type, o.Value))
		}
		if a.Is4In6() {
			to = address(to, a.Unmap(), e.Port)
		}
		return address(to, a, e.Port)
	case schema.ObservableDomain:
		return names(to, o.Value)
	case schema.ObservableEmail:
		return names(append(to, key(o.Type, o.Value)), mailHost(o.Value))
	case schema.ObservableURL:
		return url(to, o.Value)
	}
	return append(to, key(o.Type, o.Value))
}

func address(to []uint64, a netip.Addr, port uint16) []uint64 {
	to = append(to, key(schema.ObservableIP, a.String()))
	if port != 0 {
		to = append(to, key(schema.ObservableSocket, netip.AddrPortFrom(a, port).String()))
	}
	for _, n := range widths(a) {
		if p, err := a.Prefix(n); err == nil {
			to = append(to, key(schema.ObservableCIDR, p.String()))
		}
	}
	return to
}

// names appends a name and its parents; the last label alone names nothing.
func names(to []uint64, name string) []uint64 {
	for {
		to = append(to, key(schema.ObservableDomain, name))
		dot := strings.IndexByte(name, '.')
		if dot < 0 || strings.IndexByte(name[dot+1:], '.') < 0 {
			return to
		}
		name = name[dot+1:]
	}
}

func url(to []uint64, v string) []uint64 {
	scheme, rest := anyScheme(v)
	if rest == "" {
		return append(to, key(schema.ObservableURL, v))
	}
	to = append(to, key(schema.ObservableURL, rest))
	host, port, at := authority(rest)
	full := rest[at:]
	path, _, _ := strings.Cut(full, "?")
	for n, from := 0, 0; n < deepest; n++ {
		slash := strings.IndexByte(path[from:], '/')
		if slash < 0 {
			break
		}
		from += slash + 1
		to = append(to, key(schema.ObservableURLPrefix, rest[:at+from]))
	}
	to = append(to, key(schema.ObservableURLPath, full), key(schema.ObservableURLPath, path))
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		if port == 0 {
			port = defaultPort(scheme)
		}
		return address(to, a.Unmap(), port)
	}
	return names(to, host)
}

// question gives the key that an indicator is asked by.
func question(i *schema.Indicator) uint64 {
	switch i.Type {
	case schema.ObservableSender:
		return key(schema.ObservableDomain, i.Value)
	case schema.ObservableURL, schema.ObservableURLPrefix:
		if _, rest := anyScheme(i.Value); rest != "" {
			return key(i.Type, rest)
		}
	case schema.ObservableCIDR:
		if p, err := netip.ParsePrefix(i.Value); err == nil {
			list := widths(p.Addr())
			n := list[0]
			for _, w := range list[1:] {
				if w <= p.Bits() {
					n = w
				}
			}
			if wide, err := p.Addr().Prefix(n); err == nil {
				return key(i.Type, wide.String())
			}
		}
	}
	return key(i.Type, i.Value)
}
