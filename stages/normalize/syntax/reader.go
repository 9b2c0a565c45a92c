package syntax

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// Reader reads one message at a time. It must not be used by two goroutines at
// once.
type Reader struct {
	trie   *extract.Trie
	limits *extract.Limits
	arena  *arena.Arena
	at     places

	tape    *extract.Tape
	scanner *extract.Scanner // nil: JSON within values is not read
	text    []byte           // of the message, without what is blank at its end
	fault   extract.Fault
	payload []byte
	keys    int // read so far
	ahead   int // how far behind the header a syntax with a mark may begin
	pairs   []pair
	names   nameSet
}

// New gives a reader for the paths of t, which must be complete. Strings it has
// to make are made in a.
func New(t *extract.Trie, limits *extract.Limits, a *arena.Arena) *Reader {
	if err := t.Compile(); err != nil {
		panic(err) // Compile was there to be asked
	}
	return &Reader{trie: t, limits: limits, arena: a, at: newPlaces(t), names: newNameSet()}
}

// Payload is the JSON that the last message is, or that is in it behind a
// header, as far as its first bytes tell; nil if there is none. It is part of
// the message, and not checked.
func (r *Reader) Payload() []byte { return r.payload }

// ReadOnto is Read onto a scanner's tape, where values that hold JSON are read
// by the scanner if somebody wants what is in them.
func (r *Reader) ReadOnto(text []byte, s *extract.Scanner) extract.Fault {
	r.scanner = s
	f := r.Read(text, s.Tape)
	r.scanner = nil
	return f
}

// Read puts the values of a message onto the tape, behind what is there
// already. The zero Fault means that it was read; with any other, what was put
// must not be used.
//
// Where a message has a name twice, the first value counts: devices write their
// own fields before those that hold what a stranger sent, and a stranger must
// not replace the former. JSON documents with a name twice are turned down,
// but the devices that send text repeat names quite often.
func (r *Reader) Read(text []byte, tape *extract.Tape) extract.Fault {
	r.tape, r.text, r.fault, r.payload, r.keys = tape, trimEnd(text), extract.Fault{}, nil, 0
	r.pairs = r.pairs[:0]
	r.names.reset()
	switch {
	case len(text) > r.limits.MaxDocument:
		r.fail(schema.ReasonTooLarge, "message is too large", r.limits.MaxDocument)
	case len(r.text) == 0:
		r.fail(schema.ReasonEmpty, "message is empty", 0)
	default:
		r.message()
	}
	r.tape, r.text = nil, nil
	return r.fault
}

// maxAhead is how far into a message the mark of CEF, LEEF or Cisco may stand,
// as senders put times and hosts of many shapes before it. Not so behind the
// name of an application, nor a second header: there it is what the application
// logged, and that may be what a stranger typed for a user name.
const maxAhead = 128

func (r *Reader) message() {
	start := skipStart(r.text)
	h, body, headed := parseHeader(r.text, start, false)
	if headed && h.app.empty() {
		if inner, at, ok := parseHeader(r.text, body, true); ok { // a relay's header before the device's own
			h, body = inner.or(h), at
		}
	}
	body = skipBlank(r.text, body)
	if at := jsonAt(r.text, body, !h.app.empty()); at >= 0 {
		if !r.check(0, at, false) {
			return
		}
		if headed { // the JSON is a value, too: the message
			if bad := invalidAt(r.text[at:]); at+bad < len(r.text) {
				r.fail(schema.ReasonInvalidUTF8, "message is not UTF-8", at+bad)
				return
			}
			r.header(&h, body)
		}
		r.payload = r.text[at:]
		return
	}
	if !r.check(0, len(r.text), isXML(r.text[body:])) {
		return
	}
	r.ahead = 1
	if h.app.empty() {
		r.ahead = maxAhead
	}
	if headed {
		r.header(&h, body)
	}
	if r.fault.Reason == 0 && !r.body(body) && !headed && r.fault.Reason == 0 {
		r.whole(r.at.line, start, len(r.text))
	}
}

// body reads what begins at pos by the first syntax that it is of, and reports
// whether there is one.
func (r *Reader) body(pos int) bool {
	if pos == len(r.text) {
		return false
	}
	if at, leef := extendedAt(r.text, pos, r.ahead); at >= 0 {
		if leef {
			r.leef(at)
		} else {
			r.cef(at)
		}
		return true
	}
	if isXML(r.text[pos:]) {
		r.xml(pos)
		return true
	}
	return r.cisco(pos) || r.snort(pos) || r.fields(pos) || r.columns(pos)
}

// fields reads the syntaxes that are lists of names with values, from pos to
// the end.
func (r *Reader) fields(pos int) bool {
	return r.bracketed(pos) || r.keyValue(pos) || r.colonList(pos)
}

func (r *Reader) fail(reason schema.Reason, what string, at int) {
	if r.fault.Reason == 0 {
		r.fault = extract.Fault{Reason: reason, What: what, At: at}
	}
}

// put keeps a value that was checked.
func (r *Reader) put(node uint16, text string, at int) {
	if node == 0 || text == "" {
		return
	}
	ok := true
	if r.scanner != nil {
		ok = r.scanner.Put(node, text)
	} else if s := r.trie.SlotOf(node); s != 0 {
		ok = r.tape.Keep(s, extract.String, text)
	}
	if !ok {
		r.fail(schema.ReasonTooLarge, "too many values", at)
	}
}

// value keeps the text between two places, if it is not too long.
func (r *Reader) value(node uint16, s span) {
	if s.to-s.from > r.limits.MaxString {
		r.fail(schema.ReasonTooLarge, "value is too long", s.from)
		return
	}
	r.put(node, r.str(s), s.from)
}

// whole keeps a message, or what is left of it behind a header: bounded as a
// document is, not as a value.
func (r *Reader) whole(node uint16, from, to int) { r.put(node, r.str(span{from, to}), from) }

// key counts a name, and reports false where it is one too many or too long.
func (r *Reader) key(s span) bool {
	if r.keys++; r.keys > r.limits.MaxKeys {
		r.fail(schema.ReasonTooManyKeys, "too many keys", s.from)
		return false
	}
	if s.to-s.from > r.limits.MaxString {
		r.fail(schema.ReasonTooLarge, "key is too long", s.from)
		return false
	}
	return true
}

func (r *Reader) str(s span) string { return arena.Text(r.text[s.from:s.to]) }

// child is the place of a name below node.
func (r *Reader) child(node uint16, name string) uint16 {
	if node == 0 {
		return 0
	}
	return r.trie.Child(node, name)
}
