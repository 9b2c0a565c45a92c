package match

import "github.com/interdict/interdict/schema"

// typeCounts says how many indicators there are of each type: what an index has
// none of is not asked for. A snapshot has room for typeSlots of them.
type typeCounts [schema.ObservableTypes]int

const typeSlots = 64

// add counts indicators of a type that have come or, below zero, gone.
func (c *typeCounts) add(t schema.ObservableType, n int) {
	if int(t) < len(c) {
		c[t] += n
	}
}

func (c *typeCounts) has(t schema.ObservableType) bool { return int(t) < len(c) && c[t] > 0 }
