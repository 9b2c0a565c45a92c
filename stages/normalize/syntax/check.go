package syntax

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// check turns down what is not UTF-8, and control characters but the tab: no
// device sends them, and they would hide things from who reads the alert later.
// Line ends are let through in XML alone.
func (r *Reader) check(from, to int, lineEnds bool) bool {
	t := r.text[from:to]
	ascii := true
	for i := 0; i < len(t); {
		if i+8 <= len(t) {
			w := binary.LittleEndian.Uint64(t[i:])
			// A byte's high bit is set where it is below a blank, is DEL or is not
			// ASCII. Borrows make false hits only above a true one.
			m := ((w - 0x20*ones) | ((w ^ 0x7f*ones) - ones) | w) & highs
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
		}
		switch c := t[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '\t', lineEnds && (c == '\n' || c == '\r'):
		case c < ' ', c == 0x7f:
			r.fail(schema.ReasonBadField, "control character", from+i)
			return false
		}
		i++
	}
	if !ascii && !utf8.Valid(t) {
		r.fail(schema.ReasonInvalidUTF8, "message is not UTF-8", from+invalidAt(t))
		return false
	}
	return true
}

// invalidAt finds where text is not UTF-8; its length where it is.
func invalidAt(t []byte) int {
	if utf8.Valid(t) {
		return len(t)
	}
	for i := 0; i < len(t); {
		c, n := utf8.DecodeRune(t[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(t)
}

// trimEnd leaves out what some senders put behind a message.
func trimEnd(t []byte) []byte {
	n := len(t)
	for n > 0 && (t[n-1] == '\n' || t[n-1] == '\r' || t[n-1] == ' ' || t[n-1] == '\t' || t[n-1] == 0) {
		n--
	}
	return t[:n]
}

// skipStart is where the text begins, behind a byte order mark and blanks.
func skipStart(t []byte) int {
	i := skipMark(t, 0)
	for i < len(t) && (t[i] == ' ' || t[i] == '\t' || t[i] == '\n' || t[i] == '\r') {
		i++
	}
	return i
}

// skipMark skips a byte order mark.
func skipMark(t []byte, pos int) int {
	if len(t)-pos >= 3 && t[pos] == 0xef && t[pos+1] == 0xbb && t[pos+2] == 0xbf {
		return pos + 3
	}
	return pos
}

func skipBlank(t []byte, pos int) int {
	for pos < len(t) && (t[pos] == ' ' || t[pos] == '\t') {
		pos++
	}
	return pos
}

// endOfWord is where the word at pos ends: at a blank, or the text's end.
func endOfWord(t []byte, pos int) int {
	for pos < len(t) && t[pos] != ' ' && t[pos] != '\t' {
		pos++
	}
	return pos
}

func skipDigits(t []byte, pos int) int {
	for pos < len(t) && t[pos]-'0' <= 9 {
		pos++
	}
	return pos
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return c-'0' <= 9 || isLetter(c) }

// hasAt reports whether s stands at pos.
func hasAt(t []byte, pos int, s string) bool {
	return pos <= len(t) && len(t)-pos >= len(s) && string(t[pos:pos+len(s)]) == s
}
