package syntax

import (
	"errors"
	"unicode/utf8"
)

// What is wrong with a row, for errors.Is. Any other error is broken syntax.
var (
	ErrNotUTF8  = errors.New("row is not UTF-8")
	ErrTooLarge = errors.New("row is too large")
)

// Bounds of files of rows.
const (
	maxHeader = 64 << 10
	maxNames  = 2000
	maxRow    = 1 << 20
)

var (
	errHeader  = errors.New("header is too large")
	errNames   = errors.New("header has too many columns")
	errNoNames = errors.New("header has no columns")
	errCount   = errors.New("row has another number of columns than the header")
)

// appendText appends a JSON string.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// checkRow checks a row's bytes.
func checkRow(raw []byte) error {
	switch {
	case len(raw) > maxRow:
		return ErrTooLarge
	case !utf8.Valid(raw):
		return ErrNotUTF8
	}
	return nil
}
