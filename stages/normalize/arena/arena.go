// Package arena holds the strings that reading a document had to make:
// unescaped, put in lower case, joined. They live as long as the batch they were
// made for, and cost no allocation each.
package arena

import "unsafe"

// Text views bytes as a string without a copy: valid, and unchanged, only as
// long as b is.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Bytes views a string as bytes that must not be written to.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Arena holds the strings that had to be made: unescaped, put in lower case,
// joined. They are valid until Reset. Growing leaves the older ones where they
// are.
type Arena struct{ Buf []byte }

// maxArena is the capacity kept between batches, in bytes.
const maxArena = 4 << 20

func (a *Arena) Reset() {
	if cap(a.Buf) > maxArena {
		a.Buf = nil
	}
	a.Buf = a.Buf[:0]
}

// From gives the string made of everything appended since mark.
func (a *Arena) From(mark int) string { return Text(a.Buf[mark:]) }

// Join makes one string of its parts.
func (a *Arena) Join(parts ...string) string {
	mark := len(a.Buf)
	for _, p := range parts {
		a.Buf = append(a.Buf, p...)
	}
	return a.From(mark)
}
