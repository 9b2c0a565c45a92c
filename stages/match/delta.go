package match

import (
	"cmp"
	"slices"
	"sort"
)

// delta is what has changed in a shard since its base was made: records added, and
// places of the base that are no more. It never changes; the next one is a copy.
type delta struct {
	entries []entry  // in order of hash, then place
	filter  []uint64 // one bit per entry: nearly every question ends here
}

// entry is one change: a record that was added, in the overlay, or the place of one
// in the base that is dead.
type entry struct {
	hash  uint64
	place uint32
	dead  bool
}

// maybe tells, when false, that nothing of that hash has changed.
func (d *delta) maybe(h uint64) bool {
	at := d.bit(h)
	return d.filter[at>>6]>>(at&63)&1 != 0
}

func (d *delta) bit(h uint64) uint64 { return h >> 16 & (uint64(len(d.filter))<<6 - 1) }

// of gives the entries of a hash.
func (d *delta) of(h uint64) []entry {
	if d == nil || !d.maybe(h) {
		return nil
	}
	lo := sort.Search(len(d.entries), func(i int) bool { return d.entries[i].hash >= h })
	hi := lo
	for hi < len(d.entries) && d.entries[hi].hash == h {
		hi++
	}
	return d.entries[lo:hi]
}

// killed reports whether one of the entries, all of one hash, says that the place is
// dead. No place is in two entries.
func killed(entries []entry, place uint32) bool {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].place >= place })
	return i < len(entries) && entries[i].place == place && entries[i].dead
}

func byHashAndPlace(a, b entry) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.place, b.place))
}

// with gives the delta without the entries at the places in dropped, and with more.
func (d *delta) with(dropped map[uint32]bool, more []entry) *delta {
	var old []entry
	if d != nil {
		old = d.entries
	}
	next := &delta{entries: make([]entry, 0, len(old)+len(more))}
	slices.SortFunc(more, byHashAndPlace)
	for _, e := range old {
		if !e.dead && dropped[e.place] {
			continue
		}
		for len(more) > 0 && byHashAndPlace(more[0], e) < 0 {
			next.entries, more = append(next.entries, more[0]), more[1:]
		}
		next.entries = append(next.entries, e)
	}
	next.entries = append(next.entries, more...)
	if len(next.entries) == 0 {
		return nil
	}
	words := 4
	for words*8 < len(next.entries) {
		words *= 2
	}
	next.filter = make([]uint64, words)
	for i := range next.entries {
		at := next.bit(next.entries[i].hash)
		next.filter[at>>6] |= 1 << (at & 63)
	}
	return next
}
