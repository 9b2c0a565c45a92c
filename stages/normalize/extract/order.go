package extract

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// order is what a scanner has learned of the documents that pass through it: for
// each place where objects stand, their keys, and which key came after which.
// Documents of a product have the same keys in the same order nearly always, so
// that the next key is a comparison of bytes: no search for its end, no hash, no
// look into the trie.
//
// It cannot change a result, only its cost. Each known key of a shape has a bit,
// and an object's frame has the bits that it has seen: a key that comes twice is
// found as surely as in a set. A key is either known to its shape for the whole
// of an object or not at all within it, since keys are learned when first met,
// by rules that do not loosen until forget, which waits for the document's end.
//
// Names are copied: what they were read from is gone by the next batch.
type order struct {
	shapes []shape // 0: no shape, nothing is known
	keys   []known // noKey, rootKey, ...
	cells  []uint32
	mask   uint64
	names  arena.Arena
	full   bool // something could not be learned
	docs   int  // since all was forgotten
}

// shape is what is known of the objects at one place.
type shape struct {
	node  uint16 // of those objects
	count uint16 // keys with a bit
	other uint32 // next shape of the same place, for another node
	head  uint32 // an entry of keys that stands for the object's start
}

// known is a key of a shape.
type known struct {
	raw   string // with quotes and colon, as documents have it
	hash  uint64
	shape uint32
	next  uint32 // the key that came after it last
	alt   uint32 // and the one that did before that
	below uint32 // first shape of the objects at its value, or in arrays or texts there
	child uint16
	bit   uint16
}

const (
	noKey   = 0
	rootKey = 1
)

// What one scanner may learn. maxBits is in the size of frame.seen.
const (
	maxShapes     = 2048
	maxKnown      = 8192
	maxNames      = 256 << 10 // bytes of all names
	maxName       = 64
	maxBits       = 256
	maxShapeNodes = 4    // shapes of a place, one for each node
	relearnAfter  = 1024 // documents
)

func newOrder() order {
	o := order{}
	o.forget()
	return o
}

func (o *order) forget() {
	const never = "\x00" // no key begins like this
	o.shapes = append(o.shapes[:0], shape{})
	o.keys = append(o.keys[:0], known{raw: never}, known{raw: never})
	if o.cells == nil {
		o.cells = make([]uint32, 256)
		o.mask = uint64(len(o.cells) - 1)
	}
	clear(o.cells)
	o.names.Reset()
	o.full, o.docs = false, 0
}

// begin is called between documents. When there was no room for something, what
// is known may be of documents that do not come any more.
func (o *order) begin() {
	if o.docs++; o.full && o.docs >= relearnAfter {
		o.forget()
	}
}

// at gives the shape of objects at the value of a key, 0 if there is no room.
func (o *order) at(key uint32, node uint16) uint32 {
	if key == noKey {
		return 0
	}
	n := 0
	for sh := o.keys[key].below; sh != 0; sh = o.shapes[sh].other {
		if o.shapes[sh].node == node {
			return sh
		}
		n++
	}
	if n == maxShapeNodes || len(o.shapes) == maxShapes || len(o.keys) == maxKnown {
		o.full = true
		return 0
	}
	sh := uint32(len(o.shapes))
	o.shapes = append(o.shapes, shape{node: node, other: o.keys[key].below, head: uint32(len(o.keys))})
	o.keys = append(o.keys, known{raw: o.keys[noKey].raw})
	o.keys[key].below = sh
	return sh
}

// find gives the key of a shape, noKey if it is not known.
func (o *order) find(sh uint32, hash uint64, name string) uint32 {
	for i := cell(hash, sh); ; i++ {
		k := o.cells[i&o.mask]
		if k == 0 {
			return noKey
		}
		if e := &o.keys[k]; e.hash == hash && e.shape == sh && e.name() == name {
			return k
		}
	}
}

func (k *known) name() string { return k.raw[1 : len(k.raw)-2] }

// learn adds a key that the shape does not know. It gives noKey where there is
// no room, which lasts until forget, or where the key would have to be escaped.
func (o *order) learn(sh uint32, hash uint64, name string, child uint16) uint32 {
	if len(name) > maxName || !plain(name) {
		return noKey
	}
	if o.shapes[sh].count == maxBits || len(o.keys) == maxKnown || len(o.names.Buf)+maxName+3 > maxNames {
		o.full = true
		return noKey
	}
	if 2*len(o.keys) > len(o.cells) {
		o.grow()
	}
	k := uint32(len(o.keys))
	o.keys = append(o.keys, known{raw: o.names.Join(`"`, name, `":`), hash: hash, shape: sh, child: child, bit: o.shapes[sh].count})
	o.shapes[sh].count++
	o.insert(k)
	return k
}

func (o *order) insert(k uint32) {
	i := cell(o.keys[k].hash, o.keys[k].shape)
	for o.cells[i&o.mask] != 0 {
		i++
	}
	o.cells[i&o.mask] = k
}

func (o *order) grow() {
	o.cells = make([]uint32, 2*len(o.cells))
	o.mask = uint64(len(o.cells) - 1)
	for k := range o.keys {
		if o.keys[k].shape != 0 {
			o.insert(uint32(k))
		}
	}
}

// follow notes that a key came after another.
func (o *order) follow(last, key uint32) {
	if last == noKey {
		return
	}
	if l := &o.keys[last]; l.next != key {
		l.alt, l.next = l.next, key
	}
}

// plain reports whether a name stands in JSON as it is.
func plain(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) < 0
}
