package extract

import "github.com/interdict/interdict/schema"

// Fault is why a document was turned down, and where.
type Fault struct {
	Reason schema.Reason
	What   string
	At     int // offset in the record
}

// Kind is what a kept value was.
type Kind uint8

// Kinds. What a text syntax gives is always a String.
const (
	String Kind = iota + 1
	Number
	True
	False
	Object
)

// Slot numbers the wanted paths of a trie, from 1.
type Slot uint16

// Value is one kept value. null and "" are not kept: vendors write them for
// "not known".
type Value struct {
	Text string // unescaped; a number's or object's own bytes
	Slot Slot
	Next uint16 // an object's: index after its last value
	Kind Kind
	More bool // its slot may have another value after it
}

// maxValues bounds the values kept of one document.
const maxValues = 16_384

// Tape is what a document holds of what is wanted, in the document's order. The
// values of an object follow it, up to its Next. After a fault it is as far as
// the document was read, and objects that were open have no Next.
type Tape struct {
	Values  []Value
	First   []uint16 // by slot: index + 1 of its first value, 0: none
	several [][]Slot // see Trie
}

// NewTape gives a tape for the slots of t.
func NewTape(t *Trie) *Tape {
	if err := t.Compile(); err != nil {
		panic(err) // Compile was there to be asked
	}
	return &Tape{First: make([]uint16, t.slots), several: t.several}
}

// Reset empties the tape.
func (t *Tape) Reset() {
	for i := range t.Values {
		t.First[t.Values[i].Slot] = 0
	}
	t.Values = t.Values[:0]
}

// Keep notes a value. It reports false when there are too many.
func (t *Tape) Keep(s Slot, k Kind, text string) bool {
	if int(s) >= len(t.First) {
		return t.keepAll(s, k, text)
	}
	i := len(t.Values)
	if i == maxValues {
		return false
	}
	first := t.First[s]
	if first == 0 {
		t.First[s] = uint16(i + 1)
	} else {
		t.Values[first-1].More = true
	}
	t.Values = append(t.Values, Value{Text: text, Slot: s, Kind: k, More: first != 0})
	return true
}

// keepAll keeps a value in each of the slots that s stands for.
func (t *Tape) keepAll(s Slot, k Kind, text string) bool {
	for _, one := range t.several[int(s)-len(t.First)] {
		if !t.Keep(one, k, text) {
			return false
		}
	}
	return true
}

// Open notes an object whose values follow. Close wants the mark.
func (t *Tape) Open(s Slot) (mark int, ok bool) {
	mark = len(t.Values)
	return mark, t.Keep(s, Object, "")
}

// Close ends the object opened at mark: text is its own bytes.
func (t *Tape) Close(mark int, text string) {
	end := uint16(len(t.Values))
	// The same object may be there for several slots. One within it is closed.
	for i := mark; i < int(end) && t.Values[i].Kind == Object && t.Values[i].Next == 0; i++ {
		t.Values[i].Text, t.Values[i].Next = text, end
	}
}

// cut takes back all values from mark on.
func (t *Tape) cut(mark int) {
	for i := mark; i < len(t.Values); i++ {
		if s := t.Values[i].Slot; int(t.First[s]) > mark {
			t.First[s] = 0
		}
	}
	t.Values = t.Values[:mark]
}
