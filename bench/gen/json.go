package gen

import (
	"strconv"
	"time"
)

// enc appends one JSON document to b. It keeps the order in which fields are
// written, which a map-based encoder would not. All our text is ASCII.
type enc struct {
	b   []byte
	sep bool // a comma is due before the next value
}

// key starts a member; an empty key starts an array element.
func (e *enc) key(k string) {
	if e.sep {
		e.b = append(e.b, ',')
	}
	if k != "" {
		e.b = append(e.b, '"')
		e.b = append(e.b, k...)
		e.b = append(e.b, '"', ':')
	}
	e.sep = true
}

func (e *enc) obj(k string) { e.key(k); e.b = append(e.b, '{'); e.sep = false }
func (e *enc) arr(k string) { e.key(k); e.b = append(e.b, '['); e.sep = false }
func (e *enc) endObj()      { e.b = append(e.b, '}'); e.sep = true }
func (e *enc) endArr()      { e.b = append(e.b, ']'); e.sep = true }

func (e *enc) null(k string)            { e.key(k); e.b = append(e.b, "null"...) }
func (e *enc) boolean(k string, v bool) { e.key(k); e.b = strconv.AppendBool(e.b, v) }
func (e *enc) num(k string, v int64)    { e.key(k); e.b = strconv.AppendInt(e.b, v, 10) }
func (e *enc) unum(k string, v uint64)  { e.key(k); e.b = strconv.AppendUint(e.b, v, 10) }

// raw writes v as it is: a number with a fraction, or an empty container.
func (e *enc) raw(k, v string) { e.key(k); e.b = append(e.b, v...) }

func (e *enc) str(k, v string) { e.begin(k); e.text(v); e.finish() }

// begin and finish put the quotes around a string that the caller appends to b
// in between, either with text or, for characters that need no escape, directly.
func (e *enc) begin(k string) { e.key(k); e.b = append(e.b, '"') }
func (e *enc) finish()        { e.b = append(e.b, '"') }

// text appends v with JSON escapes.
func (e *enc) text(v string) {
	start := 0
	for i := range len(v) {
		c := v[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		e.b = append(e.b, v[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			e.b = append(e.b, '\\', c)
		case '\n':
			e.b = append(e.b, '\\', 'n')
		default:
			const hex = "0123456789abcdef"
			e.b = append(e.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	e.b = append(e.b, v[start:]...)
}

// instant writes a Unix time in nanoseconds in UTC.
func (e *enc) instant(k string, ns int64, layout string) {
	e.begin(k)
	e.b = time.Unix(0, ns).UTC().AppendFormat(e.b, layout)
	e.finish()
}

// hex, ip, uuid and domain write a quoted artifact.
func (e *enc) hex(k string, id uint64, digits int) {
	e.begin(k)
	e.b = appendHex(e.b, id, digits)
	e.finish()
}

func (e *enc) ip(k string, a addr)       { e.begin(k); e.b = appendIP(e.b, a); e.finish() }
func (e *enc) uuid(k string, id uint64)  { e.begin(k); e.b = appendUUID(e.b, id); e.finish() }
func (e *enc) domain(k string, d uint32) { e.begin(k); e.b = appendDomain(e.b, d); e.finish() }

// upper appends ASCII text in upper case, which needs no escape here.
func (e *enc) upper(v string) {
	for i := range len(v) {
		c := v[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		e.b = append(e.b, c)
	}
}
