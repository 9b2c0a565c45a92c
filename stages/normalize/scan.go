package normalize

import (
	"github.com/interdict/interdict/schema"
)

// fault is why a document was turned down, and where.
type fault struct {
	reason schema.Reason
	what   string
	at     int // offset in the record
}

// kind is what a kept value was.
type kind uint8

const (
	kindString kind = iota + 1
	kindNumber
	kindTrue
	kindFalse
	kindObject
)

// value is one kept value. null and "" are not kept: vendors write them for
// "not known".
type value struct {
	text string // unescaped; a number's or object's own bytes
	slot uint16
	next uint16 // an object's: index after its last value
	kind kind
}

// maxValues bounds the values kept of one document.
const maxValues = 16_384

type frame struct {
	node  uint16 // of the object, or of an array's elements
	array bool
	mark  int32  // value to complete when an object closes; -1: none
	obj   uint32 // number of the object in the document
	start int
}

// scanner checks one document at a time and keeps what the trie wants.
type scanner struct {
	trie  *trie
	cfg   *Config
	arena *arena

	data  []byte
	limit int // the document may not reach beyond
	pos   int
	stack []frame
	depth int
	objs  uint32
	keys  keySet

	tape  []value
	first []uint16 // by slot: index + 1 of its first value
	// sawList says that the document turned out to be a list of documents.
	sawList bool
	fault   fault
}

func newScanner(t *trie, cfg *Config, a *arena) *scanner {
	return &scanner{trie: t, cfg: cfg, arena: a, stack: make([]frame, cfg.MaxDepth), keys: newKeySet(cfg.MaxKeys), first: make([]uint16, t.slots)}
}

// progress says where a scan stands.
type progress uint8

const (
	scanFault progress = iota // see fault
	scanDone                  // pos is after the document
	scanList                  // pos is at the "[" of a list of documents; go on with resume
)

// scan reads the document that begins at pos.
func (s *scanner) scan(data []byte, pos int) progress {
	for i := range s.tape {
		s.first[s.tape[i].slot] = 0
	}
	s.tape = s.tape[:0]
	s.keys.reset()
	s.depth, s.objs, s.fault, s.sawList = 0, 0, fault{}, false
	s.data, s.limit = data, min(len(data), pos+s.cfg.MaxDocument)
	return s.run(pos, false)
}

// resume goes on after the list at pos, as if it had been a scalar. The list
// does not count toward the document's size.
func (s *scanner) resume(pos int) progress {
	s.limit = min(len(s.data), pos+s.cfg.MaxDocument)
	return s.run(pos, true)
}

func (s *scanner) fail(r schema.Reason, what string, at int) progress {
	s.fault = fault{r, what, at}
	return scanFault
}

// syntax reports broken JSON, or that the document is cut at its limit where
// that is the true cause.
func (s *scanner) syntax(what string, pos int) progress {
	if pos >= s.limit && s.limit < len(s.data) {
		return s.fail(schema.ReasonTooLarge, "document is too large", s.limit)
	}
	return s.fail(schema.ReasonInvalidJSON, what, pos)
}

func (s *scanner) badText(state textState, pos int) progress {
	f := state.fault(pos)
	if s.limit < len(s.data) && (state == textCut || s.limit-pos < 12) { // an escape may be cut, too
		return s.syntax(f.what, s.limit)
	}
	s.fault = f
	return scanFault
}

func skipSpace(data []byte, pos int) int {
	for pos < len(data) && data[pos] <= ' ' && (data[pos] == ' ' || data[pos] == '\n' || data[pos] == '\r' || data[pos] == '\t') {
		pos++
	}
	return pos
}

// keep notes a value of node n. It reports false when there are too many.
func (s *scanner) keep(n *node, k kind, text string) bool {
	i := len(s.tape)
	if i == maxValues {
		return false
	}
	if s.first[n.slot] == 0 {
		s.first[n.slot] = uint16(i + 1)
	}
	s.tape = append(s.tape, value{text: text, slot: n.slot, kind: k})
	return true
}

