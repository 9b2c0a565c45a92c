package fetch

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// addressError says that an address is not for feeds.
type addressError struct {
	addr netip.Addr
	kind string
}

func (e *addressError) Error() string {
	return fmt.Sprintf("%s, a private address (%s): refused (allow_private)", e.addr, e.kind)
}

// reserved are networks that are not the public Internet's and that netip.Addr has
// no method for.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this host
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),     // future use, and broadcast
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64 inside a network
	netip.MustParsePrefix("100::/64"),        // discarded
	netip.MustParsePrefix("2001::/32"),       // Teredo: leads to any IPv4 address
	netip.MustParsePrefix("fec0::/10"),       // site-local
	netip.MustParsePrefix("::ffff:0:0:0/96"), // translated
}

// Networks that hold an IPv4 address, and the byte at which it begins.
var embedding = [...]struct {
	net netip.Prefix
	at  int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible
}

// special says what an address is if it is no public unicast one, else "".
func special(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsPrivate():
		return "private network"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	}
	for _, n := range reserved {
		if n.Contains(a) {
			return "reserved"
		}
	}
	if a.Is6() {
		b := a.As16()
		for _, e := range embedding {
			if e.net.Contains(a) {
				inner := special(netip.AddrFrom4([4]byte(b[e.at : e.at+4])))
				if inner != "" {
					return inner + " inside IPv6"
				}
			}
		}
		// Interface ids of ISATAP hold an IPv4 address too.
		if id := binary.BigEndian.Uint32(b[8:]); id == 0x00005efe || id == 0x02005efe {
			if inner := special(netip.AddrFrom4([4]byte(b[12:]))); inner != "" {
				return inner + " inside IPv6"
			}
		}
	}
	return ""
}
