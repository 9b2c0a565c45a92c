package match

import (
	"bytes"
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// shard holds the indicators whose hashes begin alike. It never changes: a change
// makes a new shard that shares the base, a rebuild one that shares nothing but the
// snapshot file.
type shard struct {
	base    *base
	delta   *delta // nil: none
	overlay []byte // records that are not in the base's; only ever appended to
	segment uint32 // names the overlay in caches
	n       int
	sum     uint64 // of the hashes of all records: whatever the order, equal content gives an equal sum
}

// maybe asks filter and delta. When it says no, the shard has nothing of that hash;
// otherwise its answer is for find.
func (s *shard) maybe(h uint64) (likely, bool) {
	w := likely{base: s.base.maybe(h)}
	if s.delta != nil {
		w.changed = s.delta.of(h)
	}
	return w, w.base || len(w.changed) > 0
}

// likely says where a hash may be found.
type likely struct {
	base    bool
	changed []entry // what the delta says of the hash
}

// bytesAt gives the bytes from a place on; nil when the place is none.
func (s *shard) bytesAt(place uint32) []byte {
	from := s.base.records
	if place&inOverlay != 0 {
		from = s.overlay
	}
	if at := int(place &^ inOverlay); at < len(from) {
		return from[at:]
	}
	return nil
}

// find calls yield for the record of every indicator of exactly that type and
// value, with a key that names the record in caches.
func (s *shard) find(h uint64, in likely, t schema.ObservableType, value string, yield func(key uint64, b []byte)) {
	changed := in.changed
	for i := range changed {
		if !changed[i].dead {
			s.check(changed[i].place, t, value, yield)
		}
	}
	if !in.base {
		return
	}
	for lo, hi := s.base.span(h); lo < hi; lo++ {
		if place := s.base.entries[lo].place; len(changed) == 0 || !killed(changed, place) {
			s.check(place, t, value, yield)
		}
	}
}

// check compares the bytes: nothing else makes a match.
func (s *shard) check(place uint32, t schema.ObservableType, value string, yield func(key uint64, b []byte)) {
	b := s.bytesAt(place)
	if typ, v, ok := head(b); !ok || typ != t || string(v) != value {
		return
	}
	segment := s.base.segment
	if place&inOverlay != 0 {
		segment = s.segment
	}
	yield(uint64(segment)<<32|uint64(place), b)
}

// locate finds the live record of an indicator: its place, whether the delta added it
// (the base may hold places in the overlay as well), and whether there is one.
func (s *shard) locate(h uint64, want record) (place uint32, found record, added, ok bool) {
	changed := s.delta.of(h)
	for _, e := range changed {
		if r, is := parse(s.bytesAt(e.place)); is && !e.dead && r.same(want) {
			return e.place, r, true, true
		}
	}
	if !s.base.maybe(h) {
		return 0, found, false, false
	}
	for lo, hi := s.base.span(h); lo < hi; lo++ {
		place := s.base.entries[lo].place
		if r, is := parse(s.bytesAt(place)); is && r.same(want) && !killed(changed, place) {
			return place, r, false, true
		}
	}
	return 0, found, false, false
}

// crowd is how many records of one value are compared one by one with each edit.
const crowd = 64

// located is where a record is; added as locate says it.
type located struct {
	place uint32
	added bool
}

// crowded lists the live records of a hash by what their indicators are known by; nil
// where they are few. A feed may give one value many ids: to look at all of them for each
// would take the square of their number.
func (s *shard) crowded(h uint64) map[string]located {
	changed := s.delta.of(h)
	lo, hi := 0, 0
	if s.base.maybe(h) {
		lo, hi = s.base.span(h)
	}
	if len(changed)+hi-lo < crowd {
		return nil
	}
	list := make(map[string]located, len(changed)+hi-lo)
	note := func(place uint32, added bool) {
		if r, ok := parse(s.bytesAt(place)); ok {
			list[r.identity()] = located{place, added}
		}
	}
	for ; lo < hi; lo++ {
		if place := s.base.entries[lo].place; !killed(changed, place) {
			note(place, false)
		}
	}
	for _, e := range changed {
		if !e.dead {
			note(e.place, true)
		}
	}
	return list
}

// edit is one change of a shard, at most one per indicator.
type edit struct {
	hash   uint64
	rec    record
	remove bool
}

// apply gives the shard after edits, and counts what really changed, in all and by
// type.
func (s *shard) apply(edits []edit, own *owner, types *typeCounts) (*shard, Applied, error) {
	next := *s
	var done Applied
	var more []entry
	dropped := map[uint32]bool{}
	var known map[string]located
	for i, e := range edits {
		if i == 0 || e.hash != edits[i-1].hash {
			known = s.crowded(e.hash)
		}
		place, old, added, had := uint32(0), record{}, false, false
		if known == nil {
			place, old, added, had = s.locate(e.hash, e.rec)
		} else if at, ok := known[e.rec.identity()]; ok {
			place, added = at.place, at.added
			old, had = parse(s.bytesAt(place))
		}
		if !e.remove && had && bytes.Equal(old.whole, e.rec.whole) || e.remove && !had {
			done.Unchanged++
			continue
		}
		if had {
			if added {
				dropped[place] = true
			} else {
				more = append(more, entry{e.hash, place, true})
			}
			next.sum -= xxh3.Hash(old.whole)
			next.n--
			types.add(old.typ(), -1)
		}
		switch {
		case e.remove:
			done.Removed++
			continue
		case had:
			done.Changed++
		default:
			done.Added++
		}
		if len(next.overlay)+len(e.rec.whole) >= inOverlay {
			return nil, done, errShardFull
		}
		more = append(more, entry{e.hash, inOverlay | uint32(len(next.overlay)), false})
		next.overlay = append(next.overlay, e.rec.whole...)
		next.sum += xxh3.Hash(e.rec.whole)
		next.n++
		types.add(e.rec.typ(), 1)
	}
	if len(more) == 0 && len(dropped) == 0 {
		return s, done, nil
	}
	if next.segment == 0 {
		next.segment = own.segment()
	}
	next.delta = s.delta.with(dropped, more)
	return &next, done, nil
}

// changes is the size of the delta.
func (s *shard) changes() int {
	if s.delta == nil {
		return 0
	}
	return len(s.delta.entries)
}

// compact gives a shard of the same content without a delta.
func (s *shard) compact(own *owner, falsePositives float64) (next *shard, err error) {
	items := s.live()
	next = &shard{n: s.n, sum: s.sum}
	// Where the records are a file they stay there, and only the overlay is written
	// anew; otherwise all are.
	keep := s.base.mapped != nil
	var fresh []byte
	for i, it := range items {
		if keep && it.place&inOverlay == 0 {
			continue
		}
		r, ok := parse(s.bytesAt(it.place))
		if !ok {
			return nil, errDamaged
		}
		items[i].place = uint32(len(fresh))
		if keep {
			items[i].place |= inOverlay
		}
		fresh = append(fresh, r.whole...)
		if len(fresh) >= inOverlay {
			return nil, errShardFull
		}
	}
	keys := 0
	if s.delta != nil {
		keys = len(s.delta.entries)
	}
	if s.base.crowded(keys, len(items)) {
		for i := range items {
			from := fresh
			if keep && items[i].place&inOverlay == 0 {
				from = s.base.records
			}
			t, value, ok := head(from[items[i].place&^inOverlay:])
			if !ok {
				return nil, errDamaged
			}
			items[i].hash = hashBytes(byte(t), value)
		}
		slices.SortStableFunc(items, byHash)
		next.base, err = newBase(items, nil, falsePositives)
	} else {
		next.base, err = s.base.merged(items, s.delta)
	}
	if err != nil {
		return nil, err
	}
	if keep {
		next.base.records, next.base.mapped, next.base.segment = s.base.records, s.base.mapped, s.base.segment
		if len(fresh) > 0 {
			next.overlay, next.segment = slices.Clip(fresh), own.segment()
		}
	} else {
		next.base.records, next.base.segment = slices.Clip(fresh), own.segment()
	}
	return next, nil
}

// live lists what is in the shard in order. Of the hashes only the bits that the
// base keeps are right.
func (s *shard) live() []item {
	b := s.base
	items := make([]item, 0, s.n)
	var changed []entry
	if s.delta != nil {
		changed = s.delta.entries
	}
	low := uint(32) - b.shift // lowest bits that the base does not keep
	var dead map[uint32]bool  // places of the hash in hand that are
	last := ^uint64(0)        // the key that dead is of
	for bucket := range len(b.radix) - 1 {
		for i := b.radix[bucket]; i < b.radix[bucket+1]; i++ {
			key := uint64(bucket)<<32 | uint64(b.entries[i].rest)
			for len(changed) > 0 && b.bucketKey(changed[0].hash) < key {
				if !changed[0].dead {
					items = append(items, item{changed[0].hash, changed[0].place})
				}
				changed = changed[1:]
			}
			if key != last {
				last = key
				clear(dead)
				for k := 0; k < len(changed) && b.bucketKey(changed[k].hash) == key; k++ {
					if changed[k].dead {
						if dead == nil {
							dead = map[uint32]bool{}
						}
						dead[changed[k].place] = true
					}
				}
			}
			if place := b.entries[i].place; len(dead) == 0 || !dead[place] {
				items = append(items, item{key << low >> shardBits, place})
			}
		}
	}
	for _, e := range changed {
		if !e.dead {
			items = append(items, item{e.hash, e.place})
		}
	}
	return items
}

// merged makes a base of items in order, with the buckets of b and its filter plus
// what the delta added. Keys that are gone stay in the filter until it is made anew:
// they let something through, and what they let through is compared.
func (b *base) merged(items []item, d *delta) (*base, error) {
	next := &base{size: b.size, probes: b.probes, room: b.room, shift: b.shift}
	if err := next.arrays(len(b.words), len(b.radix), len(items)); err != nil {
		return nil, err
	}
	copy(next.words, b.words)
	filter := next.filter()
	if d != nil {
		for _, e := range d.entries {
			if !e.dead && !next.maybe(e.hash) {
				setKey(filter, e.hash)
				next.room--
			}
		}
	}
	next.fill(items)
	return next, nil
}
