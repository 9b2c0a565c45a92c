package match

import (
	"runtime"
	"unsafe"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/interdict/interdict/schema"
)

// remembered is how many decoded records a Reader keeps, doorBits how many keys it
// notes that may become worth keeping.
const (
	remembered = 4096
	doorBits   = 12
)

// Reader asks indexes for one goroutine. Records lie in a file; those that were
// met last are kept decoded, so that what matches often costs no disk and no memory.
type Reader struct {
	cache *simplelru.LRU[uint64, *schema.Indicator] // nil: nothing is kept
	own   *owner                                    // whose records the cache holds
	door  []uint64                                  // keys that were met once
	once  schema.Indicator                          // a record that is not kept

	// What is being asked: fields, because a closure per question would be an
	// allocation.
	index *Index
	yield func(*schema.Indicator)
	typ   schema.ObservableType
	text  [64]byte // of a network
	found func(uint64, []byte)
	ask   func(string)
}

// NewReader makes a reader that keeps what it decodes.
func NewReader() *Reader {
	cache, err := simplelru.NewLRU[uint64, *schema.Indicator](remembered, nil)
	if err != nil {
		panic("BUG: a cache of a constant size: " + err.Error())
	}
	return &Reader{cache: cache, door: make([]uint64, 1<<doorBits)}
}

// Find calls yield for every indicator that names the observable, as Index.Find
// does, but with hardly any garbage. An indicator must not be changed, and not be kept
// when yield returns; its texts may be kept.
func (r *Reader) Find(x *Index, o schema.Observable, yield func(*schema.Indicator)) {
	if x == nil || x.n == 0 {
		return
	}
	if r.found == nil {
		r.found, r.ask = r.take, r.exact
	}
	if r.cache != nil && r.own != x.own {
		r.cache.Purge()
		r.own = x.own
		clear(r.door)
	}
	r.index, r.yield = x, yield
	r.named(o)
	r.index, r.yield = nil, nil
	runtime.KeepAlive(x) // its records may be a file that is unmapped with it
}

func (r *Reader) named(o schema.Observable) {
	r.typ = o.Type
	r.exact(o.Value)
	switch o.Type {
	case schema.ObservableIP:
		r.networks(o.Value)
	case schema.ObservableDomain:
		eachParent(o.Value, r.ask)
	case schema.ObservableURL:
		host := urlHost(o.Value)
		if host == "" {
			return
		}
		if isAddr(host) {
			r.typ = schema.ObservableIP
			r.exact(host)
			r.networks(host)
			return
		}
		r.typ = schema.ObservableDomain
		r.exact(host)
		eachParent(host, r.ask)
	}
}

// networks asks for every network that holds the address, the longest first.
func (r *Reader) networks(addr string) {
	p, ok := r.index.nets.parsed(addr)
	r.typ = schema.ObservableCIDR
	for ok {
		if p, ok = r.index.nets.first(p); !ok {
			return
		}
		text := p.AppendTo(r.text[:0])
		r.exact(unsafe.String(unsafe.SliceData(text), len(text))) // only compared, never kept
		wider, err := p.Addr().Prefix(p.Bits() - 1)
		p, ok = wider, err == nil
	}
}

// exact asks for the type in hand and exactly that value.
func (r *Reader) exact(value string) {
	h := hashKey(r.typ, value)
	s := r.index.shards[shardOf(h)]
	if in, ok := s.maybe(h); ok {
		s.find(h, in, r.typ, value, r.found)
	}
}

// take decodes a record that was found, or remembers it.
func (r *Reader) take(key uint64, b []byte) {
	if r.cache != nil {
		if i, ok := r.cache.Get(key); ok {
			r.yield(i)
			return
		}
	}
	rec, ok := parse(b)
	if !ok {
		return
	}
	if r.once, ok = rec.decode(); !ok {
		return
	}
	// What is met once is often not met again: only the second time is worth a place.
	if r.cache != nil {
		if door := &r.door[key*0x9E3779B97F4A7C15>>(64-doorBits)]; *door != key {
			*door = key
			r.yield(&r.once)
			return
		}
	}
	kept := new(schema.Indicator)
	*kept = r.once
	if r.cache != nil {
		r.cache.Add(key, kept)
	}
	r.yield(kept)
}
