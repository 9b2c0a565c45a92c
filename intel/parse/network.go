package parse

import (
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// address gives an address, or a network where a prefix length stands behind it.
func address(t schema.ObservableType, s string) (schema.Observable, error) {
	s = strings.Trim(key(canon.Refang, s), `"'`)
	if strings.IndexByte(s, '/') >= 0 {
		return network(s)
	}
	if v := plainIP(s); v != "" {
		return schema.Observable{Type: schema.ObservableIP, Value: v}, nil
	}
	if _, err := socket(s); err == nil {
		return schema.Observable{}, errPort
	}
	if t == schema.ObservableCIDR {
		return schema.Observable{}, errNoNetwork
	}
	return schema.Observable{}, errNoIP
}

// plainIP gives the canonical form of an address without a port, "" for what is no
// address of a single machine.
func plainIP(s string) string {
	if strings.IndexByte(s, '.') >= 0 && strings.IndexByte(s, ':') > 0 && strings.IndexByte(s, ':') == strings.LastIndexByte(s, ':') {
		return "" // IPv4 with a port, which canon would drop
	}
	if strings.HasPrefix(s, "[") && !strings.HasSuffix(s, "]") {
		return ""
	}
	return key(canon.IP, s)
}

// network gives the canonical form of a prefix; one that holds a single address is
// that address.
func network(s string) (schema.Observable, error) {
	p, err := prefix(s)
	if err != nil {
		return schema.Observable{}, errNoNetwork
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return schema.Observable{}, errNoNetwork
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.IsSingleIP() {
		return found(schema.ObservableIP, key(canon.IP, p.Addr().String()), errNoIP)
	}
	return schema.Observable{Type: schema.ObservableCIDR, Value: p.Masked().String()}, nil
}

// socket gives an address with a port: 203.0.113.7:443 or [2001:db8::7]:443.
func socket(s string) (schema.Observable, error) {
	a, err := netip.ParseAddrPort(key(canon.Refang, s))
	if err != nil || a.Port() == 0 || a.Addr().Zone() != "" {
		return schema.Observable{}, errNoSocket
	}
	ip := a.Addr().Unmap()
	if key(canon.IP, ip.String()) == "" {
		return schema.Observable{}, errNoIP
	}
	return schema.Observable{Type: schema.ObservableSocket, Value: netip.AddrPortFrom(ip, a.Port()).String()}, nil
}

// domain gives the canonical form of a domain. "*.bad.example" and ".bad.example"
// are the domain: an indicator of one names what is below it.
func domain(s string) (schema.Observable, error) {
	s = strings.TrimPrefix(key(canon.Refang, s), "*")
	s = strings.TrimPrefix(s, ".")
	v := key(canon.Domain, s)
	if v == "" {
		return schema.Observable{}, errNoDomain
	}
	if strings.IndexByte(s, ':') >= 0 {
		return schema.Observable{}, errDomainPort
	}
	return schema.Observable{Type: schema.ObservableDomain, Value: v}, nil
}
