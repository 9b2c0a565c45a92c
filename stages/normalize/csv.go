package normalize

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
)

var errNotUTF8 = errors.New("row is not UTF-8")

// SplitCSV reads CSV with a header row and yields each further row as a JSON
// object of strings, in the header's order, in memory of its own. A row that
// cannot be read is yielded with an error, and its bytes as they are. An error
// in the header ends the reading.
func SplitCSV(data []byte, yield func(document []byte, err error) bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			yield(data, fmt.Errorf("CSV header: %w", err))
		}
		return
	}
	names := make([][]byte, len(header))
	for i, h := range header {
		if names[i], err = json.Marshal(h); err != nil || !utf8.ValidString(h) {
			yield(data, errNotUTF8)
			return
		}
	}
	for {
		from := r.InputOffset()
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		raw := data[from:r.InputOffset()]
		if err != nil {
			if !yield(raw, fmt.Errorf("CSV row: %w", err)) || r.InputOffset() == from {
				return
			}
			continue
		}
		if !utf8.Valid(raw) {
			if !yield(raw, errNotUTF8) {
				return
			}
			continue
		}
		doc := []byte{'{'}
		for i, field := range row {
			if i > 0 {
				doc = append(doc, ',')
			}
			text, err := json.Marshal(field)
			if err != nil {
				text = []byte(`""`)
			}
			doc = append(append(append(doc, names[i]...), ':'), text...)
		}
		if !yield(append(doc, '}'), nil) {
			return
		}
	}
}

// readCSV reads a record of CSV: each row is a document.
func (r *record) readCSV(data []byte) {
	SplitCSV(data, func(row []byte, err error) bool {
		switch {
		case int(r.docs) == r.n.cfg.MaxDocuments:
			r.reject(r.raw.Value, fault{reason: schema.ReasonTooManyRecords, what: "too many rows"})
			return false
		case errors.Is(err, errNotUTF8):
			r.reject(row, fault{reason: schema.ReasonInvalidUTF8, what: err.Error()})
		case err != nil:
			r.reject(row, fault{reason: schema.ReasonBadField, what: err.Error()})
		default:
			if r.value(row, 0, 0) == broken {
				r.reject(row, r.n.scanners[0].fault)
			}
		}
		return true
	})
}
