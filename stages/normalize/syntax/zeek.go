package syntax

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// HasZeekHeader reports whether data is a log of Zeek in tab-separated form.
func HasZeekHeader(data []byte) bool { return hasAt(data, skipMark(data, 0), "#separator ") }

// zeekLog is what the header of a log says.
type zeekLog struct {
	separator, set, empty, unset, path string
	names                              []string
	types                              []string
	size                               int // of the header's lines so far
}

// ZeekRows reads a log of Zeek in tab-separated form, and yields each row as a
// JSON object, in memory of its own: numbers and booleans by their types, sets
// and vectors as arrays, fields that are not set left out, as Zeek's own JSON
// has it, and the log's name as "_path". A row that cannot be read is yielded
// as it is, with an error. Headers further down, as in logs joined together,
// count from there on.
func ZeekRows(data []byte, yield func(document []byte, err error) bool) {
	data = data[skipMark(data, 0):]
	var log zeekLog
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			continue
		}
		if line[0] == '#' {
			if err := log.header(line); err != nil {
				yield(line, fmt.Errorf("reading the header of a Zeek log: %w", err))
				return
			}
			continue
		}
		doc, err := log.row(line)
		if err != nil {
			doc, err = line, fmt.Errorf("reading a row of a Zeek log: %w", err)
		}
		if !yield(doc, err) {
			return
		}
	}
}

// header takes in a line that begins with "#".
func (z *zeekLog) header(line []byte) error {
	if bytes.HasPrefix(line, []byte("#separator ")) {
		*z = zeekLog{separator: unhex(string(line[len("#separator "):])), set: ",", empty: "(empty)", unset: "-"}
		if z.separator == "" {
			return fmt.Errorf("no separator")
		}
	}
	if z.size += len(line); z.size > maxHeader {
		return errHeader
	}
	if !utf8.Valid(line) {
		return ErrNotUTF8
	}
	name, value, _ := strings.Cut(string(line[1:]), z.separator)
	switch name {
	case "set_separator":
		z.set = unhex(value)
	case "empty_field":
		z.empty = value
	case "unset_field":
		z.unset = value
	case "path":
		z.path = value
	case "fields":
		z.names = strings.Split(value, z.separator)
		if len(z.names) > maxNames {
			return errNames
		}
	case "types":
		z.types = strings.Split(value, z.separator)
	case "open", "close":
		z.size = 0
	}
	return nil
}

func (z *zeekLog) row(line []byte) ([]byte, error) {
	if err := checkRow(line); err != nil {
		return nil, err
	}
	if len(z.names) == 0 || z.separator == "" {
		return nil, errNoNames
	}
	doc := append(make([]byte, 0, 2*len(line)+64), '{')
	if z.path != "" {
		doc = appendText(append(doc, `"_path":`...), z.path)
	}
	rest, last := arena.Text(line), false
	for i, name := range z.names {
		if last {
			return nil, errCount
		}
		var field string
		field, rest, last = strings.Cut(rest, z.separator)
		last = !last
		if field == z.unset || name == "_path" && z.path != "" {
			continue
		}
		if len(doc) > 1 {
			doc = append(doc, ',')
		}
		doc = append(appendText(doc, name), ':')
		kind := "string"
		if i < len(z.types) {
			kind = z.types[i]
		}
		doc = z.value(doc, field, kind)
	}
	if !last {
		return nil, errCount
	}
	return append(doc, '}'), nil
}

// value appends a field as JSON.
func (z *zeekLog) value(doc []byte, field, kind string) []byte {
	outer, inner, isList := strings.Cut(kind, "[")
	if isList && (outer == "set" || outer == "vector" || outer == "table") {
		doc = append(doc, '[')
		if field != z.empty && z.set != "" {
			inner = strings.TrimSuffix(inner, "]")
			for n := 0; ; n++ {
				item, rest, more := strings.Cut(field, z.set)
				if n > 0 {
					doc = append(doc, ',')
				}
				if item == z.unset {
					doc = append(doc, "null"...)
				} else {
					doc = z.value(doc, item, inner)
				}
				if !more {
					break
				}
				field = rest
			}
		}
		return append(doc, ']')
	}
	switch kind {
	case "bool":
		switch field {
		case "T":
			return append(doc, "true"...)
		case "F":
			return append(doc, "false"...)
		}
	case "count", "int", "double", "port", "time", "interval":
		if isNumber(field) {
			return append(doc, field...)
		}
	}
	if field == z.empty {
		field = ""
	}
	return appendText(doc, unhex(field))
}

// isNumber reports whether a field can stand in JSON as a number.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || s[0]-'0' <= 9) && json.Valid([]byte(s))
}

// unhex replaces "\x09" by its byte. Text that would not be UTF-8 by it stays
// as it is.
func unhex(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if b, err := hex.DecodeString(s[i+2 : i+4]); err == nil {
				out = append(out, b[0])
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	if !utf8.Valid(out) {
		return s
	}
	return string(out)
}
