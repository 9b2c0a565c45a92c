package extract

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

type frame struct {
	array bool
	node  uint16 // of the object, or of an array's elements
	mark  int32  // value to complete when an object closes; -1: none
	obj   uint32 // number of the object in the document
	shape uint32
	last  uint32 // key at hand, or the object's head; an array's: the key it is at
	start int
	seen  [maxBits / 64]uint64 // known keys that the object has
}

// Scanner checks one document at a time and keeps what the trie wants. It must
// not be used by two goroutines at once.
type Scanner struct {
	*Tape  // of the last document
	trie   *Trie
	limits *Limits
	arena  *arena.Arena

	data  []byte
	limit int // the document may not reach beyond
	Pos   int
	stack []frame
	depth int
	nest  int // texts within texts
	objs  uint32
	count int // keys
	keys  keySet
	order order

	// SawList says that the document turned out to be a list of documents.
	SawList bool
	Fault   Fault
}

// NewScanner gives a scanner for the paths of t; strings it has to make are made in a.
func NewScanner(t *Trie, limits *Limits, a *arena.Arena) *Scanner {
	return &Scanner{Tape: NewTape(t), trie: t, limits: limits, arena: a, stack: make([]frame, limits.MaxDepth),
		keys: newKeySet(limits.MaxKeys), order: newOrder()}
}

// Progress says where a scan stands.
type Progress uint8

const (
	Broken Progress = iota // see Fault
	Done                   // Pos is after the document
	List                   // Pos is at the "[" of a list of documents; go on with Resume
)

// Begin empties the tape for another document. Scan does so itself; who reads
// another syntax onto the tape begins with it.
func (s *Scanner) Begin() {
	s.Reset()
	s.keys.reset()
	s.order.begin()
	s.depth, s.nest, s.objs, s.count, s.Fault, s.SawList = 0, 0, 0, 0, Fault{}, false
}

// Scan reads the document that begins at pos.
func (s *Scanner) Scan(data []byte, pos int) Progress {
	s.Begin()
	s.data, s.limit = data, min(len(data), pos+s.limits.MaxDocument)
	return s.run(pos, Root, 0, false)
}

// Resume goes on after the list at pos, as if it had been a scalar. The list
// does not count toward the document's size.
func (s *Scanner) Resume(pos int) Progress {
	s.limit = min(len(s.data), pos+s.limits.MaxDocument)
	return s.run(pos, 0, 0, true)
}

// Put keeps text at node, as a string of the document that stands there: if the
// node wants what JSON in it holds, that. It reports false when there are too
// many values.
func (s *Scanner) Put(node uint16, text string) bool {
	n := &s.trie.nodes[node]
	switch {
	case text == "":
		return true
	case n.text != 0:
		return s.inner(n, text)
	}
	return n.slot == 0 || s.Keep(n.slot, String, text)
}

// maxNest bounds texts within texts.
const maxNest = 4

// inner keeps a string that may hold JSON. What it holds must keep every rule,
// else the string is a string and nothing else. It reports false when there are
// too many values.
func (s *Scanner) inner(n *node, text string) bool {
	data := arena.Bytes(text)
	pos := SkipSpace(data, 0)
	if s.nest < maxNest && pos < len(data) && (data[pos] == '{' || data[pos] == '[') {
		values, keys, count, depth := len(s.Values), len(s.keys.keys), s.count, s.depth
		outer, limit := s.data, s.limit
		s.data, s.limit = data, len(data)
		s.nest++
		ok := (n.plain == 0 || s.Keep(n.plain, String, text)) &&
			s.run(pos, n.text, depth, false) == Done && SkipSpace(data, s.Pos) == len(data)
		s.nest--
		s.data, s.limit = outer, limit
		if ok {
			return true
		}
		s.cut(values)
		s.keys.cut(keys)
		s.count, s.depth, s.Fault = count, depth, Fault{}
	}
	return n.slot == 0 || s.Keep(n.slot, String, text)
}

func (s *Scanner) fail(r schema.Reason, what string, at int) Progress {
	s.Fault = Fault{r, what, at}
	return Broken
}

func (s *Scanner) tooMany(at int) Progress {
	return s.fail(schema.ReasonTooLarge, "too many values", at)
}

// syntax reports broken JSON, or that the document is cut at its limit where
// that is the true cause.
func (s *Scanner) syntax(what string, pos int) Progress {
	if pos >= s.limit && s.limit < len(s.data) {
		return s.fail(schema.ReasonTooLarge, "document is too large", s.limit)
	}
	return s.fail(schema.ReasonInvalidJSON, what, pos)
}

