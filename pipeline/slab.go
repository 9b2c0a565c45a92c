package pipeline

// slab holds what a lane encodes until the transaction has ended. Its blocks never
// move and are used again, so that encoding copies and clears nothing but what it
// writes.
type slab struct {
	blocks [][]byte
	full   int // blocks before this are used up
	used   int // of blocks[full]
}

const (
	slabBlock  = 256 << 10
	slabBlocks = 256 // kept for the next transaction
)

// room gives an empty slice to append about n bytes to. put says what came of it.
func (s *slab) room(n int) []byte {
	for s.full < len(s.blocks) && len(s.blocks[s.full])-s.used < n {
		s.full++
		s.used = 0
	}
	if s.full == len(s.blocks) {
		s.blocks = append(s.blocks, make([]byte, max(n, slabBlock)))
	}
	return s.blocks[s.full][s.used:s.used]
}

// put keeps what was appended to the slice that room gave last, and gives it
// back without the room behind it. If that was not enough, appending has moved it
// to memory of its own.
func (s *slab) put(b []byte) []byte {
	if s.used+len(b) <= len(s.blocks[s.full]) && len(b) > 0 && &b[0] == &s.blocks[s.full][s.used] {
		s.used += len(b)
	}
	return b[:len(b):len(b)]
}

// reset forgets everything and keeps the memory, unless it grew out of proportion.
func (s *slab) reset() {
	if len(s.blocks) > slabBlocks {
		s.blocks = nil
	}
	s.full, s.used = 0, 0
}
