package extract

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
)

// Trie holds the wanted paths of every format, merged, so that one scan serves
// them all; the package comment has their forms. Add what is wanted, Compile,
// and it does not change any more: any number of scanners may share it.
type Trie struct {
	wants []want
	paths map[string]int // wants, by what was added
	slots int            // slot numbers in use, counting the unused 0

	nodes []node // 0 is "not wanted"
	table []edge // open addressing by (parent, name)
	mask  uint64
	seed  maphash.Seed
	// several lists the slots behind each slot number from slots on, which stands
	// for more than one.
	several [][]Slot
}

// node is a place in documents, as far as paths tell places apart.
type node struct {
	slot  Slot   // where an object or scalar here is kept; 0: nowhere
	plain Slot   // where a string is kept whose text goes to the node text
	named bool   // some names below have nodes of their own
	list  bool   // an array here makes the document a list of documents
	other uint16 // node of the names that have none of their own
	elem  uint16 // node of an array's elements
	text  uint16 // node of the JSON in a string
}

type edge struct {
	name          string
	hash          uint64
	parent, child uint16
}

// Root is the node of the document.
const Root uint16 = 1

// maxNodes bounds wants and nodes: numbers are 16 bits. maxEdges bounds the
// table.
const (
	maxNodes = 60_000
	maxEdges = 500_000
)

// NewTrie gives a trie that wants nothing yet. Lists are the paths of arrays
// that hold documents.
func NewTrie(lists []string) (*Trie, error) {
	t := &Trie{wants: make([]want, 2), paths: map[string]int{}, slots: 1, seed: maphash.MakeSeed()}
	for _, p := range lists {
		w, err := t.at(p)
		if err != nil {
			return nil, err
		}
		t.wants[w].list = true
	}
	return t, nil
}

var errCompiled = errors.New("paths are compiled already")

// Add wants the value at path and gives its slot: the same for the same path.
func (t *Trie) Add(path string) (Slot, error) {
	if t.nodes != nil {
		return 0, fmt.Errorf("%q: %w", path, errCompiled)
	}
	i, err := t.at(path)
	if err != nil {
		return 0, err
	}
	w := &t.wants[i]
	if w.slot == 0 {
		w.slot = Slot(t.slots)
		t.slots++
	}
	return w.slot, nil
}

// Child finds the node of a name below node; 0 when nobody wants it.
func (t *Trie) Child(node uint16, name string) uint16 {
	n := &t.nodes[node]
	if !n.named {
		return n.other
	}
	return t.child(node, t.hash(name), name)
}

// Elem gives the node of the elements of an array at node; 0: not wanted.
func (t *Trie) Elem(node uint16) uint16 { return t.nodes[node].elem }

// SlotOf gives where a value at node is kept; 0: nowhere. It may stand for
// several slots; Keep knows.
func (t *Trie) SlotOf(node uint16) Slot { return t.nodes[node].slot }

// hash mixes a name with the trie's seed, which nobody outside knows: names
// that collide cannot be made.
func (t *Trie) hash(name string) uint64 { return maphash.String(t.seed, name) }

// cell is where the search for a name below a node begins.
func cell(hash uint64, parent uint32) uint64 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
	return hash ^ uint64(parent)*odd>>32
}

func (t *Trie) child(parent uint16, hash uint64, name string) uint16 {
	for i := cell(hash, uint32(parent)); ; i++ {
		e := &t.table[i&t.mask]
		if e.parent == 0 {
			return t.nodes[parent].other
		}
		if e.hash == hash && e.parent == parent && e.name == name {
			return e.child
		}
	}
}

// Compile must follow the last Add; NewTape and NewScanner do it where it was
// not done, and panic where it fails.
//
// Paths of different formats meet: one wants "a", another "a[].b", a third
// "*.c". Each must see what it would see alone. So a node stands for the set of
// wants that hold at a place, as in the making of an automaton from a
// nondeterministic one.
func (t *Trie) Compile() error {
	if t.nodes != nil {
		return nil
	}
	c := compiler{t: t, alone: make([]uint16, len(t.wants)), ids: map[string]uint16{}, slots: map[string]Slot{}}
	c.nodes = make([]node, 1, len(t.wants)+1)
	c.sets = make([][]int, 1, len(t.wants)+1)
	c.node([]int{int(Root)})
	for i := 1; i < len(c.nodes) && c.err == nil; i++ { // grows as it goes
		c.expand(uint16(i))
	}
	if c.err != nil {
		return fmt.Errorf("compile paths: %w", c.err)
	}
	size := 64
	for size < 2*len(c.edges) {
		size *= 2
	}
	t.table, t.mask = make([]edge, size), uint64(size-1)
	for _, e := range c.edges {
		i := cell(e.hash, uint32(e.parent))
		for t.table[i&t.mask].parent != 0 {
			i++
		}
		t.table[i&t.mask] = e
	}
	t.several, t.nodes = c.several, c.nodes
	t.wants, t.paths = nil, nil // the nodes say it all
	return nil
}