func (s *Scanner) badText(state textState, pos int) Progress {
	f := state.fault(pos)
	if s.limit < len(s.data) && (state == textCut || s.limit-pos < 12) { // an escape may be cut, too
		return s.syntax(f.What, s.limit)
	}
	s.Fault = f
	return Broken
}

// SkipSpace gives the place of the first byte from pos on that is none of JSON's
// white space.
func SkipSpace(data []byte, pos int) int {
	for pos < len(data) && data[pos] <= ' ' && (data[pos] == ' ' || data[pos] == '\n' || data[pos] == '\r' || data[pos] == '\t') {
		pos++
	}
	return pos
}

// difference gives where data is not like the word any more.
func difference(data []byte, pos int, word string) int {
	for i := 0; i < len(word) && pos < len(data) && data[pos] == word[i]; i++ {
		pos++
	}
	return pos
}

// push opens the object or array at pos.
func (s *Scanner) push(array bool, node uint16, pos int) *frame {
	key := uint32(rootKey)
	if s.depth > 0 {
		key = s.stack[s.depth-1].last
	}
	fr := &s.stack[s.depth]
	s.depth++
	if array {
		fr.array, fr.node, fr.mark, fr.last = true, node, -1, key
		return fr
	}
	s.objs++
	fr.array, fr.node, fr.mark, fr.obj, fr.start = false, node, -1, s.objs, pos
	fr.seen = [maxBits / 64]uint64{}
	if sh := s.order.keys[key].below; sh != 0 && s.order.shapes[sh].node == node {
		fr.shape = sh
	} else {
		fr.shape = s.order.at(key, node)
	}
	fr.last = s.order.shapes[fr.shape].head
	return fr
}

