package correlate

// slab cuts the small slices of what is emitted from chunks, which are never
// written again: what was handed out lives as long as someone holds it.
type slab[T any] struct{ free []T }

const slabSize = 512

func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.free = make([]T, max(n, slabSize))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// clone copies x; of nothing it is nil.
func (s *slab[T]) clone(x []T) []T {
	if len(x) == 0 {
		return nil
	}
	out := s.take(len(x))
	copy(out, x)
	return out
}

// texts is the same for strings.
type texts struct{ bytes slab[byte] }

func (s *texts) clone(b []byte) string { return alias(s.bytes.clone(b)) }
