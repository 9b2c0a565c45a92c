package syntax

import "strings"

// endOfStructured finds the end of the structured data of RFC 5424 at pos; 0 if
// it is not well formed, or not there.
func endOfStructured(t []byte, pos int) (end int) {
	for p := pos; ; {
		if p == len(t) || t[p] != '[' {
			if p == pos || p < len(t) && t[p] != ' ' {
				return 0
			}
			return p
		}
		var e element
		if p = e.begin(t, p); p == 0 {
			return 0
		}
		for p > 0 && t[p] != ']' {
			p = e.next(t, p)
		}
		if p == 0 {
			return 0
		}
		p++
	}
}

// element walks over one element of structured data: its id, and its parameters
// one after the other.
type element struct {
	id, name, value span
	escaped         bool
}

// begin reads the id of the element at pos, and gives where its parameters
// begin, or its "]"; 0 if it is broken.
func (e *element) begin(t []byte, pos int) (next int) {
	p := endOfName(t, pos+1)
	e.id = span{pos + 1, p}
	if e.id.empty() {
		return 0
	}
	return toParameter(t, p)
}

// next reads the parameter at pos, in the same way.
func (e *element) next(t []byte, pos int) (next int) {
	p := endOfName(t, pos)
	e.name, e.escaped = span{pos, p}, false
	if e.name.empty() || !hasAt(t, p, `="`) {
		return 0
	}
	p += 2
	e.value.from = p
	for ; p < len(t) && t[p] != '"'; p++ {
		if t[p] == '\\' && p+1 < len(t) && strings.IndexByte(`"\]`, t[p+1]) >= 0 {
			e.escaped = true
			p++
		}
	}
	e.value.to = p
	if p >= len(t) {
		return 0
	}
	return toParameter(t, p+1)
}

func toParameter(t []byte, pos int) int {
	p := skipBlank(t, pos)
	if p == len(t) || t[p] != ']' && p == pos {
		return 0
	}
	return p
}

func endOfName(t []byte, pos int) int {
	p := pos
	for p < len(t) && p-pos < 128 && t[p] > ' ' && t[p] != '=' && t[p] != ']' && t[p] != '"' {
		p++
	}
	return p
}

// structured puts well-formed structured data. RFC 5424 lets an element have a
// parameter several times, so each of its values is kept. Juniper's elements,
// whose id changes with the model, are pairs as well, and so are Check Point's
// (2620 is its number with IANA).
func (r *Reader) structured(data span) {
	t := r.text[:data.to]
	var e element
	for p := data.from; p < len(t); p++ {
		p = e.begin(t, p)
		id := r.child(r.at.syslog.sd, r.str(e.id))
		pairs := strings.HasPrefix(r.str(e.id), "junos@") || strings.HasSuffix(r.str(e.id), "@2620")
		for t[p] != ']' {
			p = e.next(t, p)
			if !r.key(e.name) {
				return
			}
			name := r.str(e.name)
			at := r.child(id, name)
			kv := uint16(0)
			if pairs && r.names.add(name) {
				kv = r.child(r.at.kv, name)
			}
			r.either(at, kv, e.value, e.escaped, `"\]`)
		}
	}
}

// either puts one value at two places.
func (r *Reader) either(a, b uint16, s span, escaped bool, escapes string) {
	if s.to-s.from > r.limits.MaxString {
		r.value(0, s)
		return
	}
	if a == 0 && b == 0 {
		return
	}
	text := r.str(s)
	if escaped {
		text = r.unescape(s, escapes)
	}
	r.put(a, text, s.from)
	r.put(b, text, s.from)
}

// unescape leaves out the backslash before each of escapes; "n" and "r" among
// them are line ends. Other backslashes stand for themselves: devices write
// paths of Windows without doubling them.
func (r *Reader) unescape(s span, escapes string) string {
	mark := len(r.arena.Buf)
	for i := s.from; i < s.to; i++ {
		c := r.text[i]
		if c == '\\' && i+1 < s.to && strings.IndexByte(escapes, r.text[i+1]) >= 0 {
			i++
			switch c = r.text[i]; c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			}
		}
		r.arena.Buf = append(r.arena.Buf, c)
	}
	return r.arena.From(mark)
}
