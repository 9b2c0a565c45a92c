package match

import (
	"iter"
	"runtime"
	"sync/atomic"

	"github.com/interdict/interdict/schema"
)

// Index is an immutable set of indicators. Any number of goroutines may ask it; a
// change makes another one (see Apply) that shares nearly everything.
type Index struct {
	cfg    Config
	shards [shardCount]*shard
	nets   *networks
	n      int
	types  typeCounts
	sum    uint64 // of the shards' sums
	debt   int    // changes since a shard was last rebuilt
	own    *owner
}

// owner is what the versions of one index have in common. Only the newest version
// can be changed, because versions share memory behind what they show.
type owner struct {
	newest   atomic.Pointer[Index]
	segments atomic.Uint32
}

// segment gives a number that no other overlay or base of this owner has.
func (o *owner) segment() uint32 { return o.segments.Add(1) }

// newIndex gives the empty index, to which changes can be applied.
func newIndex(cfg Config) (*Index, error) {
	b, err := newBase(nil, nil, cfg.FalsePositives)
	if err != nil {
		return nil, err
	}
	own := &owner{}
	x := &Index{cfg: cfg, own: own}
	empty := &shard{base: b}
	for i := range x.shards {
		x.shards[i] = empty
	}
	own.newest.Store(x)
	return x, nil
}

// ID names the content of the index: equal indicators, equal id, whatever changes
// led there and on whatever machine.
func (x *Index) ID() uint64 { return x.sum }

// Len is the number of indicators.
func (x *Index) Len() int { return x.n }

// Holder is where the current index lives. The zero Holder is empty and ready.
type Holder struct{ p atomic.Pointer[Index] }

// Load gives the current index; nil when there is none.
func (h *Holder) Load() *Index { return h.p.Load() }

// Store makes x the current index.
func (h *Holder) Store(x *Index) { h.p.Store(x) }

// Find calls yield for every indicator that names the observable: the value itself,
// a network that holds an address, a parent of a domain, the sender's domain of a
// mailbox; for a URL, itself under any scheme, its beginnings, its path, its host.
// The indicators belong to the caller.
func (x *Index) Find(o schema.Observable, yield func(*schema.Indicator)) {
	(&Reader{}).Find(x, o, yield)
}

// Contains reports whether the filter and the changes let a value through to the
// exact structure, and whether the exact structure has it. Measurements compare the
// two.
func (x *Index) Contains(o schema.Observable) (filter, exact bool) {
	h := hashKey(o.Type, o.Value)
	s := x.shards[shardOf(h)]
	in, filter := s.maybe(h)
	if filter {
		s.find(h, in, o.Type, o.Value, func(uint64, []byte) { exact = true })
	}
	runtime.KeepAlive(x)
	return filter, exact
}

// All goes through the indicators, in no order that means anything.
func (x *Index) All() iter.Seq[schema.Indicator] {
	return func(yield func(schema.Indicator) bool) {
		defer runtime.KeepAlive(x)
		for _, s := range x.shards {
			for _, it := range s.live() {
				r, ok := parse(s.bytesAt(it.place))
				if !ok {
					continue
				}
				if i, ok := r.decode(); ok && !yield(i) {
					return
				}
			}
		}
	}
}

// Stats are the sizes of an index.
type Stats struct {
	Indicators int                         `json:"indicators"`
	Types      [schema.ObservableTypes]int `json:"types"` // indicators by schema.ObservableType
	Networks   int                         `json:"networks"`
	Filter     int64                       `json:"filter_bytes"`  // in memory
	Entries    int64                       `json:"entry_bytes"`   // in memory: hashes, and where the records are
	Records    int64                       `json:"record_bytes"`  // in memory
	Mapped     int64                       `json:"mapped_bytes"`  // in the snapshot file
	Changes    int                         `json:"delta_entries"` // not yet in a base
}

// Stats adds up what the index takes, not counting the table of networks.
func (x *Index) Stats() Stats {
	st := Stats{Indicators: x.n, Types: x.types}
	if x.nets != nil {
		st.Networks = x.nets.n
	}
	var maps []*mapping
	for _, s := range x.shards {
		b := s.base
		st.Filter += int64(8 * len(b.words))
		st.Entries += int64(slotSize*len(b.entries) + 4*len(b.radix))
		st.Records += int64(cap(s.overlay))
		if b.mapped == nil {
			st.Records += int64(len(b.records))
		} else if len(maps) == 0 || maps[len(maps)-1] != b.mapped {
			maps = append(maps, b.mapped)
			st.Mapped += int64(len(b.mapped.data))
		}
		st.Changes += s.changes()
	}
	return st
}
