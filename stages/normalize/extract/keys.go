package extract

// keySet finds keys that an object has twice, among those that are not known by
// their order: see order. It serves all objects of a document at once: entries
// carry the number of their object. An epoch in each cell stands in for clearing
// the table between documents.
type keySet struct {
	cells []uint32 // epoch << 16 | index into keys
	mask  uint64
	epoch uint32
	keys  []keyEntry
}

type keyEntry struct {
	hash uint64
	name string
	obj  uint32
	cell uint32
}

// newKeySet gives a set that takes up to most keys, at most 2^16.
func newKeySet(most int) keySet {
	n := 64
	for n < 2*most+2 {
		n *= 2
	}
	return keySet{cells: make([]uint32, n), mask: uint64(n - 1), epoch: 1}
}

func (s *keySet) reset() {
	if len(s.keys) == 0 {
		return
	}
	s.keys = s.keys[:0]
	if s.epoch++; s.epoch == 1<<16 {
		clear(s.cells)
		s.epoch = 1
	}
}

// add notes a key and reports whether its object did not have it yet.
func (s *keySet) add(obj uint32, hash uint64, name string) bool {
	i := cell(hash, obj)
	for ; ; i++ {
		c := s.cells[i&s.mask]
		if c>>16 != s.epoch {
			break
		}
		k := &s.keys[c&0xffff]
		if k.hash == hash && k.obj == obj && k.name == name {
			return false
		}
	}
	s.cells[i&s.mask] = s.epoch<<16 | uint32(len(s.keys))
	s.keys = append(s.keys, keyEntry{hash, name, obj, uint32(i & s.mask)})
	return true
}

// cut takes back all keys from mark on. They are the last that came, so that no
// key that stays was pushed along by one that goes.
func (s *keySet) cut(mark int) {
	for i := range s.keys[mark:] {
		s.cells[s.keys[mark+i].cell] = 0
	}
	s.keys = s.keys[:mark]
}
