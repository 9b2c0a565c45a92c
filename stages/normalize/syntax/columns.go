package syntax

import (
	"bytes"
	"strconv"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// minColumns is how many columns make a text a row of them.
const minColumns = 8

// maxWords bounds the words of a row's first column: of a number or a time.
const maxWords = 4

// columns reads a row of comma-separated values from pos to the end. Prose has
// commas, too, but blanks behind them, or many words before the first.
func (r *Reader) columns(pos int) bool {
	if first, _, _, ok := r.column(pos); !ok || bytes.Count(r.text[first.from:first.to], []byte(" ")) >= maxWords {
		return false
	}
	n, blanks, next := 0, 0, pos
	for p := pos; next >= 0; p = next {
		if n > 0 && p < len(r.text) && r.text[p] == ' ' {
			blanks++
		}
		var ok bool
		if _, _, next, ok = r.column(p); !ok {
			return false
		}
		n++
	}
	if n < minColumns || 4*blanks > n {
		return false
	}
	for i, p := 0, pos; p >= 0; i++ {
		value, escaped, next, _ := r.column(p)
		if !r.key(span{p, p}) {
			break
		}
		node := r.columnAt(i)
		switch {
		case escaped && node != 0 && value.to-value.from <= r.limits.MaxString:
			r.put(node, r.undouble(value), value.from)
		default:
			r.value(node, value)
		}
		p = next
	}
	return true
}

// column reads the column at pos. next is -1 behind the last; ok is false for
// quotes that are not closed.
func (r *Reader) column(pos int) (value span, escaped bool, next int, ok bool) {
	t := r.text
	if pos >= len(t) || t[pos] != '"' {
		end, next := len(t), -1
		if i := bytes.IndexByte(t[pos:], ','); i >= 0 {
			end, next = pos+i, pos+i+1
		}
		return r.trimmed(pos, end), false, next, true
	}
	for p := pos + 1; p < len(t); p++ {
		if t[p] != '"' {
			continue
		}
		switch {
		case p+1 == len(t):
			return span{pos + 1, p}, escaped, -1, true
		case t[p+1] == ',':
			return span{pos + 1, p}, escaped, p + 2, true
		case t[p+1] == '"':
			escaped = true
			p++
		default:
			return span{}, false, 0, false
		}
	}
	return span{}, false, 0, false
}

func (r *Reader) undouble(s span) string {
	mark := len(r.arena.Buf)
	for i := s.from; i < s.to; i++ {
		r.arena.Buf = append(r.arena.Buf, r.text[i])
		if r.text[i] == '"' {
			i++
		}
	}
	return r.arena.From(mark)
}

func (r *Reader) columnAt(i int) uint16 {
	if i < maxPlaced || r.at.columns == 0 {
		return r.at.column[min(i, maxPlaced-1)]
	}
	var name [20]byte
	return r.trie.Child(r.at.columns, arena.Text(strconv.AppendInt(name[:0], int64(i), 10)))
}
