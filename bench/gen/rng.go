package gen

import "math/bits"

// rng is splitmix64. It is our own so that a seed gives the same world with
// every Go release, and a value so that streams can run without allocating.
type rng struct{ s uint64 }

func (r *rng) next() uint64 {
	r.s += 0x9e3779b97f4a7c15
	return finish(r.s)
}

func finish(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// mix hashes two words. Chained, it derives independent values from a seed and
// an identity without carrying state.
func mix(a, b uint64) uint64 { return finish(finish(a+0x9e3779b97f4a7c15) ^ b*0xd6e8feb86659fd93) }

// intN returns a value in [0, n). n must be positive.
func (r *rng) intN(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// between returns a value in [lo, hi], both included.
func (r *rng) between(lo, hi int) int { return lo + r.intN(hi-lo+1) }

// int64N returns a value in [0, n). n must be positive.
func (r *rng) int64N(n int64) int64 {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int64(hi)
}

// chance is true with probability p.
func (r *rng) chance(p float64) bool { return float64(r.next()>>11)/(1<<53) < p }

// weights draws an index by integer weight.
type weights struct{ cum []uint64 }

func newWeights(n int, of func(int) uint64) weights {
	w := weights{cum: make([]uint64, n)}
	var sum uint64
	for i := range n {
		sum += of(i)
		w.cum[i] = sum
	}
	return w
}

// zipf weighs rank i by 1/(i+1), in integers.
func zipf(n int) weights {
	return newWeights(n, func(i int) uint64 { return 1_000_000_000 / uint64(i+1) })
}

func (w weights) total() uint64 { return w.cum[len(w.cum)-1] }

func (w weights) draw(r *rng) int {
	x, _ := bits.Mul64(r.next(), w.total())
	lo, hi := 0, len(w.cum)-1
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if w.cum[m] <= x {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
