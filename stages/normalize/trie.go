package normalize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// trie holds the wanted paths of every format, merged, so that one scan serves
// them all. A path is dot-separated; "name[]" means each element of the array
// name (or the value itself, where a vendor writes a single element without an
// array); "\." is a dot within a name. Immutable once built.
type trie struct {
	nodes []node // 0 is "not wanted", 1 the document
	table []edge // open addressing by (parent, name)
	mask  uint64
	slots int // slot numbers in use, counting the unused 0
}

// node is a place in documents.
type node struct {
	slot uint16 // where its value is kept; 0: nowhere
	list bool   // an array here makes the document a list of documents
	elem uint16 // node of an array's elements
}

type edge struct {
	name          string
	hash          uint64
	parent, child uint16
}

const root uint16 = 1

// hashMul is 2^64 divided by the golden ratio, odd.
const hashMul = 0x9E3779B97F4A7C15

// hashKey mixes an object's key. Collisions cost time only: keys are compared.
func hashKey(k string) uint64 {
	n := len(k)
	b := bytesOf(k)
	var a, z uint64
	switch {
	case n >= 8:
		a = binary.LittleEndian.Uint64(b)
		z = binary.LittleEndian.Uint64(b[n-8:])
		for i := 8; i < n-8; i += 8 {
			a = (a ^ binary.LittleEndian.Uint64(b[i:])) * hashMul
			a ^= a >> 29
		}
	case n >= 4:
		a = uint64(binary.LittleEndian.Uint32(b))
		z = uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		a = uint64(b[0])<<16 | uint64(b[n>>1])<<8 | uint64(b[n-1])
	}
	hi, lo := bits.Mul64(a^hashMul^uint64(n), z^0xE7037ED1A0B428DB)
	return hi ^ lo
}

// child finds the node of a key below parent; 0 when nobody wants it.
func (t *trie) child(parent uint16, hash uint64, name string) uint16 {
	for i := hash ^ uint64(parent)*hashMul>>7; ; i++ {
		e := &t.table[i&t.mask]
		if e.child == 0 {
			return 0
		}
		if e.hash == hash && e.parent == parent && e.name == name {
			return e.child
		}
	}
}

// maxNodes bounds the trie: node numbers are 16 bits.
const maxNodes = 60_000

// newTrie compiles lists, the paths of arrays that hold documents.
func newTrie(lists []string) (*trie, error) {
	t := &trie{nodes: make([]node, 2), slots: 1}
	t.grow(1024)
	for _, p := range lists {
		n, err := t.at(p)
		if err != nil {
			return nil, err
		}
		t.nodes[n].list = true
	}
	return t, nil
}

// add wants the value at path and gives its slot: formats share it.
func (t *trie) add(path string) (uint16, error) {
	n, err := t.at(path)
	if err != nil {
		return 0, err
	}
	nd := &t.nodes[n]
	if nd.slot == 0 {
		nd.slot = uint16(t.slots)
		t.slots++
	}
	return nd.slot, nil
}

var errPath = errors.New("empty name in path")

// at gives the node of a path, making it if needed.
func (t *trie) at(path string) (uint16, error) {
	n := root
	for rest := path; ; {
		var name strings.Builder
		i := 0
		for ; i < len(rest) && rest[i] != '.'; i++ {
			if rest[i] == '\\' && i+1 < len(rest) {
				i++
			}
			name.WriteByte(rest[i])
		}
		key, each := strings.CutSuffix(name.String(), "[]")
		if key == "" {
			return 0, fmt.Errorf("%q: %w", path, errPath)
		}
		n = t.below(n, key)
		if each {
			if t.nodes[n].elem == 0 {
				e := t.newNode()
				t.nodes[n].elem = e
			}
			n = t.nodes[n].elem
		}
		if len(t.nodes) > maxNodes {
			return 0, fmt.Errorf("%q: more than %d nodes", path, maxNodes)
		}
		if i == len(rest) {
			return n, nil
		}
		rest = rest[i+1:]
	}
}

func (t *trie) newNode() uint16 {
	t.nodes = append(t.nodes, node{})
	return uint16(len(t.nodes) - 1)
}

func (t *trie) below(parent uint16, name string) uint16 {
	h := hashKey(name)
	if c := t.child(parent, h, name); c != 0 {
		return c
	}
	if 4*len(t.nodes) > len(t.table) {
		t.grow(2 * len(t.table))
	}
	c := t.newNode()
	t.insert(edge{name: name, hash: h, parent: parent, child: c})
	return c
}

func (t *trie) insert(e edge) {
	i := e.hash ^ uint64(e.parent)*hashMul>>7
	for t.table[i&t.mask].child != 0 {
		i++
	}
	t.table[i&t.mask] = e
}

func (t *trie) grow(n int) {
	old := t.table
	t.table, t.mask = make([]edge, n), uint64(n-1)
	for _, e := range old {
		if e.child != 0 {
			t.insert(e)
		}
	}
}
