package syntax

import "hash/maphash"

// nameSet tells which names a message had already. The hash is seeded, so that
// nobody can choose names that collide; an epoch in each cell stands in for
// clearing.
type nameSet struct {
	seed  maphash.Seed
	cells []nameCell
	names []nameEntry
	epoch uint32
}

type nameCell struct{ epoch, index uint32 }

type nameEntry struct {
	hash uint64
	name string
}

func newNameSet() nameSet { return nameSet{seed: maphash.MakeSeed(), cells: make([]nameCell, 256)} }

func (s *nameSet) reset() {
	s.names = s.names[:0]
	if s.epoch++; s.epoch == 0 {
		clear(s.cells)
		s.epoch = 1
	}
}

// add notes a name and reports whether it is new.
func (s *nameSet) add(name string) bool {
	if 2*len(s.names) >= len(s.cells) {
		s.grow()
	}
	h := maphash.String(s.seed, name)
	mask := uint64(len(s.cells) - 1)
	i := h & mask
	for s.cells[i].epoch == s.epoch {
		if e := &s.names[s.cells[i].index]; e.hash == h && e.name == name {
			return false
		}
		i = (i + 1) & mask
	}
	s.cells[i] = nameCell{s.epoch, uint32(len(s.names))}
	s.names = append(s.names, nameEntry{h, name})
	return true
}

func (s *nameSet) grow() {
	s.cells = make([]nameCell, 2*len(s.cells))
	mask := uint64(len(s.cells) - 1)
	for n := range s.names {
		i := s.names[n].hash & mask
		for s.cells[i].epoch == s.epoch {
			i = (i + 1) & mask
		}
		s.cells[i] = nameCell{s.epoch, uint32(n)}
	}
}