type compiler struct {
	t       *Trie
	nodes   []node
	sets    [][]int           // by node: its wants, ascending
	alone   []uint16          // by want: the node of it alone
	ids     map[string]uint16 // of several wants
	edges   []edge
	several [][]Slot
	slots   map[string]Slot
	err     error
}

// node gives the node of a set of wants.
func (c *compiler) node(set []int) uint16 {
	slices.Sort(set)
	set = slices.Compact(set)
	if len(set) == 0 {
		return 0
	}
	var key string
	id := c.alone[set[0]]
	if len(set) > 1 {
		key = fmt.Sprint(set)
		id = c.ids[key]
	}
	switch {
	case id != 0:
		return id
	case len(c.nodes) >= maxNodes:
		c.err = fmt.Errorf("more than %d nodes", maxNodes)
		return 0
	}
	id = uint16(len(c.nodes))
	c.nodes, c.sets = append(c.nodes, node{}), append(c.sets, set)
	if len(set) > 1 {
		c.ids[key] = id
	} else {
		c.alone[set[0]] = id
	}
	return id
}

// expand fills in a node and makes those that it leads to.
func (c *compiler) expand(id uint16) {
	wants := c.t.wants
	elem := func(w *want) int { return w.elem }
	text := func(w *want) int { return w.text }
	star := func(w *want) int { return w.star }

	set := c.sets[id]
	single := c.with(set, elem)    // an element without its array
	bare := c.with(set, text)      // a value that is no text of JSON
	all := c.with(set, elem, text) // both
	n := node{slot: c.slot(all), plain: c.slot(single)}
	for _, w := range set {
		n.list = n.list || wants[w].list
	}
	n.text = c.node(c.below(single, text))
	n.elem = c.node(c.below(bare, elem))
	others := c.below(all, star)
	n.other = c.node(slices.Clone(others))
	var names map[string][]int
	for _, w := range all {
		if names == nil && wants[w].names != nil {
			names = make(map[string][]int, len(wants[w].names))
		}
		for name, to := range wants[w].names {
			names[name] = append(names[name], to)
		}
	}
	n.named = len(names) > 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		to := c.node(append(names[name], others...))
		c.edges = append(c.edges, edge{name: name, hash: c.t.hash(name), parent: id, child: to})
	}
	if len(c.edges) > maxEdges {
		c.err = fmt.Errorf("more than %d edges", maxEdges)
	}
	c.nodes[id] = n
}

// with adds to a set whatever its wants lead to by the given ways.
func (c *compiler) with(set []int, ways ...func(*want) int) []int {
	set = slices.Clip(set)
	for i := 0; i < len(set); i++ { // grows as it goes
		for _, way := range ways {
			if to := way(&c.t.wants[set[i]]); to != 0 && !slices.Contains(set, to) {
				set = append(set, to)
			}
		}
	}
	return set
}

func (c *compiler) below(set []int, way func(*want) int) (to []int) {
	for _, w := range set {
		if i := way(&c.t.wants[w]); i != 0 {
			to = append(to, i)
		}
	}
	return to
}

// slot gives the slot that stands for those of a set of wants.
func (c *compiler) slot(set []int) Slot {
	if len(set) == 1 {
		return c.t.wants[set[0]].slot
	}
	var slots []Slot
	for _, w := range set {
		if s := c.t.wants[w].slot; s != 0 {
			slots = append(slots, s)
		}
	}
	switch len(slots) {
	case 0:
		return 0
	case 1:
		return slots[0]
	}
	slices.Sort(slots)
	key := fmt.Sprint(slots)
	s, ok := c.slots[key]
	if !ok {
		n := c.t.slots + len(c.several)
		if n >= 1<<16 {
			c.err = errors.New("too many slots at once")
			return 0
		}
		s = Slot(n)
		c.slots[key] = s
		c.several = append(c.several, slots)
	}
	return s
}
