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
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation: nobody's, so that some use it inside
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // future use, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocols, of which Teredo leads to any IPv4 address
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// global6 is all of IPv6 that is given to networks of the Internet; nat64 leads to its
// IPv4 from there.
var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
)

// Networks that hold an IPv4 address, and the byte at which it begins.
var embedding = [...]struct {
	net netip.Prefix
	at  int
}{
	{nat64, 12},
	{netip.MustParsePrefix("2002::/16"), 2}, // 6to4
	{netip.MustParsePrefix("::/96"), 12},    // IPv4-compatible
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
		if !global6.Contains(a) && !nat64.Contains(a) {
			return "reserved"
		}
	}
	return ""
}
