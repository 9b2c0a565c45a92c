package syntax

import "bytes"

// colonList reads "Key: value, Key: value" from pos to the end, as Cisco's
// Firepower and others send it, if there are several. A comma that no name
// follows belongs to the value.
func (r *Reader) colonList(pos int) bool {
	t := r.text
	r.pairs = r.pairs[:0]
	parts := 0
	for p := pos; p < len(t); parts++ {
		end := len(t)
		if i := bytes.IndexByte(t[p:], ','); i >= 0 {
			end = p + i
		}
		if key, value := colonKey(t[:end], skipBlank(t[:end], p), parts == 0); value > 0 {
			if n := len(r.pairs); n > 0 {
				r.pairs[n-1].value = r.trimmed(r.pairs[n-1].value.from, p-1)
			}
			r.pairs = append(r.pairs, pair{key: key, value: span{value, value}})
			if len(r.pairs) > r.limits.MaxKeys {
				break
			}
		} else if parts == 0 {
			return false
		}
		p = end + 1
	}
	n := len(r.pairs)
	if n < minPairs || 2*n < parts {
		return false
	}
	r.pairs[n-1].value = r.trimmed(r.pairs[n-1].value.from, len(t))
	r.takePairs("")
	return true
}

// colonKey reads the name at pos, and gives where its value begins; 0 without
// one. Names may have blanks. Before the first there may be words that are no
// part of it.
func colonKey(t []byte, pos int, first bool) (key span, value int) {
	i := bytes.IndexByte(t[pos:min(len(t), pos+128)], ':')
	if i <= 0 {
		return key, 0
	}
	p := pos + i
	if p+1 < len(t) && t[p+1] != ' ' {
		return key, 0
	}
	key = span{pos, p}
	for q := pos; q < p; q++ {
		if c := t[q]; !isAlnum(c) && c != ' ' && c != '_' && c != '-' && c != '/' && c != '.' && c != '(' && c != ')' {
			if !first {
				return key, 0
			}
			key.from = bytes.LastIndexByte(t[:p], ' ') + 1
			if key.from <= q {
				return key, 0
			}
			break
		}
	}
	if key.empty() || !isAlnum(t[key.from]) {
		return key, 0
	}
	return key, p + 1
}
