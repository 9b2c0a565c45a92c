package normalize

import (
	"bytes"
	"errors"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
	"github.com/interdict/interdict/stages/normalize/mapping"
	"github.com/interdict/interdict/stages/normalize/syntax"
)

// record is one raw record being taken apart.
type record struct {
	n      *Normalizer
	b      *schema.Batch
	raw    *schema.Raw
	format *mapping.Format // of the document at hand
	index  int32
	docs   int32 // documents so far: accepted, rejected or dropped
	lost   int   // documents whose end was looked for in vain
	within int   // envelopes whose documents are being read
	said   bool  // the list at hand is of a place that is; see place
}

// maxLost bounds lost: each costs a look at the whole rest of the record, which
// must not add up to the square of its size.
const maxLost = 16

// confluentHeader is the length of Confluent's framing: a zero byte and the number
// of a schema.
const confluentHeader = 5

// read accounts for everything in the record.
func (r *record) read() {
	data := r.raw.Value
	if f := r.inflated(&data); f.Reason != 0 {
		r.reject(r.raw.Value, f)
		return
	}
	if compressed(data) {
		r.reject(r.raw.Value, extract.Fault{Reason: schema.ReasonDecompression, What: "compressed twice"})
		return
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(data) > confluentHeader && data[0] == 0 && r.n.cfg.Confluent == ConfluentJSON {
		data = data[confluentHeader:]
	}
	pos := extract.SkipSpace(data, 0)
	switch {
	case pos == len(data):
		r.reject(r.raw.Value, extract.Fault{Reason: schema.ReasonEmpty, What: "empty record"})
	case data[0] == 0 && len(data) > confluentHeader:
		r.reject(r.raw.Value, extract.Fault{Reason: schema.ReasonConfluentWire, What: "Confluent wire format"})
	case r.n.csv:
		r.rows(data, syntax.CSVRows)
	case syntax.HasZeekHeader(data):
		r.rows(data, syntax.ZeekRows)
	default:
		r.readAll(data, 0)
	}
	if r.docs == 0 {
		r.drop("empty list")
	}
}

// isJSON tells JSON from lines of text, which may begin with "[" too, or with a
// quoted column.
func isJSON(data []byte, pos int) bool {
	switch data[pos] {
	case '{':
		return true
	case '[':
		next := extract.SkipSpace(data, pos+1)
		return next == len(data) || data[next] == '{' || data[next] == ']' || data[next] == '[' || data[next] == '"'
	}
	return false
}

// Besides an offset, the end of a value may be:
const (
	broken = -1 // not to be found; nothing is accounted for, the scanner has the fault
	spent  = -2 // the record's: its rest is accounted for
)

// readAll reads documents one after the other: one, NDJSON, JSON texts back to
// back, or lines of text. level counts the lists and envelopes around them.
func (r *record) readAll(data []byte, level int) {
	for pos := extract.SkipSpace(data, 0); pos < len(data); pos = extract.SkipSpace(data, pos) {
		if r.full(data, pos) {
			return
		}
		if !isJSON(data, pos) {
			r.lines(data[pos:], level)
			return
		}
		end := r.value(data, pos, level)
		switch end {
		case spent:
			return
		case broken:
			// In NDJSON the next document begins at the next line that opens an object
			// or array in its first column.
			end = nextLine(data, pos)
			r.reject(trimmed(data[pos:end]), r.n.scanners[level].Fault)
		}
		pos = end
	}
}

// lines reads messages of text.
func (r *record) lines(data []byte, level int) {
	syntax.Lines(data, func(line []byte, offset int) bool {
		if r.full(data, offset) {
			return false
		}
		found := r.openText(level, line)
		if f := r.n.scanners[level].Fault; found.format < 0 && !found.list && f.Reason != 0 {
			r.reject(line, f)
			return true
		}
		r.account(level, found, line)
		return true
	})
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

// full rejects the rest of a record that holds too many documents: data from pos
// on, but where data is of an envelope, all of the record, since more may follow
// the envelope.
func (r *record) full(data []byte, pos int) bool {
	if int(r.docs) < r.n.cfg.MaxDocuments {
		return false
	}
	if int(r.docs) == r.n.cfg.MaxDocuments {
		rest := trimmed(data[pos:])
		if r.within > 0 {
			rest = r.raw.Value
		}
		r.reject(rest, extract.Fault{Reason: schema.ReasonTooManyRecords, What: "too many documents", At: pos})
	}
	return true
}

// value reads one value, a document or a list of documents, and gives its end.
func (r *record) value(data []byte, pos, level int) int {
	if data[pos] == '[' && level < maxNesting-1 {
		return r.list(data, pos, level+1)
	}
	s := r.n.scanners[level]
	before := r.docs
	p := s.Scan(data, pos)
	for p == extract.List && level < maxNesting-1 {
		end := r.list(data, s.Pos, level+1)
		if end == spent {
			return spent
		}
		p = s.Resume(end)
	}
	isList := r.docs != before
	switch {
	case p == extract.Done && isList:
		return s.Pos
	case p == extract.Done && s.SawList:
		end := s.Pos
		r.emptied(data[pos:end], s, level)
		return end
	case p == extract.Done:
		end := s.Pos
		r.document(data[pos:end], s, level)
		return end
	case p == extract.List:
		s.Fault = extract.Fault{Reason: schema.ReasonTooDeep, What: "lists within lists", At: s.Pos}
	case isList:
		// The members are accounted for; what broke comes after them.
		r.reject(r.raw.Value, s.Fault)
		return spent
	}
	if s.Fault.Reason != schema.ReasonInvalidJSON {
		// The document breaks a rule but may be well formed: find its end.
		if end := endOfValue(data, pos); end > 0 {
			r.reject(data[pos:end], s.Fault)
			return end
		}
		if r.lost++; r.lost > maxLost {
			r.reject(trimmed(data[pos:]), s.Fault)
			return spent
		}
	}
	return broken
}

// list reads the array at pos, each element a value.
func (r *record) list(data []byte, pos, level int) int {
	if pos = extract.SkipSpace(data, pos+1); pos < len(data) && data[pos] == ']' {
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
			r.reject(trimmed(data[pos:]), r.n.scanners[level].Fault)
			return spent
		}
		if pos = extract.SkipSpace(data, end); pos < len(data) && data[pos] == ']' {
			return pos + 1
		}
		if pos == len(data) || data[pos] != ',' {
			break
		}
		pos = extract.SkipSpace(data, pos+1)
	}
	r.reject(r.raw.Value, extract.Fault{Reason: schema.ReasonInvalidJSON, What: "list is cut", At: pos})
	return spent
}

// document accounts for a well-formed value that is no list.
func (r *record) document(b []byte, s *extract.Scanner, level int) {
	if b[0] != '{' {
		r.reject(b, extract.Fault{Reason: schema.ReasonNotObject, What: "document is not an object"})
		return
	}
	r.account(level, r.find(level, s.Tape, b), b)
}

// emptied accounts for a document whose list of documents is empty: alerts have
// empty lists, too.
func (r *record) emptied(b []byte, s *extract.Scanner, level int) {
	if found := r.find(level, s.Tape, b); found.format >= 0 || found.list {
		r.account(level, found, b)
		return
	}
	r.drop("empty list")
}

// rows reads a table: each row is a document. It has the names of the header in
// it, so that long names and short rows are much from little, like what was
// compressed, and are bounded like it.
func (r *record) rows(data []byte, read func([]byte, func(row []byte, err error) bool)) {
	left := r.mayGrowTo(len(data))
	read(data, func(row []byte, err error) bool {
		left -= len(row)
		switch {
		case r.full(data, 0):
			return false
		case left < 0:
			r.reject(r.raw.Value, extract.Fault{Reason: schema.ReasonTooLarge, What: "table becomes too large with its header's names in each row"})
			return false
		case errors.Is(err, syntax.ErrNotUTF8):
			r.reject(row, extract.Fault{Reason: schema.ReasonInvalidUTF8, What: err.Error()})
		case errors.Is(err, syntax.ErrTooLarge):
			r.reject(row, extract.Fault{Reason: schema.ReasonTooLarge, What: err.Error()})
		case err != nil:
			r.reject(row, extract.Fault{Reason: schema.ReasonBadField, What: err.Error()})
		default:
			if r.value(row, 0, 0) == broken {
				r.reject(row, r.n.scanners[0].Fault)
			}
		}
		return true
	})
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
