package extract

import "testing"

// A key counts for its object alone, in a table as full as it gets.
func TestKeySet(t *testing.T) {
	const most = 500
	s := newKeySet(most)
	for range 1<<16 + 2 { // the epoch goes around
		s.add(1, 7, "x")
		s.reset()
	}
	for range 3 {
		for i := range uint32(most / 2) {
			if !s.add(i*7919, 7, "a") || !s.add(i*7919, 7, "b") { // the same hash
				t.Fatalf("object %d has a key already", i)
			}
		}
		mark := most / 2
		s.cut(mark)
		for i := range uint32(most / 2) {
			if has := i < most/4; s.add(i*7919, 7, "a") == has || s.add(i*7919, 7, "b") == has {
				t.Fatalf("object %d: want a key that is there %v", i, has)
			}
		}
		s.reset()
	}
}
