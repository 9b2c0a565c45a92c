package correlate

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// detail is what an observation keeps for heads, rows and paths. Strings alias
// the blob.
type detail struct {
	title      string
	vendorID   string
	source     string
	verdict    verdict
	start, end schema.Millis
	techniques string // see technique
}

const (
	maxTitle      = 256 // bytes of a title that are kept
	maxTechniques = 32  // techniques of one observation that are kept
)

func millis(t int64) schema.Millis { return schema.Millis(t) }

// alias makes a string of bytes that are never overwritten.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// cut shortens s to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// cutText takes what appendText wrote from the front of b.
func cutText(b string) (text, rest string, ok bool) {
	n, k := uint64(0), 0
	if len(b) > 0 && b[0] < 0x80 {
		n, k = uint64(b[0]), 1
	} else if n, k = binary.Uvarint(unsafe.Slice(unsafe.StringData(b), len(b))); k <= 0 {
		return "", "", false
	}
	if n > uint64(len(b)-k) {
		return "", "", false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// detailFixed is the size of a detail's numbers, which its texts follow.
const detailFixed = 17

func appendDetail(b []byte, a *schema.Alert) []byte {
	var v verdict
	for i := range a.Matches {
		v = v.with(&a.Matches[i])
	}
	b = append(b, byte(v))
	b = binary.LittleEndian.AppendUint64(b, uint64(a.Start))
	b = binary.LittleEndian.AppendUint64(b, uint64(a.End))
	b = appendText(b, a.Source)
	b = appendText(b, cut(a.Title, maxTitle))
	b = appendText(b, a.VendorID)
	for _, t := range a.Techniques[:min(len(a.Techniques), maxTechniques)] {
		b = appendText(b, cut(t.ID, maxTitle))
		b = appendText(b, cut(t.Tactic, maxTitle))
	}
	return b
}

// decode reads what appendDetail wrote, and reports false on what is too short.
func (d *detail) decode(b []byte) (ok bool) {
	if len(b) < detailFixed {
		return false
	}
	d.verdict = verdict(b[0])
	d.start, d.end = schema.Millis(binary.LittleEndian.Uint64(b[1:])), schema.Millis(binary.LittleEndian.Uint64(b[9:]))
	rest := alias(b[detailFixed:])
	if d.source, rest, ok = cutText(rest); !ok {
		return false
	}
	if d.title, rest, ok = cutText(rest); !ok {
		return false
	}
	d.vendorID, d.techniques, ok = cutText(rest)
	return ok
}

// describe fills what an observation repeats of its detail. Equal hashes are taken
// for equal lists: what a collision could hide is a source or technique of a head.
func (o *obsRec) describe(d *detail) {
	o.from, o.to, o.verdict = o.t, o.t, d.verdict
	if d.start != 0 {
		o.from = int64(d.start)
	}
	if d.end != 0 {
		o.to = int64(d.end)
	}
	o.flavor = xxh3.HashString(d.source) ^ xxh3.HashStringSeed(d.techniques, 1)
}

// technique reads the first of an observation's techniques, of which there is at
// least one, and gives the others.
func technique(list string) (t schema.Technique, rest string, ok bool) {
	if t.ID, rest, ok = cutText(list); !ok {
		return t, "", false
	}
	t.Tactic, rest, ok = cutText(rest)
	return t, rest, ok
}

// valid reports whether b is a whole detail.
func (d *detail) valid(b []byte) bool {
	ok := d.decode(b) && d.verdict.valid()
	n := 0
	for rest := d.techniques; ok && rest != ""; n++ {
		_, rest, ok = technique(rest)
	}
	return ok && n <= maxTechniques
}
