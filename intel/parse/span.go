package parse

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
)

var errSpan = errors.New("a range of addresses that ends before it begins")

// span gives the networks that a range of IPv4 addresses is made of, no address more
// and none less: 62 of them at most. ok is false for text that is no range.
func span(text string) (list []schema.Observable, ok bool, err error) {
	first, last, ok := strings.Cut(text, "-")
	if !ok {
		return nil, false, nil
	}
	from, err1 := netip.ParseAddr(trimmed(first))
	to, err2 := netip.ParseAddr(trimmed(last))
	if err1 != nil || err2 != nil || !from.Is4() || !to.Is4() {
		return nil, false, nil
	}
	if to.Less(from) {
		return nil, true, errSpan
	}
	a4, b4 := from.As4(), to.As4()
	a, b := uint64(binary.BigEndian.Uint32(a4[:])), uint64(binary.BigEndian.Uint32(b4[:]))
	for a <= b {
		size := uint64(1) << min(bits.TrailingZeros64(a|1<<32), bits.Len64(b-a+1)-1)
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], uint32(a))
		o, err := network(netip.PrefixFrom(netip.AddrFrom4(ip), 33-bits.Len64(size)).String())
		if err != nil {
			return nil, true, err
		}
		list = append(list, o)
		a += size
	}
	return list, true, nil
}

// masked gives an address and a mask as a prefix: 203.0.113.0 with 255.255.255.0, or
// with the 0.0.0.255 of access lists. ok is false for what is no mask.
func masked(address, mask string) (prefix string, ok bool) {
	ip, err1 := netip.ParseAddr(address)
	m, err2 := netip.ParseAddr(mask)
	if err1 != nil || err2 != nil || !ip.Is4() || !m.Is4() {
		return "", false
	}
	b := m.As4()
	ones := binary.BigEndian.Uint32(b[:])
	if ones>>31 == 0 {
		ones = ^ones
	}
	n := bits.LeadingZeros32(^ones)
	if ones<<n != 0 || n == 0 {
		return "", false
	}
	return netip.PrefixFrom(ip, n).String(), true
}