// run is the automaton: no recursion but for texts within texts, so that depth
// is bounded by the stack it was given and nothing else. It ends when the value
// whose node is nd, or which resume goes on with, does: back at depth base.
// Labels are its states.
func (s *Scanner) run(pos int, nd uint16, base int, resume bool) Progress {
	data := s.data[:s.limit]
	var (
		fr    *frame
		n     *node
		end   int
		state textState
		text  string
	)
	if resume {
		fr = &s.stack[s.depth-1]
		goto after
	}

value:
	if pos < len(data) && data[pos] <= ' ' {
		pos = SkipSpace(data, pos)
	}
	if pos >= len(data) {
		return s.syntax("document is cut", pos)
	}
	n = &s.trie.nodes[nd]
	switch data[pos] {
	case '"':
		if end, state = endOfString(data, pos+1); state >= textCut {
			return s.badText(state, end)
		}
		if end-pos-1 > s.limits.MaxString {
			return s.fail(schema.ReasonTooLarge, "string is too long", pos)
		}
		if n.slot|Slot(n.text) != 0 && end > pos+1 {
			if state == textEscaped {
				text = unescape(s.arena, data[pos+1:end])
			} else {
				text = arena.Text(data[pos+1 : end])
			}
			if n.text != 0 {
				if !s.inner(n, text) {
					return s.tooMany(pos)
				}
			} else if !s.Keep(n.slot, String, text) {
				return s.tooMany(pos)
			}
		}
		pos = end + 1

	case '{':
		if s.depth == len(s.stack) {
			return s.fail(schema.ReasonTooDeep, "nested too deep", pos)
		}
		fr = s.push(false, nd, pos)
		if n.slot != 0 {
			mark, ok := s.Open(n.slot)
			if !ok {
				return s.tooMany(pos)
			}
			fr.mark = int32(mark)
		}
		if pos = SkipSpace(data, pos+1); pos < len(data) && data[pos] == '}' {
			pos++
			goto pop
		}
		goto key

	case '[':
		if s.depth == len(s.stack) {
			return s.fail(schema.ReasonTooDeep, "nested too deep", pos)
		}
		if n.list && s.depth == 1 && s.nest == 0 {
			if end = SkipSpace(data, pos+1); end < len(data) && (data[end] == '{' || data[end] == ']') {
				s.Pos, s.SawList = pos, true
				return List
			}
		}
		nd = n.elem
		fr = s.push(true, nd, pos)
		if pos = SkipSpace(data, pos+1); pos < len(data) && data[pos] == ']' {
			pos++
			goto pop
		}
		goto value

	case 't':
		if end = pos + 4; end > len(data) || string(data[pos:end]) != "true" {
			return s.syntax("bad literal", difference(data, pos, "true"))
		}
		if n.slot != 0 && !s.Keep(n.slot, True, "true") {
			return s.tooMany(pos)
		}
		pos = end

	case 'f':
		if end = pos + 5; end > len(data) || string(data[pos:end]) != "false" {
			return s.syntax("bad literal", difference(data, pos, "false"))
		}
		if n.slot != 0 && !s.Keep(n.slot, False, "false") {
			return s.tooMany(pos)
		}
		pos = end

	case 'n':
		if end = pos + 4; end > len(data) || string(data[pos:end]) != "null" {
			return s.syntax("bad literal", difference(data, pos, "null"))
		}
		pos = end

	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		var ok bool
		if end, ok = endOfNumber(data, pos); !ok {
			return s.syntax("bad number", end)
		}
		if end-pos > s.limits.MaxString {
			return s.fail(schema.ReasonTooLarge, "number is too long", pos)
		}
		if n.slot != 0 && !s.Keep(n.slot, Number, arena.Text(data[pos:end])) {
			return s.tooMany(pos)
		}
		pos = end

	default:
		return s.syntax("not a JSON value", pos)
	}
	if s.depth == base {
		s.Pos = pos
		return Done
	}

after:
	if pos < len(data) && data[pos] <= ' ' {
		pos = SkipSpace(data, pos)
	}
	if pos >= len(data) {
		return s.syntax("document is cut", pos)
	}
	switch {
	case data[pos] == ',':
		pos++
		if fr.array {
			nd = fr.node
			goto value
		}
		if pos < len(data) && data[pos] <= ' ' {
			pos = SkipSpace(data, pos)
		}
		goto key
	case data[pos] == ']' && fr.array, data[pos] == '}' && !fr.array:
		pos++
		goto pop
	}
	return s.syntax("want a comma or the end", pos)

key:
	if pos >= len(data) || data[pos] != '"' {
		return s.syntax("want a key", pos)
	}
	{
		i := s.order.keys[fr.last].next
		k := &s.order.keys[i]
		if len(data)-pos < len(k.raw) || string(data[pos:pos+len(k.raw)]) != k.raw {
			i = s.order.keys[fr.last].alt
			k = &s.order.keys[i]
			if len(data)-pos < len(k.raw) || string(data[pos:pos+len(k.raw)]) != k.raw {
				goto unknown
			}
		}
		if s.count == s.limits.MaxKeys {
			return s.fail(schema.ReasonTooManyKeys, "too many keys", pos)
		}
		s.count++
		seen := &fr.seen[k.bit/64%uint16(len(fr.seen))]
		if *seen>>(k.bit%64)&1 != 0 {
			return s.fail(schema.ReasonDuplicateKey, "key appears twice", pos)
		}
		*seen |= 1 << (k.bit % 64)
		fr.last = i
		nd = k.child
		pos += len(k.raw)
		goto value
	}

unknown:
	if end, state = endOfString(data, pos+1); state >= textCut {
		return s.badText(state, end)
	}
	if end-pos-1 > s.limits.MaxString {
		return s.fail(schema.ReasonTooLarge, "key is too long", pos)
	}
	if s.count == s.limits.MaxKeys {
		return s.fail(schema.ReasonTooManyKeys, "too many keys", pos)
	}
	s.count++
	if state == textEscaped {
		text = unescape(s.arena, data[pos+1:end])
	} else {
		text = arena.Text(data[pos+1 : end])
	}
	{
		var ok bool
		if nd, ok = s.key(fr, text); !ok {
			return s.fail(schema.ReasonDuplicateKey, "key appears twice", pos)
		}
	}
	if pos = SkipSpace(data, end+1); pos == len(data) || data[pos] != ':' {
		return s.syntax("want a colon", pos)
	}
	pos++
	goto value

pop:
	if fr.mark >= 0 {
		s.Close(int(fr.mark), arena.Text(data[fr.start:pos]))
	}
	if s.depth--; s.depth == base {
		s.Pos = pos
		return Done
	}
	fr = &s.stack[s.depth-1]
	goto after
}

// key gives the node of a key that was not expected, and learns it. It reports
// false when the object has it already.
func (s *Scanner) key(fr *frame, name string) (child uint16, ok bool) {
	o := &s.order
	hash := s.trie.hash(name)
	i := uint32(noKey)
	if fr.shape != 0 {
		i = o.find(fr.shape, hash, name)
	}
	if i == noKey {
		if fr.node != 0 {
			if n := &s.trie.nodes[fr.node]; n.named {
				child = s.trie.child(fr.node, hash, name)
			} else {
				child = n.other
			}
		}
		if fr.shape != 0 {
			i = o.learn(fr.shape, hash, name, child)
		}
		if i == noKey {
			fr.last = noKey
			return child, s.keys.add(fr.obj, hash, name)
		}
	}
	k := &o.keys[i]
	seen := &fr.seen[k.bit/64]
	if *seen>>(k.bit%64)&1 != 0 {
		return 0, false
	}
	*seen |= 1 << (k.bit % 64)
	o.follow(fr.last, i)
	fr.last = i
	return k.child, true
}
