package upload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Record is one request as the journal keeps it. It has the feed's settings with it,
// so that it can be folded when nobody configures the feed any more.
type Record struct {
	Time    schema.Millis     `json:"time"` // when it was accepted
	Feed    fact.Feed         `json:"feed"`
	Objects []json.RawMessage `json:"objects"` // STIX objects

	from *segment
	at   int // of its line in the segment
	end  int
}

// A record's line is the xxh3 of the rest as 16 hex digits, a space, the length of the
// text as 8 hex digits, a space, the text (JSON without a line break) and a line break.
// Where one record is damaged the next one is found: by the line break, or by the length
// where that is what is damaged.
const (
	sumDigits  = 16
	sizeDigits = 8
	headBytes  = sumDigits + 1 + sizeDigits + 1
)

// encode gives a record's line.
func encode(r *Record) ([]byte, error) {
	var text bytes.Buffer
	text.Write(make([]byte, headBytes))
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil { // it ends in a line break
		return nil, fmt.Errorf("writing an upload down: %w", err)
	}
	line := text.Bytes()
	size := len(line) - headBytes - 1
	if size>>(4*sizeDigits) != 0 {
		return nil, fmt.Errorf("writing an upload down: %d bytes are too many", size)
	}
	copy(line[sumDigits:], fmt.Appendf(nil, " %08x ", size))
	copy(line, fmt.Appendf(nil, "%016x", xxh3.Hash(line[sumDigits+1:len(line)-1])))
	return line, nil
}

// framed gives the text of a record that a line begins with; nil if none does.
func framed(line []byte) []byte {
	if len(line) < headBytes || line[sumDigits] != ' ' || line[headBytes-1] != ' ' {
		return nil
	}
	sum, err := strconv.ParseUint(string(line[:sumDigits]), 16, 64)
	size, err2 := strconv.ParseUint(string(line[sumDigits+1:headBytes-1]), 16, 4*sizeDigits)
	if err != nil || err2 != nil || size == 0 || size > uint64(len(line)-headBytes) {
		return nil
	}
	end := headBytes + int(size)
	if xxh3.Hash(line[sumDigits+1:end]) != sum {
		return nil
	}
	return line[headBytes:end]
}

// stretch is a piece of a journal's text.
type stretch struct {
	at, end int
	body    []byte // of a record; nil: there is none, or a damaged one
}

// torn reports a stretch at the end of a text that is the beginning of a record: who
// wrote it was stopped, and told nobody that it was there.
func (s stretch) torn(text []byte) bool {
	return s.body == nil && s.end == len(text) && text[len(text)-1] != '\n'
}

// stretches cuts a journal's text into records and what is none, without a gap. A
// record ends with its length, also where its line break is damaged; what is none ends
// where the next record begins, or before what is torn.
func stretches(text []byte) (list []stretch) {
	for at := 0; at < len(text); {
		line, _, _ := bytes.Cut(text[at:], []byte{'\n'})
		s := stretch{at: at, body: framed(line)}
		if s.end = at + len(line) + 1; s.body != nil {
			s.end = at + headBytes + len(s.body) + 1
		}
		s.end = min(s.end, len(text))
		at = s.end
		if n := len(list); n > 0 && s.body == nil && list[n-1].body == nil && !s.torn(text) {
			list[n-1].end = s.end
			continue
		}
		list = append(list, s)
	}
	return list
}

var errRecord = errors.New("it is no record of an upload")

// decodeRecord reads a record's text.
func decodeRecord(body []byte) (r Record, err error) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errRecord, err)
	}
	if len(r.Objects) == 0 {
		return r, fmt.Errorf("%w: it has no objects", errRecord)
	}
	return r, nil
}
