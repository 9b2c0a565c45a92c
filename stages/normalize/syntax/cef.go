package syntax

import (
	"bytes"
	"strings"

	"github.com/interdict/interdict/schema"
)

// pair is a name and the part of the message that is its value.
type pair struct {
	key, value      span
	escaped, quoted bool
	again           bool // the name was there before
	sep             byte // what stood before the name
}

// extendedAt finds where CEF or LEEF begins, less than ahead behind pos; -1 if
// it does not.
func extendedAt(t []byte, pos, ahead int) (at int, leef bool) {
	end := min(len(t), pos+ahead+len("LEEF:")-1)
	for p := pos; p < end; {
		i := bytes.Index(t[p:end], []byte("EF:"))
		if i < 0 {
			break
		}
		p += i
		if q := p - 1; q >= pos && startsWord(t, pos, q) && extendedHead(t, q, "CEF:") {
			return q, false
		}
		if q := p - 2; q >= pos && startsWord(t, pos, q) && extendedHead(t, q, "LEEF:") {
			return q, true
		}
		p += 3
	}
	return -1, false
}

// startsWord reports whether a word begins at q, or stands behind a tag that has
// no blank after its colon ("ASM:CEF:0|").
func startsWord(t []byte, pos, q int) bool {
	if q == pos || t[q-1] <= ' ' {
		return true
	}
	tag := q - 1
	for tag > pos && isAlnum(t[tag-1]) && q-tag < 32 {
		tag--
	}
	return t[q-1] == ':' && tag < q-1 && (tag == pos || t[tag-1] <= ' ' || t[tag-1] == '>')
}

// extendedHead reports whether the mark stands at pos with a version and a bar
// behind it.
func extendedHead(t []byte, pos int, mark string) bool { return afterVersion(t, pos, mark) > 0 }

// afterVersion is the place behind "CEF:0|".
func afterVersion(t []byte, pos int, mark string) int {
	if !hasAt(t, pos, mark) {
		return 0
	}
	p := skipBlank(t, pos+len(mark))
	q := skipDigits(t, p)
	if q == p {
		return 0
	}
	if q < len(t) && t[q] == '.' {
		q = skipDigits(t, q+1)
	}
	if q == len(t) || t[q] != '|' {
		return 0
	}
	return q + 1
}

// bar reads a field of a header that a "|" ends; next is behind it, 0 without
// one.
func (r *Reader) bar(node uint16, pos int) (next int) {
	escaped := false
	for p := pos; p < len(r.text); p++ {
		switch r.text[p] {
		case '\\':
			if p+1 < len(r.text) && (r.text[p+1] == '|' || r.text[p+1] == '\\') {
				escaped = true
				p++
			}
		case '|':
			r.either(node, 0, r.trimmed(pos, p), escaped, `|\`)
			return p + 1
		}
	}
	return 0
}

func (r *Reader) trimmed(from, to int) span {
	for from < to && r.text[from] <= ' ' {
		from++
	}
	for to > from && r.text[to-1] <= ' ' {
		to--
	}
	return span{from, to}
}

// cef reads ArcSight's Common Event Format.
func (r *Reader) cef(pos int) {
	p := afterVersion(r.text, pos, "CEF:")
	c := &r.at.cef
	for _, node := range [...]uint16{c.vendor, c.product, c.version, c.class, c.name} {
		next := r.bar(node, p)
		if next == 0 {
			r.fail(schema.ReasonBadField, "CEF header ends early", len(r.text))
			return
		}
		p = next
	}
	next := r.bar(c.severity, p)
	if next == 0 { // a header without an extension, of which the last bar was left out
		s := r.trimmed(p, len(r.text))
		if bytes.IndexByte(r.text[s.from:s.to], '=') >= 0 {
			r.fail(schema.ReasonBadField, "CEF header ends early", len(r.text))
			return
		}
		r.either(c.severity, 0, s, false, "")
		return
	}
	s := r.trimmed(next, len(r.text))
	if s.empty() || !r.extension(s) {
		return
	}
	r.putPairs(c.ext, `=\nr|`)
	r.labels()
}

// extension splits "key=value key=value", where a value may have blanks, and
// ends before the next word that is a name with "=". That "=" in values is
// escaped is not relied on: a word that is no name belongs to the value.
func (r *Reader) extension(s span) bool {
	t := r.text[:s.to]
	r.pairs = r.pairs[:0]
	word := s.from // where the word began; -1: it is no name
	for i := s.from; i < len(t); i++ {
		switch t[i] {
		case '\\':
			if len(r.pairs) > 0 {
				r.pairs[len(r.pairs)-1].escaped = true
			}
			if i+1 < len(t) && (t[i+1] == '\\' || t[i+1] == '=') {
				i++
			}
			word = -1
		case ' ', '\t':
			word = i + 1
		case '=':
			if word < 0 || !isName(t[word:i]) {
				word = -1
				continue
			}
			if n := len(r.pairs); n > 0 {
				r.pairs[n-1].value = r.trimmed(r.pairs[n-1].value.from, word)
			} else if word > s.from {
				r.fail(schema.ReasonBadField, "extension does not begin with a name", s.from)
				return false
			}
			key := span{word, i}
			if !r.key(key) {
				return false
			}
			r.pairs = append(r.pairs, pair{key: key, value: span{i + 1, i + 1}})
			word = -1
		}
	}
	n := len(r.pairs)
	if n == 0 {
		r.fail(schema.ReasonBadField, "extension has no name", s.from)
		return false
	}
	r.pairs[n-1].value = r.trimmed(r.pairs[n-1].value.from, s.to)
	return true
}

// isName reports whether a word can be the name before "=".
func isName(word []byte) bool {
	if len(word) == 0 || len(word) > 128 || !isAlnum(word[0]) && word[0] != '_' && word[0] != '@' {
		return false
	}
	for _, c := range word {
		switch c {
		case '_', '-', '.', '[', ']', '@':
		default:
			if !isAlnum(c) {
				return false
			}
		}
	}
	return true
}

// putPairs puts the pairs below a node, the first of a name alone.
func (r *Reader) putPairs(node uint16, escapes string) {
	for i := range r.pairs {
		p := &r.pairs[i]
		if p.value.to-p.value.from > r.limits.MaxString {
			r.value(0, p.value)
			return
		}
		name := r.str(p.key)
		if p.again = !r.names.add(name); !p.again {
			r.either(r.child(node, name), 0, p.value, p.escaped, escapes)
		}
	}
}

// maxLabels bounds the labels that are looked at: each is looked for among all
// names.
const maxLabels = 64

// labels puts custom fields by the label that the device gave them: the value
// of "cs1" for the label in "cs1Label".
func (r *Reader) labels() {
	if r.at.cef.custom == 0 {
		return
	}
	n := 0
	for i := range r.pairs {
		l := &r.pairs[i]
		name, ok := strings.CutSuffix(r.str(l.key), "Label")
		if !ok || name == "" || l.again || l.value.empty() {
			continue
		}
		if n++; n > maxLabels {
			return
		}
		for j := range r.pairs {
			if p := &r.pairs[j]; r.str(p.key) == name {
				label := r.str(l.value)
				if l.escaped {
					label = r.unescape(l.value, `=\nr|`)
				}
				r.either(r.child(r.at.cef.custom, label), 0, p.value, p.escaped, `=\nr|`)
				break
			}
		}
	}
}
