package extract

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// textState says what endOfString found; from textCut on it is an error.
type textState uint8

const (
	textPlain textState = iota
	textEscaped
	textCut
	textControl
	textEscape
	textSurrogate
	textUTF8
)

func (s textState) fault(at int) Fault {
	f := Fault{Reason: schema.ReasonInvalidJSON, At: at}
	switch s {
	case textCut:
		f.What = "string does not end"
	case textControl:
		f.What = "control character in string"
	case textEscape:
		f.What = "bad escape"
	case textSurrogate:
		f.Reason, f.What = schema.ReasonInvalidUTF8, "lone surrogate"
	case textUTF8:
		f.Reason, f.What = schema.ReasonInvalidUTF8, "string is not UTF-8"
	}
	return f
}

// endOfString finds the quote that closes a string whose text begins at pos, or
// the place of an error. Escapes and UTF-8 are checked.
func endOfString(data []byte, pos int) (end int, state textState) {
	start, ascii := pos, true
	for {
		for pos+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[pos:])
			// A byte's high bit is set below where the byte is a control character, a
			// quote, a backslash or not ASCII. Borrows make false hits only above a true one.
			m := ((w - 0x20*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones) | w) & highs
			if m != 0 {
				pos += bits.TrailingZeros64(m) >> 3
				break
			}
			pos += 8
		}
		if pos >= len(data) {
			return pos, textCut
		}
		switch c := data[pos]; {
		case c == '"':
			if !ascii && !utf8.Valid(data[start:pos]) {
				return start, textUTF8
			}
			return pos, state
		case c == '\\':
			n, bad := escapeLen(data, pos)
			if bad != 0 {
				return pos, bad
			}
			state = textEscaped
			pos += n
		case c < 0x20:
			return pos, textControl
		case c >= utf8.RuneSelf:
			ascii = false
			for pos++; pos < len(data) && data[pos] >= utf8.RuneSelf; pos++ {
			}
		default: // plain, in the last 7 bytes
			pos++
		}
	}
}

// escapeLen checks the escape at pos, a surrogate pair as one.
func escapeLen(data []byte, pos int) (n int, bad textState) {
	if pos+1 >= len(data) {
		return 0, textCut
	}
	switch data[pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, 0
	case 'u':
	default:
		return 0, textEscape
	}
	r := hex4(data, pos+2)
	if r < 0 {
		return 0, textEscape
	}
	if !utf16.IsSurrogate(r) {
		return 6, 0
	}
	if pos+7 < len(data) && data[pos+6] == '\\' && data[pos+7] == 'u' &&
		utf16.DecodeRune(r, hex4(data, pos+8)) != utf8.RuneError {
		return 12, 0
	}
	return 0, textSurrogate
}

func hex4(data []byte, pos int) (r rune) {
	if pos+4 > len(data) {
		return -1
	}
	for _, c := range data[pos : pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape appends the meaning of checked string text to a.
func unescape(a *arena.Arena, text []byte) string {
	mark := len(a.Buf)
	for i := 0; i < len(text); {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			a.Buf = append(a.Buf, text[i:]...)
			break
		}
		a.Buf = append(a.Buf, text[i:i+n]...)
		i += n + 2
		c := text[i-1]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(text, i)
			i += 4
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(text, i+2))
				i += 6
			}
			a.Buf = utf8.AppendRune(a.Buf, r)
			continue
		}
		a.Buf = append(a.Buf, c)
	}
	return a.From(mark)
}

// endOfNumber finds the end of a number in JSON's grammar.
func endOfNumber(data []byte, pos int) (end int, ok bool) {
	digits := func() bool {
		from := pos
		for pos < len(data) && data[pos]-'0' <= 9 {
			pos++
		}
		return pos > from
	}
	if data[pos] == '-' {
		pos++
	}
	if pos < len(data) && data[pos] == '0' {
		pos++
	} else if !digits() {
		return pos, false
	}
	if pos < len(data) && data[pos] == '.' {
		pos++
		if !digits() {
			return pos, false
		}
	}
	if pos < len(data) && data[pos]|0x20 == 'e' {
		pos++
		if pos < len(data) && (data[pos] == '+' || data[pos] == '-') {
			pos++
		}
		if !digits() {
			return pos, false
		}
	}
	return pos, true
}
