package match

import (
	"net/netip"
	"runtime"
	"strconv"
	"strings"
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
	seen  uint64   // what ahead has read, so that it is read
	text  [64]byte // of a network, a socket, an address that a URL has in another form
	found func(uint64, []byte)
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
// when yield returns; its texts may be kept. What the indicators are worth is for
// Judge to say: among them are those that name a parent domain and nothing below it.
func (r *Reader) Find(x *Index, o schema.Observable, yield func(*schema.Indicator)) {
	r.find(x, o, 0, true, yield)
}

// FindEntity is Find for an entity of an alert. It also asks for an address with the
// entity's port, and of a mailbox that something was sent to only itself: whose
// domain that is says nothing. False means that no indicator can name such an entity.
func (r *Reader) FindEntity(x *Index, e *schema.Entity, yield func(*schema.Indicator)) (schema.Observable, bool) {
	o, ok := e.Observable()
	if ok {
		r.find(x, o, e.Port, e.Role != schema.RoleTarget, yield)
	}
	return o, ok
}

// farAhead is for how many entities memory is asked before the first answer is used.
const farAhead = 64

// ahead reads a word of the filter for each entity that is about to be asked for.
// Nothing depends on what it reads, so that memory fetches many lines at once where
// the questions themselves would wait for one after the other.
func (r *Reader) ahead(x *Index, entities []schema.Entity) {
	for e := range entities[:min(len(entities), farAhead)] {
		o, ok := entities[e].Observable()
		if !ok || !x.types.has(o.Type) || len(o.Value) > maxValue {
			continue
		}
		h := hashKey(o.Type, o.Value)
		r.seen ^= x.shards[shardOf(h)].base.touch(h)
	}
}

func (r *Reader) find(x *Index, o schema.Observable, port uint16, sender bool, yield func(*schema.Indicator)) {
	if x == nil || x.n == 0 {
		return
	}
	if r.found == nil {
		r.found = r.take
	}
	if r.cache != nil && r.own != x.own {
		r.cache.Purge()
		r.own = x.own
		clear(r.door)
	}
	r.index, r.yield = x, yield
	switch o.Type {
	case schema.ObservableCIDR:
		if p, err := netip.ParsePrefix(o.Value); err == nil && x.nets != nil {
			r.networks(p)
		}
	case schema.ObservableDomain:
		r.names(schema.ObservableDomain, o.Value)
	case schema.ObservableSender:
		r.names(schema.ObservableSender, o.Value)
		r.names(schema.ObservableDomain, o.Value)
	default:
		r.exact(o.Type, o.Value)
	}
	switch o.Type {
	case schema.ObservableIP:
		r.holding(o.Value)
		if port != 0 && x.types.has(schema.ObservableSocket) {
			r.socket(o.Value, port)
		}
	case schema.ObservableSocket:
		if a, err := netip.ParseAddrPort(o.Value); err == nil {
			r.address(a.Addr())
		}
	case schema.ObservableURL:
		r.url(o.Value)
	case schema.ObservableEmail:
		if host := mailHost(o.Value); sender && host != "" && host[0] != '[' {
			r.names(schema.ObservableSender, host)
			r.names(schema.ObservableDomain, host)
		}
	}
	r.index, r.yield = nil, nil
	runtime.KeepAlive(x) // its records may be a file that is unmapped with it
}

// url asks for what names a URL besides its own text: the same under any scheme,
// its beginnings up to each slash, its path on any host, its host.
func (r *Reader) url(v string) {
	u := splitURL(v)
	if u.rest == "" {
		return
	}
	types := &r.index.types
	if types.has(schema.ObservableURL) && u.scheme != "" {
		r.exact(schema.ObservableURL, u.rest)
	}
	path := u.path
	if q := strings.IndexByte(path, '?'); q >= 0 {
		path = path[:q]
	}
	if types.has(schema.ObservableURLPrefix) {
		host := len(v) - len(u.path)
		for at, n := 0, 0; n < deepest; n++ {
			slash := strings.IndexByte(path[at:], '/')
			if slash < 0 {
				break
			}
			at += slash + 1
			r.exact(schema.ObservableURLPrefix, v[:host+at])
			if u.scheme != "" {
				r.exact(schema.ObservableURLPrefix, u.rest[:len(u.rest)-len(u.path)+at])
			}
		}
	}
	if types.has(schema.ObservableURLPath) {
		r.exact(schema.ObservableURLPath, u.path)
		if len(path) < len(u.path) {
			r.exact(schema.ObservableURLPath, path)
		}
	}
	a, ok := u.address()
	if !ok {
		r.names(schema.ObservableDomain, u.host)
		return
	}
	r.address(a)
	if types.has(schema.ObservableSocket) {
		port := u.port
		if port == "" {
			port = defaultPort(u.scheme)
		}
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && err == nil {
			text := netip.AddrPortFrom(a, uint16(n)).AppendTo(r.text[:0])
			r.exact(schema.ObservableSocket, unsafe.String(unsafe.SliceData(text), len(text))) // only compared, never kept
		}
	}
}

// address asks for an address and the networks that hold it.
func (r *Reader) address(a netip.Addr) {
	if r.index.types.has(schema.ObservableIP) {
		text := a.AppendTo(r.text[:0])
		r.exact(schema.ObservableIP, unsafe.String(unsafe.SliceData(text), len(text))) // only compared, never kept
	}
	if r.index.nets.maybe(a) {
		r.networks(netip.PrefixFrom(a, a.BitLen()))
	}
}

// holding asks for the networks that hold the address of the text.
func (r *Reader) holding(text string) {
	if !r.index.nets.some() {
		return
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && r.index.nets.maybe(a) {
		r.networks(netip.PrefixFrom(a, a.BitLen()))
	}
}

// socket asks for an address with a port.
func (r *Reader) socket(addr string, port uint16) {
	if len(addr) > len(r.text)-8 {
		return
	}
	text := r.text[:0]
	if strings.IndexByte(addr, ':') >= 0 {
		text = append(append(append(text, '['), addr...), ']')
	} else {
		text = append(text, addr...)
	}
	text = strconv.AppendUint(append(text, ':'), uint64(port), 10)
	r.exact(schema.ObservableSocket, unsafe.String(unsafe.SliceData(text), len(text))) // only compared, never kept
}

// networks asks for every network that holds all of p, the longest first.
func (r *Reader) networks(p netip.Prefix) {
	for ok := true; ok; {
		if p, ok = r.index.nets.first(p); !ok {
			return
		}
		text := p.AppendTo(r.text[:0])
		r.exact(schema.ObservableCIDR, unsafe.String(unsafe.SliceData(text), len(text))) // only compared, never kept
		wider, err := p.Addr().Prefix(p.Bits() - 1)
		p, ok = wider, err == nil
	}
}

// names asks for a DNS name and every parent of it that has a dot. That a public
// suffix names nothing below it is Check's business.
func (r *Reader) names(t schema.ObservableType, name string) {
	if !r.index.types.has(t) || len(name) > longestName {
		return
	}
	for {
		r.exact(t, name)
		dot := strings.IndexByte(name, '.')
		if dot < 0 || strings.IndexByte(name[dot+1:], '.') < 0 {
			return
		}
		name = name[dot+1:]
	}
}

// exact asks for that type and exactly that value.
func (r *Reader) exact(t schema.ObservableType, value string) {
	if !r.index.types.has(t) || len(value) > maxValue {
		return
	}
	h := hashKey(t, value)
	s := r.index.shards[shardOf(h)]
	if in, ok := s.maybe(h); ok {
		s.find(h, in, t, value, r.found)
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
