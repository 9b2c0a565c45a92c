package parse

import (
	"bufio"
	"errors"
	"fmt"
)

const (
	// maxRecord bounds a record of a CSV, whose quoted fields may span lines.
	maxRecord = 256 << 10
	// maxFields bounds the columns of a record.
	maxFields = 1024
)

// Reasons of records.
var (
	errRecord = fmt.Errorf("a record longer than %d bytes: perhaps a quote without its end", maxRecord)
	errFields = fmt.Errorf("a record with more than %d fields", maxFields)
	errQuote  = errors.New("a quote without its end")
)

// records reads a CSV record by record (RFC 4180), and takes what real feeds write
// besides: quotes within an unquoted field, text behind a closing quote, blanks
// before an opening one.
type records struct {
	lines   lines
	comma   byte
	comment string
	line    int    // where the record that next gave begins
	last    string // the last comment, which may name the columns
	buf     []byte // text of the record's fields, unquoted
	ends    []int
	bad     error // why the record that next gave is to be refused
}

func newRecords(br *bufio.Reader, comma byte, comment string) *records {
	return &records{lines: lines{in: br}, comma: comma, comment: comment}
}

// next gives the next record that is neither empty nor a comment. Its fields are
// the caller's. Where bad is set they are what could be read.
func (c *records) next() (fields []string, ok bool, err error) {
	for {
		line, ok, err := c.lines.next()
		if err != nil || !ok {
			return nil, false, err
		}
		c.line, c.bad = c.lines.n, nil
		c.buf, c.ends = c.buf[:0], c.ends[:0]
		if c.lines.long {
			c.bad = errLine
			return []string{string(line)}, true, nil
		}
		text := trimLeft(line)
		if len(text) == 0 {
			continue
		}
		if c.comment != "" && len(text) >= len(c.comment) && string(text[:len(c.comment)]) == c.comment {
			c.last = string(text[len(c.comment):])
			continue
		}
		if err := c.record(line); err != nil {
			return nil, false, err
		}
		return c.split(), true, nil
	}
}

// record reads the fields of a record that begins with line.
func (c *records) record(line []byte) error {
	for {
		if len(c.ends) >= maxFields {
			c.bad = errFields
			return nil
		}
		rest := line
		for len(rest) > 0 && rest[0] == ' ' {
			rest = rest[1:]
		}
		more := false
		if len(rest) > 0 && rest[0] == '"' {
			var err error
			if line, more, err = c.quoted(rest[1:]); err != nil || c.bad != nil {
				return err
			}
		} else {
			end := 0
			for end < len(line) && line[end] != c.comma {
				end++
			}
			c.buf = append(c.buf, line[:end]...)
			if more = end < len(line); more {
				line = line[end+1:]
			}
		}
		c.ends = append(c.ends, len(c.buf))
		if !more {
			return nil
		}
	}
}

// quoted reads a field behind its opening quote and gives what follows its comma.
func (c *records) quoted(line []byte) (rest []byte, more bool, err error) {
	for {
		for i := 0; i < len(line); i++ {
			switch {
			case line[i] != '"':
				c.buf = append(c.buf, line[i])
			case i+1 < len(line) && line[i+1] == '"':
				c.buf = append(c.buf, '"')
				i++
			default:
				end := i + 1
				for end < len(line) && line[end] != c.comma {
					end++
				}
				if end < len(line) {
					return line[end+1:], true, nil
				}
				return nil, false, nil
			}
		}
		if len(c.buf) > maxRecord {
			c.bad = errRecord
			return nil, false, nil
		}
		next, ok, err := c.lines.next()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			c.bad = errQuote
			return nil, false, nil
		}
		if c.lines.long {
			c.bad = errLine
			return nil, false, nil
		}
		c.buf = append(c.buf, '\n')
		line = next
	}
}

// split gives the fields, which share one text.
func (c *records) split() []string {
	text := string(c.buf)
	fields := make([]string, len(c.ends))
	start := 0
	for i, end := range c.ends {
		fields[i] = text[start:end]
		start = end
	}
	return fields
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}
