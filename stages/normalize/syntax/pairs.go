package syntax

import "bytes"

// minPairs is how many pairs make a text a list of them.
const minPairs = 3

// keyValue reads "key=value" pairs from pos to the end, if there are several
// and they make up most of the text, or its beginning.
func (r *Reader) keyValue(pos int) bool {
	s := r.trimmed(pos, len(r.text))
	r.findPairs(s)
	if len(r.pairs) < minPairs {
		return false
	}
	covered := 0
	if sep := r.separator(); sep != ' ' {
		r.splitAt(sep, s.to)
		covered = s.to - r.pairs[0].key.from
	} else {
		covered = r.splitAtBlanks(s.to)
	}
	if len(r.pairs) < minPairs || 2*covered < s.to-s.from && !r.lead(s.from) {
		return false
	}
	r.takePairs(`"'\`)
	return true
}

// lead reports whether the text at pos begins with enough pairs, one behind the
// other.
func (r *Reader) lead(pos int) bool {
	for i := range r.pairs[:minPairs] {
		p := &r.pairs[i]
		for pos < p.key.from && (r.text[pos] == ' ' || r.text[pos] == ',' || r.text[pos] == ';') {
			pos++
		}
		if pos != p.key.from {
			return false
		}
		if pos = p.value.to; p.quoted {
			pos++
		}
	}
	return true
}

// takePairs counts the pairs, and puts them as @kv.
func (r *Reader) takePairs(escapes string) {
	for i := range r.pairs {
		if !r.key(r.pairs[i].key) {
			return
		}
	}
	r.putPairs(r.at.kv, escapes)
}

// findPairs finds the names before each "=" that is not in quotes, and the
// values in quotes. Where other values end is for later.
func (r *Reader) findPairs(s span) {
	t := r.text[:s.to]
	r.pairs = r.pairs[:0]
	word := s.from // where the word began; -1: it is no name
	sep := byte(0)
	for i := s.from; i < len(t); i++ {
		switch c := t[i]; c {
		case ' ':
			if word != i {
				sep = ' '
			}
			word = i + 1
		case '\t', ',', ';', '|':
			sep, word = c, i+1
		case '"':
			if word == i { // what is in quotes on its own is no pair
				if end, _ := endOfQuoted(t, i); end > 0 {
					i = end
				}
				word = -1
			}
		case ':':
			if len(r.pairs) == 0 && word >= 0 { // a tag without a blank behind it
				word = i + 1
			}
		case '=':
			if word < 0 || !isName(t[word:i]) {
				word = -1
				continue
			}
			p := pair{key: span{word, i}, value: span{i + 1, i + 1}, sep: sep}
			if end, escaped := endOfQuoted(t, i+1); end > 0 {
				p.value, p.quoted, p.escaped = span{i + 2, end}, true, escaped
				i = end
			}
			r.pairs = append(r.pairs, p)
			if len(r.pairs) > r.limits.MaxKeys { // one too many is enough to tell
				return
			}
			word = -1
		}
	}
}

// endOfQuoted finds the quote that ends the value at pos; 0 if the value has
// none.
func endOfQuoted(t []byte, pos int) (end int, escaped bool) {
	if pos >= len(t) || t[pos] != '"' && t[pos] != '\'' {
		return 0, false
	}
	for i := pos + 1; i < len(t); i++ {
		switch t[i] {
		case '\\':
			escaped = true
			i++
		case t[pos]:
			return i, escaped
		}
	}
	return 0, false
}

// separator tells what stands between the pairs: where that is not blanks,
// values may have blanks. Names behind something else are then parts of values,
// which a stranger may have written; but commas with blanks among them are also
// what people write who do not care.
func (r *Reader) separator() byte {
	var tabs, commas, semicolons, bars int
	for i := 1; i < len(r.pairs); i++ {
		switch r.pairs[i].sep {
		case '\t':
			tabs++
		case ',':
			commas++
		case ';':
			semicolons++
		case '|':
			bars++
		}
	}
	switch n := len(r.pairs) - 1; {
	case 4*tabs >= 3*n:
		return '\t'
	case 4*semicolons >= 3*n:
		return ';'
	case 4*bars >= 3*n:
		return '|'
	case commas == n:
		return ','
	}
	return ' '
}

// splitAt ends each value before the separator of the next pair.
func (r *Reader) splitAt(sep byte, end int) {
	kept := 1
	for i := 1; i < len(r.pairs); i++ {
		if r.pairs[i].sep == sep {
			r.pairs[kept] = r.pairs[i]
			kept++
		}
	}
	r.pairs = r.pairs[:kept]
	for i := range r.pairs {
		p := &r.pairs[i]
		if p.quoted {
			continue
		}
		to := end
		if i+1 < len(r.pairs) {
			to = r.pairs[i+1].key.from
		}
		p.value = r.trimmed(p.value.from, to)
		for !p.value.empty() && r.text[p.value.to-1] == sep {
			p.value = r.trimmed(p.value.from, p.value.to-1)
		}
	}
}

// splitAtBlanks ends each value at the next blank, and gives how many bytes the
// pairs have.
func (r *Reader) splitAtBlanks(end int) (covered int) {
	for i := range r.pairs {
		p := &r.pairs[i]
		if p.quoted {
			covered += p.value.to + 1 - p.key.from
			continue
		}
		to := end
		if i+1 < len(r.pairs) {
			to = r.pairs[i+1].key.from
		}
		p.value.to = min(to, endOfWord(r.text, p.value.from))
		for !p.value.empty() && (r.text[p.value.to-1] == ',' || r.text[p.value.to-1] == ';') {
			p.value.to--
		}
		covered += p.value.to - p.key.from
	}
	return covered
}

// bracketed reads Check Point's list, which is structured data but for the
// colons: [action:"Drop"; ike::"Main Mode"; origin:"192.0.2.1"]
func (r *Reader) bracketed(pos int) bool {
	t := r.text
	if !hasAt(t, pos, "[") {
		return false
	}
	r.pairs = r.pairs[:0]
	for p := skipBlank(t, pos+1); p < len(t) && t[p] != ']'; {
		n := bytes.IndexByte(t[p:min(len(t), p+129)], ':')
		if n < 0 || !isName(t[p:p+n]) {
			return false
		}
		value := p + n + 1
		if hasAt(t, value, ":") { // names of texts for people have two
			value++
		}
		end, escaped := endOfQuoted(t, value)
		if end == 0 {
			return false
		}
		r.pairs = append(r.pairs, pair{key: span{p, p + n}, value: span{value + 1, end}, quoted: true, escaped: escaped})
		if len(r.pairs) > r.limits.MaxKeys {
			break
		}
		if p = skipBlank(t, end+1); p < len(t) && t[p] == ';' {
			p = skipBlank(t, p+1)
		}
	}
	if len(r.pairs) == 0 {
		return false
	}
	r.takePairs(`"'\]`)
	return true
}
