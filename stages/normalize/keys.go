package normalize

// keySet finds keys that an object has twice, for all objects of a document at
// once: entries carry the number of their object. An epoch in each cell stands
// in for clearing the table between documents.
type keySet struct {
	cells []uint32 // epoch << 16 | index into keys
	mask  uint64
	epoch uint32
	keys  []keyEntry
	max   int
}

type keyEntry struct {
	hash uint64
	name string
	obj  uint32
}

func newKeySet(max int) keySet {
	n := 64
	for n < 2*max+2 {
		n *= 2
	}
	return keySet{cells: make([]uint32, n), mask: uint64(n - 1), max: max, keys: make([]keyEntry, 0, 64)}
}

func (s *keySet) reset() {
	s.keys = s.keys[:0]
	if s.epoch++; s.epoch == 1<<16 {
		clear(s.cells)
		s.epoch = 1
	}
}

// full reports that another key would be one too many.
func (s *keySet) full() bool { return len(s.keys) == s.max }

// add notes a key and reports whether its object did not have it yet.
func (s *keySet) add(obj uint32, hash uint64, name string) bool {
	i := hash>>20 ^ uint64(obj)*hashMul>>40
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
	s.keys = append(s.keys, keyEntry{hash, name, obj})
	return true
}
