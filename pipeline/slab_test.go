package pipeline

import (
	"bytes"
	"testing"
)

// TestSlab fills a slab with pieces that fit their room, outgrow it and are larger
// than a block: none may change after it was put, none may be appended into the
// next, and memory is used again.
func TestSlab(t *testing.T) {
	var s slab
	fill := func() (pieces [][]byte) {
		for i, size := range []int{10, 0, slabBlock - 10, 1, slabBlock / 2, slabBlock, 3 * slabBlock, 5, slabBlock - 100, 99, 200} {
			b := s.put(append(s.room(min(size, slabBlock/2)), bytes.Repeat([]byte{byte(i + 1)}, size)...))
			if len(b) != cap(b) {
				t.Fatalf("piece %d: %d bytes with room for %d", i, len(b), cap(b))
			}
			pieces = append(pieces, b)
		}
		return pieces
	}
	for range 3 {
		for i, p := range fill() {
			if n := bytes.Count(p, []byte{byte(i + 1)}); n != len(p) {
				t.Fatalf("piece %d: %d of %d bytes are its own", i, n, len(p))
			}
		}
		s.reset()
	}
	if n := testing.AllocsPerRun(10, func() {
		s.reset()
		for range 1000 {
			s.put(append(s.room(100), "one piece"...))
		}
	}); n != 0 {
		t.Errorf("%v allocations with used memory", n)
	}
}
