package parse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/internal/vector"
)

const (
	// maxDocument bounds what must be seen whole before it can be read: an event, a
	// warninglist.
	maxDocument = 64 << 20
	// maxObject bounds a STIX object and a row.
	maxObject = 4 << 20
	// maxDepth bounds nesting.
	maxDepth = 64
)

// Reasons for which a JSON value is read past.
var (
	errObject = errors.New("an object that is longer than allowed")
	errDepth  = fmt.Errorf("nested deeper than %d", maxDepth)
)

// jsonText reads a stream of JSON value by value: it finds where values begin and
// end and keeps no more of them than it is asked for. What is in a value the
// decoder checks.
type jsonText struct {
	in   *bufio.Reader
	off  int64 // bytes read
	line int   // of the next byte, from 1
	buf  []byte
}

// fail gives an error with its place.
func (j *jsonText) fail(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("JSON, line %d, byte %d: %w", j.line, j.off, err)
}

func (j *jsonText) failf(format string, args ...any) error {
	return j.fail(fmt.Errorf(format, args...))
}

// peek gives the next byte that is no blank.
func (j *jsonText) peek() (byte, error) {
	for {
		b, err := j.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			j.line++
		case ' ', '\t', '\r':
		default:
			return b, j.in.UnreadByte()
		}
		j.off++
	}
}

// skip reads the next byte that is no blank, which must be c.
func (j *jsonText) skip(c byte) error {
	b, err := j.peek()
	if err != nil {
		return j.fail(err)
	}
	if b != c {
		return j.failf("%q where %q belongs", b, c)
	}
	j.off++
	_, err = j.in.ReadByte()
	return err
}

// value reads the next value. Its text is valid until the next call. One that is
// longer than limit or nested too deep is read past, and refused says why.
func (j *jsonText) value(limit int) (raw []byte, refused error, err error) {
	if cap(j.buf) > maxObject {
		j.buf = nil // one large object is not kept for ever
	}
	j.buf = j.buf[:0]
	first, err := j.peek()
	if err != nil {
		return nil, nil, j.fail(err)
	}
	switch {
	case first == '{', first == '[', first == '"', first == '-', first == 't', first == 'f', first == 'n', first >= '0' && first <= '9':
	default:
		return nil, nil, j.failf("%q where a value belongs", first)
	}
	depth, text, escaped := 0, false, false
	for {
		chunk, err := j.chunk()
		if err != nil {
			// A number or word may end with the text.
			if errors.Is(err, io.EOF) && depth == 0 && !text && len(j.buf) > 0 {
				return j.buf, refused, nil
			}
			return nil, nil, j.fail(err)
		}
		n, end := 0, false
		for n < len(chunk) && !end {
			c := chunk[n]
			n++
			switch {
			case c == '\n':
				j.line++
				escaped = false
				end = depth == 0 && !text
			case escaped:
				escaped = false
			case text:
				if c == '\\' {
					escaped = true
				} else if c == '"' {
					text = false
					end = depth == 0
				}
			case c == '"':
				text = true
			case c == '{' || c == '[':
				if depth++; depth > maxDepth {
					refused = errDepth
				}
			case c == '}' || c == ']':
				if depth--; depth < 0 { // the bracket around a number or word
					n--
					end = true
				} else {
					end = depth == 0
				}
			case depth == 0 && (c == ',' || c == ':'):
				n--
				end = true
			case depth == 0 && (c == ' ' || c == '\t' || c == '\r'):
				end = true
			}
		}
		if refused == nil && len(j.buf)+n > limit {
			refused = errObject
		}
		if refused == nil || len(j.buf) < maxShown {
			j.buf = append(j.buf, chunk[:min(n, limit)]...)
		}
		j.off += int64(n)
		if _, err := j.in.Discard(n); err != nil {
			return nil, nil, j.fail(err)
		}
		if end {
			return j.buf, refused, nil
		}
	}
}

// chunk gives the bytes that are in the buffer, after filling an empty one.
func (j *jsonText) chunk() ([]byte, error) {
	if j.in.Buffered() == 0 {
		if _, err := j.in.Peek(1); err != nil {
			return nil, err
		}
	}
	return j.in.Peek(j.in.Buffered())
}

// members reads an object member by member. The function must read the value.
func (j *jsonText) members(f func(name string) error) error {
	if err := j.skip('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		b, err := j.peek()
		switch {
		case err != nil:
			return j.fail(err)
		case b == '}' && first:
			return j.skip('}')
		case b != '"':
			return j.failf("%q where a name belongs", b)
		}
		raw, refused, err := j.value(maxShown * 8)
		if err != nil {
			return err
		}
		var name string
		if refused == nil { // a longer name is none that is known
			err := json.Unmarshal(raw, &name)
			vector.Clear()
			if err != nil {
				return j.fail(err)
			}
		}
		if err := j.skip(':'); err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
		more, err := j.more('}')
		if err != nil || !more {
			return err
		}
	}
}

// elements reads an array element by element. The function must read the value.
func (j *jsonText) elements(f func(n int) error) error {
	if err := j.skip('['); err != nil {
		return err
	}
	if b, err := j.peek(); err == nil && b == ']' {
		return j.skip(']')
	}
	for n := 1; ; n++ {
		if err := f(n); err != nil {
			return err
		}
		more, err := j.more(']')
		if err != nil || !more {
			return err
		}
	}
}

// more reads what stands between values: a comma, or the bracket that ends them.
func (j *jsonText) more(end byte) (bool, error) {
	b, err := j.peek()
	switch {
	case err != nil:
		return false, j.fail(err)
	case b == ',':
		return true, j.skip(',')
	default:
		return false, j.skip(end)
	}
}

// decode reads a value's text into v, which may keep parts of it as raw messages.
// syntax is set where the text is no JSON; other errors say that the value is of
// another form than v.
func decode(raw []byte, v any) (err error, syntax bool) {
	rest, err := json.Parse(raw, v, json.DontMatchCaseInsensitiveStructFields|json.DontCopyRawMessage)
	vector.Clear()
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		err = errors.New("text behind a value")
	}
	if err == nil {
		return nil, false
	}
	return err, !json.Valid(raw)
}

// loose is a text that some feeds write as a number or a truth value.
type loose string

// UnmarshalJSON takes any value; of arrays and objects nothing is kept.
func (l *loose) UnmarshalJSON(b []byte) error {
	*l = ""
	switch {
	case len(b) == 0 || b[0] == '[' || b[0] == '{' || string(b) == "null":
		return nil
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*l = loose(s)
		return err
	}
	*l = loose(b)
	return nil
}

// is reports a truth value, as 1 or as a word.
func (l loose) is() bool { return l == "true" || l == "1" || l == "True" }

// nested reads a text that is in memory already.
func nested(raw []byte) *jsonText {
	return &jsonText{in: bufio.NewReaderSize(bytes.NewReader(raw), 4<<10), line: 1}
}
