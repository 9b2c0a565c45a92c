package match

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// networks says which prefixes are indicators. What is known of one stands in the
// shards under the prefix's text, like any other value. It never changes.
type networks struct {
	table *bart.Lite
	n     int
	// One bit per /24 that a prefix of IPv4 touches, in pages of a /8 each: nearly
	// every address is turned down here. Nil pages have no bit.
	pages [256]*[1 << 16 / 64]uint64
}

// bulk is from how many prefixes on a copy of the whole table is cheaper than one
// path per prefix.
const bulk = 1000

// with gives the networks after prefixes have come and gone.
func (n *networks) with(come, gone []netip.Prefix) *networks {
	next := &networks{table: &bart.Lite{}}
	if n != nil {
		*next = *n
	}
	many := len(come)+len(gone) > bulk
	if many {
		next.table = next.table.Clone()
	}
	owned := [256]bool{}
	for _, p := range come {
		if many {
			next.table.Insert(p)
		} else {
			next.table = next.table.InsertPersist(p)
		}
		next.mark(p, &owned, func(uint32) bool { return true })
	}
	for _, p := range gone {
		if many {
			next.table.Modify(p, func(bool) bool { return true })
		} else {
			next.table = next.table.DeletePersist(p)
		}
	}
	for _, p := range gone {
		if p.Bits() < 16 {
			continue // a bit too many costs a look into the table, and clearing these many looks now
		}
		next.mark(p, &owned, func(at uint32) bool {
			return next.table.OverlapsPrefix(netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(at >> 16), byte(at >> 8), byte(at), 0}), 24))
		})
	}
	next.n = next.table.Size()
	return next
}

// mark sets or clears the bit of every /24 that a prefix touches. Pages are copied
// before they are written, once.
func (n *networks) mark(p netip.Prefix, owned *[256]bool, set func(at uint32) bool) {
	if !p.Addr().Is4() {
		return
	}
	a := p.Addr().As4()
	first := uint32(a[0])<<16 | uint32(a[1])<<8 | uint32(a[2])
	for i := range uint32(1) << max(0, 24-p.Bits()) {
		at := first + i
		number := at >> 16
		if !owned[number] {
			fresh := new([1 << 16 / 64]uint64)
			if old := n.pages[number]; old != nil {
				*fresh = *old
			}
			n.pages[number], owned[number] = fresh, true
		}
		word, bit := &n.pages[number][at&0xffff>>6], uint64(1)<<(at&63)
		if set(at) {
			*word |= bit
		} else {
			*word &^= bit
		}
	}
}

// some reports whether there are networks at all; none of nil.
func (n *networks) some() bool { return n != nil && n.n > 0 }

// maybe tells, when false, that no network holds the address.
func (n *networks) maybe(a netip.Addr) bool {
	if !n.some() || !a.Is4() {
		return n.some()
	}
	b := a.As4()
	page := n.pages[b[0]]
	at := uint(b[1])<<8 | uint(b[2])
	return page != nil && page[at>>6]>>(at&63)&1 != 0
}

// first gives the longest network that holds all of p.
func (n *networks) first(p netip.Prefix) (netip.Prefix, bool) { return n.table.LookupPrefixLPM(p) }
