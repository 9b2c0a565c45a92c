package normalize

import (
	"bytes"

	"github.com/interdict/interdict/schema"
)

// record is one raw record being taken apart.
type record struct {
	n     *Normalizer
	b     *schema.Batch
	raw   *schema.Raw
	index int32
	docs  int32 // documents so far: accepted, rejected or dropped
	lost  int   // documents whose end was looked for in vain
}

// maxLost bounds lost: each costs a look at the whole rest of the record, which
// must not add up to the square of its size.
const maxLost = 16

// read accounts for everything in the record.
func (r *record) read() {
	data := r.raw.Value
	if f := r.inflated(&data); f.reason != 0 {
		r.reject(r.raw.Value, f)
		return
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case skipSpace(data, 0) == len(data):
		r.reject(r.raw.Value, fault{reason: schema.ReasonEmpty, what: "empty record"})
	case data[0] == 0 && len(data) > 5:
		// Confluent's framing: a zero byte and the number of a schema.
		r.reject(r.raw.Value, fault{reason: schema.ReasonConfluentWire, what: "Confluent wire format"})
	case r.n.csv:
		r.readCSV(data)
	default:
		r.readAll(data)
	}
	if r.docs == 0 {
		r.b.Drops = append(r.b.Drops, schema.Drop{Raw: r.index, Reason: schema.ReasonNotAnAlert, Detail: "empty list"})
	}
}

// Besides an offset, the end of a value may be:
const (
	broken = -1 // not to be found; nothing is accounted for, scanners[0] has the fault
	spent  = -2 // the record's: its rest is accounted for
)

// readAll reads values one after the other: one document, NDJSON, or JSON texts
// back to back.
func (r *record) readAll(data []byte) {
	for pos := skipSpace(data, 0); pos < len(data); pos = skipSpace(data, pos) {
		if r.full(data, pos) {
			return
		}
		end := r.value(data, pos, 0)
		switch end {
		case spent:
			return
		case broken:
			// In NDJSON the next document begins at the next line that opens an object
			// or array in its first column.
			end = nextLine(data, pos)
			r.reject(trimmed(data[pos:end]), r.n.scanners[0].fault)
		}
		pos = end
	}
}

func trimmed(b []byte) []byte { return bytes.TrimRight(b, " \r\n\t") }

func nextLine(data []byte, pos int) int {
	for {
		i := bytes.IndexByte(data[pos:], '\n')
		if i < 0 || pos+i+1 == len(data) {
			return len(data)
		}
		pos += i + 1
		if data[pos] == '{' || data[pos] == '[' {
			return pos
		}
	}
}

// full rejects the rest of a record that holds too many documents.
func (r *record) full(data []byte, pos int) bool {
	if int(r.docs) < r.n.cfg.MaxDocuments {
		return false
	}
	r.reject(trimmed(data[pos:]), fault{schema.ReasonTooManyRecords, "too many documents", pos})
	return true
}

// value reads one value, a document or a list of documents, and gives its end.
// level counts the lists around it.
func (r *record) value(data []byte, pos, level int) int {
	if data[pos] == '[' && level < maxNesting-1 {
		return r.list(data, pos, level+1)
	}
	s := r.n.scanners[level]
	before := r.docs
	p := s.scan(data, pos)
	for p == scanList && level < maxNesting-1 {
		end := r.list(data, s.pos, level+1)
		if end == spent {
			return spent
		}
		p = s.resume(end)
	}
	isList := r.docs != before
	switch {
	case p == scanDone && (isList || s.sawList):
		return s.pos
	case p == scanDone:
		r.document(data[pos:s.pos], s, level)
		return s.pos
	case p == scanList:
		s.fault = fault{schema.ReasonTooDeep, "lists within lists", s.pos}
	case isList:
		// The members are accounted for; what broke comes after them.
		r.reject(r.raw.Value, s.fault)
		return spent
	}
	if s.fault.reason != schema.ReasonInvalidJSON {
		// The document breaks a rule but may be well formed: find its end.
		if end := endOfValue(data, pos); end > 0 {
			r.reject(data[pos:end], s.fault)
			return end
		}
		if r.lost++; r.lost > maxLost {
			r.reject(trimmed(data[pos:]), s.fault)
			return spent
		}
	}
	r.n.scanners[0].fault = s.fault
	return broken
}

// list reads the array at pos, each element a value.
func (r *record) list(data []byte, pos, level int) int {
	if pos = skipSpace(data, pos+1); pos < len(data) && data[pos] == ']' {
		return pos + 1
	}
	for pos < len(data) {
		if r.full(data, pos) {
			return spent
		}
		end := r.value(data, pos, level)
		switch end {
		case spent:
			return spent
		case broken:
			// Where the next element begins is not known.
			r.reject(trimmed(data[pos:]), r.n.scanners[0].fault)
			return spent
		}
		if pos = skipSpace(data, end); pos < len(data) && data[pos] == ']' {
			return pos + 1
		}
		if pos == len(data) || data[pos] != ',' {
			break
		}
		pos = skipSpace(data, pos+1)
	}
	r.reject(r.raw.Value, fault{schema.ReasonInvalidJSON, "list is cut", pos})
	return spent
}

// document accounts for a well-formed value that is no list.
func (r *record) document(b []byte, s *scanner, level int) {
	if b[0] != '{' {
		r.reject(b, fault{reason: schema.ReasonNotObject, what: "document is not an object"})
		return
	}
	if f := r.n.detect(s); f >= 0 {
		r.make(s, f, b)
		return
	}
	if level < maxNesting-1 {
		for _, w := range r.n.wrappers {
			i := s.first[w]
			if i == 0 || s.tape[i-1].kind != kindObject {
				continue
			}
			inner, body := r.n.scanners[level+1], bytesOf(s.tape[i-1].text)
			if inner.scan(body, 0) != scanDone {
				continue
			}
			if f := r.n.detect(inner); f >= 0 {
				r.make(inner, f, body)
				return
			}
		}
	}
	if r.n.cfg.Format != "" {
		r.reject(b, fault{reason: schema.ReasonMissingField, what: "not the shape of " + r.n.cfg.Format})
		return
	}
	r.reject(b, fault{reason: schema.ReasonUnknownFormat, what: "no format has this shape"})
}

// endOfValue finds the end of the object or array at pos by its brackets alone,
// 0 if there is none.
func endOfValue(data []byte, pos int) int {
	depth := 0
	for ; pos < len(data); pos++ {
		switch data[pos] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return pos + 1
			}
		case '"':
			for pos++; pos < len(data) && data[pos] != '"'; pos++ {
				if data[pos] == '\\' {
					pos++
				}
			}
		}
	}
	return 0
}
