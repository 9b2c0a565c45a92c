package syntax

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

// leef reads QRadar's Log Event Extended Format, 1.0 and 2.0.
func (r *Reader) leef(pos int) {
	p := afterVersion(r.text, pos, "LEEF:")
	second := r.text[skipBlank(r.text, pos+len("LEEF:"))] == '2'
	l := &r.at.leef
	for i, node := range [...]uint16{l.vendor, l.product, l.version, l.event} {
		next := r.bar(node, p)
		if next == 0 {
			if s := r.trimmed(p, len(r.text)); i == 3 && bytes.IndexByte(r.text[s.from:s.to], '=') < 0 {
				r.value(node, s) // nothing but a header, of which the last bar was left out
				return
			}
			r.fail(schema.ReasonBadField, "LEEF header ends early", len(r.text))
			return
		}
		p = next
	}
	var delimiter []byte
	if second {
		delimiter, p = r.delimiter(p)
	}
	if delimiter == nil {
		delimiter = r.tab(p)
	}
	s := span{p, len(r.text)}
	if delimiter != nil {
		r.attributes(s, delimiter)
		return
	}
	// The tabs got lost on the way, or there is one attribute.
	if s = r.trimmed(s.from, s.to); !s.empty() && r.extension(s) {
		r.putPairs(l.ext, "")
	}
}

// delimiter reads the fifth field of LEEF 2.0: a character, or its number as
// "x5E" or "0x5E". Devices leave the field out, too.
func (r *Reader) delimiter(pos int) (delimiter []byte, next int) {
	end := bytes.IndexByte(r.text[pos:min(len(r.text), pos+16)], '|')
	if end < 0 {
		return nil, pos
	}
	field := r.text[pos : pos+end]
	next = pos + end + 1
	if end == 0 {
		if next < len(r.text) && r.text[next] == '|' { // the delimiter is the bar itself
			return r.text[next : next+1], next + 1
		}
		return nil, next
	}
	if _, n := utf8.DecodeRune(field); n == len(field) {
		return field, next
	}
	digits := bytes.TrimPrefix(bytes.TrimPrefix(field, []byte("0")), []byte("x"))
	if len(digits) == len(field) || len(digits) > 4 {
		return nil, pos
	}
	n, err := strconv.ParseUint(arena.Text(digits), 16, 16)
	if err != nil {
		return nil, pos
	}
	mark := len(r.arena.Buf)
	r.arena.Buf = utf8.AppendRune(r.arena.Buf, rune(n))
	return r.arena.Buf[mark:], next
}

// tab is what stands between the attributes where nothing else is said: a tab,
// or what syslog daemons write for it.
func (r *Reader) tab(pos int) []byte {
	for _, tab := range [...]string{"\t", "#011", `\t`} {
		if i := bytes.Index(r.text[pos:], arena.Bytes(tab)); i >= 0 {
			return r.text[pos+i : pos+i+len(tab)]
		}
	}
	return nil
}

func (r *Reader) attributes(s span, delimiter []byte) {
	r.pairs = r.pairs[:0]
	for s.from < s.to {
		end := s.to
		if i := bytes.Index(r.text[s.from:s.to], delimiter); i >= 0 {
			end = s.from + i
		}
		if i := bytes.IndexByte(r.text[s.from:end], '='); i > 0 { // else no attribute
			key := r.trimmed(s.from, s.from+i)
			if !r.key(key) {
				return
			}
			r.pairs = append(r.pairs, pair{key: key, value: r.trimmed(s.from+i+1, end)})
		}
		s.from = end + len(delimiter)
	}
	r.putPairs(r.at.leef.ext, "")
}
