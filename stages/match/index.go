package match

import (
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/gaissmai/bart"
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// Index is an immutable set of indicators. Any number of goroutines may ask it.
type Index struct {
	id         uint64
	indicators []schema.Indicator
	filter     *bloom.BloomFilter
	table      map[uint64]int32 // hash of type and value -> first in chain
	next       []int32          // chain of indicators with the same hash; -1 ends it
	prefixes   bart.Table[int32]
	networks   int
	probes     uint
}

// ID names the content of the index: equal indicators, equal id.
func (x *Index) ID() uint64 { return x.id }

// Len is the number of indicators.
func (x *Index) Len() int { return len(x.indicators) }

// Holder is where the current index lives. The zero Holder is empty and ready.
type Holder struct{ p atomic.Pointer[Index] }

// Load gives the current index; nil when there is none.
func (h *Holder) Load() *Index { return h.p.Load() }

// Store makes x the current index.
func (h *Holder) Store(x *Index) { h.p.Store(x) }

// maxProbes bounds the filter's hash functions, so that locations fit an array.
const maxProbes = 24

// key is one hashing of a value, from which all of its filter locations follow.
func key(t schema.ObservableType, value string) xxh3.Uint128 {
	h := xxh3.HashString128(value)
	h.Lo += uint64(t) * 0x9E3779B97F4A7C15 // the type is part of the key
	h.Hi |= 1                              // an odd step visits every location
	return h
}

// maybe asks the filter, the first two locations first: they turn down nearly
// everything.
func (x *Index) maybe(h xxh3.Uint128) bool {
	var locs [maxProbes]uint64
	locs[0], locs[1] = h.Lo, h.Lo+h.Hi
	if !x.filter.TestLocations(locs[:min(2, x.probes)]) {
		return false
	}
	for i := uint(2); i < x.probes; i++ {
		locs[i] = locs[i-1] + h.Hi
	}
	return x.filter.TestLocations(locs[min(2, x.probes):x.probes])
}

// find calls yield for every indicator of that type and exactly that value.
func (x *Index) find(t schema.ObservableType, value string, yield func(*schema.Indicator)) {
	h := key(t, value)
	if !x.maybe(h) {
		return
	}
	i, ok := x.table[h.Lo]
	if !ok {
		return
	}
	for ; i >= 0; i = x.next[i] {
		if ind := &x.indicators[i]; ind.Type == t && ind.Value == value {
			yield(ind)
		}
	}
}

// Find calls yield for every indicator that names the observable: the value
// itself, a network that holds an address, a parent of a domain, the host of
// a URL. The pointers are valid as long as the index.
func (x *Index) Find(o schema.Observable, yield func(*schema.Indicator)) {
	if x == nil || len(x.indicators) == 0 {
		return
	}
	x.find(o.Type, o.Value, yield)
	switch o.Type {
	case schema.ObservableIP:
		x.findNetworks(o.Value, yield)
	case schema.ObservableDomain:
		x.findParents(o.Value, yield)
	case schema.ObservableURL:
		if host := urlHost(o.Value); host != "" {
			if isAddr(host) {
				x.find(schema.ObservableIP, host, yield)
				x.findNetworks(host, yield)
				return
			}
			x.find(schema.ObservableDomain, host, yield)
			x.findParents(host, yield)
		}
	}
}

// findParents asks for every parent of a domain. That a public suffix never
// stands in the index is the builder's business.
func (x *Index) findParents(domain string, yield func(*schema.Indicator)) {
	for {
		_, parent, ok := strings.Cut(domain, ".")
		if !ok || !strings.Contains(parent, ".") {
			return
		}
		x.find(schema.ObservableDomain, parent, yield)
		domain = parent
	}
}

func (x *Index) findNetworks(addr string, yield func(*schema.Indicator)) {
	if x.networks == 0 {
		return
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return
	}
	if _, ok := x.prefixes.Lookup(a); !ok {
		return
	}
	for _, i := range x.prefixes.Supernets(netip.PrefixFrom(a, a.BitLen())) {
		for ; i >= 0; i = x.next[i] {
			yield(&x.indicators[i])
		}
	}
}

// urlHost gives the host of a URL in normal form, without port and brackets.
func urlHost(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if strings.HasPrefix(rest, "[") {
		host, _, _ := strings.Cut(rest[1:], "]")
		return host
	}
	host, _, _ := strings.Cut(rest, ":")
	return host
}

// isAddr tells an address from a host name without the cost of an error value:
// no top-level domain ends in a digit.
func isAddr(host string) bool {
	last := host[len(host)-1]
	if (last < '0' || last > '9') && !strings.Contains(host, ":") {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
