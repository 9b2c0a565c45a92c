package mapping

import (
	"math/bits"
	"slices"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// index narrows the formats that a document may be of. Each format has anchors,
// slots of which its documents fill at least one; the rarer among formats, the
// better. Formats without are asked every time.
type index struct {
	bySlot [][]uint16 // formats anchored at a slot
	always []uint16
}

func newIndex(formats []Format, slots int) index {
	x := index{bySlot: make([][]uint16, slots)}
	uses := make([]int, slots) // by how many formats' shapes
	for i := range formats {
		seen := map[extract.Slot]bool{}
		for j := range formats[i].detect {
			formats[i].detect[j].visit(func(s extract.Slot) { seen[s] = true })
		}
		for s := range seen {
			uses[s]++
		}
	}
	for i := range formats {
		all := cond{test: testAll, sub: formats[i].detect}
		anchors, ok := all.anchors(uses)
		if !ok {
			x.always = append(x.always, uint16(i))
			continue
		}
		slices.Sort(anchors)
		for _, s := range slices.Compact(anchors) {
			x.bySlot[s] = append(x.bySlot[s], uint16(i))
		}
	}
	return x
}

// visit calls do with each slot that a condition reads.
func (c *cond) visit(do func(extract.Slot)) {
	for _, s := range c.ref.slots() {
		do(s)
	}
	for i := range c.sub {
		c.sub[i].visit(do)
	}
}

// anchors gives slots of which one at least is filled where c holds, the least
// used that there are; ok is false where there are none.
func (c *cond) anchors(uses []int) (slots []extract.Slot, ok bool) {
	switch c.test {
	case testNone, testNever, testHasNot:
		return nil, false
	case testAny:
		for i := range c.sub {
			s, ok := c.sub[i].anchors(uses)
			if !ok {
				return nil, false
			}
			slots = append(slots, s...)
		}
		return slots, len(slots) > 0
	case testAll:
		best := 0
		for i := range c.sub {
			s, found := c.sub[i].anchors(uses)
			if !found {
				continue
			}
			cost := 0
			for _, x := range s {
				cost += uses[x]
			}
			if !ok || cost < best {
				slots, ok, best = s, true, cost
			}
		}
		return slots, ok
	}
	return c.ref.slots(), len(c.ref) > 0
}

// Detect gives the index of the format that a tape has the shape of, or -1: the
// first specific one that is allowed (nil: all are), else the first generic one,
// else one that is not allowed.
func (r *Runner) Detect(t *extract.Tape, allowed []bool) int {
	r.whole(t)
	other := -1 // the first that is not allowed
	clear(r.candidates)
	for i := range t.Values {
		s := t.Values[i].Slot
		if int(t.First[s]) != i+1 {
			continue
		}
		for _, f := range r.set.index.bySlot[s] {
			r.candidates[f>>6] |= 1 << (f & 63)
		}
	}
	for _, f := range r.set.index.always {
		r.candidates[f>>6] |= 1 << (f & 63)
	}
	for w, word := range r.candidates {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			ok := allowed == nil || allowed[i]
			if !ok && other >= 0 || !r.set.Formats[i].matches(r) {
				continue
			}
			if ok {
				return i
			}
			other = i
		}
	}
	return other
}

func (f *Format) matches(r *Runner) bool {
	for i := range f.detect {
		if !f.detect[i].holds(r) {
			return false
		}
	}
	return true
}
