package syntax

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// CSVRows reads CSV with a header row, and yields each further row as a JSON
// object of strings, in the header's order, in memory of its own. A row that
// cannot be read is yielded as it is, with an error; what is wrong with the
// header ends the reading.
func CSVRows(data []byte, yield func(document []byte, err error) bool) {
	data = data[skipMark(data, 0):]
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord = true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return
	}
	if err == nil {
		err = checkHeader(data[:r.InputOffset()], header)
	}
	if err != nil {
		yield(data, fmt.Errorf("reading the CSV header: %w", err))
		return
	}
	names := make([][]byte, len(header)) // ends of names: ,"name":
	for i, h := range header {
		names[i] = append(appendText([]byte{','}, h), ':')
	}
	names[0][0] = '{'
	for {
		from := r.InputOffset()
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		raw := data[from:r.InputOffset()]
		if err == nil || errors.Is(err, csv.ErrFieldCount) {
			if bad := checkRow(raw); bad != nil {
				err = bad
			}
		}
		if err != nil {
			if !yield(raw, fmt.Errorf("reading a CSV row: %w", err)) || r.InputOffset() == from {
				return
			}
			continue
		}
		doc := make([]byte, 0, 2*len(raw)+64)
		for i, field := range row {
			doc = appendText(append(doc, names[i]...), field)
		}
		if !yield(append(doc, '}'), nil) {
			return
		}
	}
}

func checkHeader(raw []byte, names []string) error {
	switch {
	case len(raw) > maxHeader:
		return errHeader
	case len(names) > maxNames:
		return errNames
	case len(names) == 0:
		return errNoNames
	}
	return checkRow(raw)
}