// run is the automaton: no recursion, so that depth is bounded by the stack it
// was given and nothing else. Labels are its states.
func (s *scanner) run(pos int, listRead bool) progress {
	data := s.data[:s.limit]
	var (
		nd    = root // node of the value to come
		fr    *frame
		n     *node
		end   int
		state textState
		text  string
	)
	if listRead {
		fr = &s.stack[s.depth-1]
		goto after
	}

value:
	if pos = skipSpace(data, pos); pos == len(data) {
		return s.syntax("document is cut", pos)
	}
	n = &s.trie.nodes[nd]
	if n.elem != 0 && data[pos] != '[' {
		n = &s.trie.nodes[n.elem] // one element, written without its array
		nd = s.trie.nodes[nd].elem
	}
	switch data[pos] {
	case '"':
		if end, state = endOfString(data, pos+1); state >= textCut {
			return s.badText(state, end)
		}
		if end-pos-1 > s.cfg.MaxString {
			return s.fail(schema.ReasonTooLarge, "string is too long", pos)
		}
		if n.slot != 0 && end > pos+1 {
			if state == textEscaped {
				text = s.arena.unescape(data[pos+1 : end])
			} else {
				text = stringOf(data[pos+1 : end])
			}
			if !s.keep(n, kindString, text) {
				return s.fail(schema.ReasonTooLarge, "too many values", pos)
			}
		}
		pos = end + 1

	case '{', '[':
		if s.depth == len(s.stack) {
			return s.fail(schema.ReasonTooDeep, "nested too deep", pos)
		}
		if n.list && s.depth == 1 && data[pos] == '[' {
			if end = skipSpace(data, pos+1); end < len(data) && (data[end] == '{' || data[end] == ']') {
				s.pos, s.sawList = pos, true
				return scanList
			}
		}
		fr = &s.stack[s.depth]
		s.depth++
		if data[pos] == '[' {
			*fr = frame{node: n.elem, array: true, mark: -1}
			if pos = skipSpace(data, pos+1); pos < len(data) && data[pos] == ']' {
				pos++
				goto pop
			}
			nd = fr.node
			goto value
		}
		s.objs++
		*fr = frame{node: nd, mark: -1, obj: s.objs, start: pos}
		if n.slot != 0 {
			fr.mark = int32(len(s.tape))
			if !s.keep(n, kindObject, "") {
				return s.fail(schema.ReasonTooLarge, "too many values", pos)
			}
		}
		if pos = skipSpace(data, pos+1); pos < len(data) && data[pos] == '}' {
			pos++
			goto pop
		}
		goto key

	case 't':
		if len(data)-pos < 4 || string(data[pos:pos+4]) != "true" {
			return s.syntax("bad literal", pos)
		}
		if n.slot != 0 && !s.keep(n, kindTrue, "true") {
			return s.fail(schema.ReasonTooLarge, "too many values", pos)
		}
		pos += 4

	case 'f':
		if len(data)-pos < 5 || string(data[pos:pos+5]) != "false" {
			return s.syntax("bad literal", pos)
		}
		if n.slot != 0 && !s.keep(n, kindFalse, "false") {
			return s.fail(schema.ReasonTooLarge, "too many values", pos)
		}
		pos += 5

	case 'n':
		if len(data)-pos < 4 || string(data[pos:pos+4]) != "null" {
			return s.syntax("bad literal", pos)
		}
		pos += 4

	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		var ok bool
		if end, ok = endOfNumber(data, pos); !ok {
			return s.syntax("bad number", end)
		}
		if end-pos > s.cfg.MaxString {
			return s.fail(schema.ReasonTooLarge, "number is too long", pos)
		}
		if n.slot != 0 && !s.keep(n, kindNumber, stringOf(data[pos:end])) {
			return s.fail(schema.ReasonTooLarge, "too many values", pos)
		}
		pos = end

	default:
		return s.syntax("not a JSON value", pos)
	}
	if s.depth == 0 {
		s.pos = pos
		return scanDone
	}

after:
	if pos = skipSpace(data, pos); pos == len(data) {
		return s.syntax("document is cut", pos)
	}
	switch {
	case data[pos] == ',':
		pos++
		if fr.array {
			nd = fr.node
			goto value
		}
		pos = skipSpace(data, pos)
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
	if end, state = endOfString(data, pos+1); state >= textCut {
		return s.badText(state, end)
	}
	if end-pos-1 > s.cfg.MaxString {
		return s.fail(schema.ReasonTooLarge, "key is too long", pos)
	}
	if s.keys.full() {
		return s.fail(schema.ReasonTooManyKeys, "too many keys", pos)
	}
	if state == textEscaped {
		text = s.arena.unescape(data[pos+1 : end])
	} else {
		text = stringOf(data[pos+1 : end])
	}
	nd = 0
	{
		h := hashKey(text)
		if !s.keys.add(fr.obj, h, text) {
			return s.fail(schema.ReasonDuplicateKey, "key appears twice", pos)
		}
		if fr.node != 0 {
			nd = s.trie.child(fr.node, h, text)
		}
	}
	if pos = skipSpace(data, end+1); pos == len(data) || data[pos] != ':' {
		return s.syntax("want a colon", pos)
	}
	pos++
	goto value

pop:
	if fr.mark >= 0 {
		s.tape[fr.mark].text = stringOf(data[fr.start:pos])
		s.tape[fr.mark].next = uint16(len(s.tape))
	}
	if s.depth--; s.depth == 0 {
		s.pos = pos
		return scanDone
	}
	fr = &s.stack[s.depth-1]
	goto after
}
