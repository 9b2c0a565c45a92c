package parse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Order tells by its mark, or by the zeros of a text in Latin letters, that a
// text is UTF-16, and in which order its bytes stand; nil: it is not.
func utf16Order(head []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return binary.BigEndian
	case len(head) < 8:
		return nil
	}
	low, high := true, true
	for i := 0; i < 8; i += 2 {
		low = low && head[i] != 0 && head[i+1] == 0
		high = high && head[i] == 0 && head[i+1] != 0
	}
	switch {
	case low:
		return binary.LittleEndian
	case high:
		return binary.BigEndian
	}
	return nil
}

// utf16Text reads UTF-16 as UTF-8.
type utf16Text struct {
	in    *bufio.Reader
	order binary.ByteOrder
	out   []byte // decoded and not read yet
}

func (u *utf16Text) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		r, err := u.unit()
		if err != nil {
			return 0, err
		}
		if utf16.IsSurrogate(r) {
			next, err := u.in.Peek(2)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			pair := utf8.RuneError
			if len(next) == 2 {
				pair = utf16.DecodeRune(r, rune(u.order.Uint16(next)))
			}
			if r = pair; r != utf8.RuneError {
				if _, err := u.in.Discard(2); err != nil {
					return 0, err
				}
			}
		}
		u.out = utf8.AppendRune(u.out[:0], r)
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// unit reads two bytes; a single one at the end is no text.
func (u *utf16Text) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, err
	}
	return rune(u.order.Uint16(b[:])), nil
}
