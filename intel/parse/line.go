package parse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one line of a list or of a CSV.
const maxLine = buffer

// errLine refuses a line that is longer.
var errLine = fmt.Errorf("a line longer than %d bytes", maxLine)

// lines gives a text's lines one by one. One that does not fit into the buffer is
// read past, not kept.
type lines struct {
	in   *bufio.Reader
	n    int // number of the line that next gave
	long bool
	end  bool
}

// next gives the next line without its end, valid until the next call; ok is false
// at the text's end. long is set for a line that is too long, and the line is only
// its beginning.
func (l *lines) next() (line []byte, ok bool, err error) {
	if l.end {
		return nil, false, nil
	}
	l.n++
	l.long = false
	line, err = l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = true
		line = append([]byte(nil), line[:maxShown]...)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.in.ReadSlice('\n')
		}
	}
	if errors.Is(err, io.EOF) {
		l.end = true
		if len(line) == 0 {
			return nil, false, nil
		}
		err = nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("line %d: %w", l.n, err)
	}
	if !l.long {
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
	}
	return line, true, nil
}
