package correlate

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/interdict/interdict/schema"
)

// detail is what an observation keeps for heads, rows and paths. Strings alias
// the blob.
type detail struct {
	title      string
	vendorID   string
	source     string
	severity   schema.Severity
	malicious  bool // matched an indicator with that verdict
	start, end schema.Millis
	techniques []schema.Technique
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

func appendDetail(b []byte, a *schema.Alert) []byte {
	flags := byte(0)
	if slices.ContainsFunc(a.Matches, func(m schema.Match) bool { return m.Verdict == schema.VerdictMalicious }) {
		flags = 1
	}
	b = append(b, byte(a.Severity), flags)
	b = binary.AppendVarint(b, int64(a.Start))
	b = binary.AppendVarint(b, int64(a.End))
	b = appendText(b, cut(a.Title, maxTitle))
	b = appendText(b, a.VendorID)
	b = appendText(b, a.Source)
	for _, t := range a.Techniques[:min(len(a.Techniques), maxTechniques)] {
		b = appendText(b, cut(t.ID, maxTitle))
		b = appendText(b, cut(t.Tactic, maxTitle))
	}
	return b
}

// decode reads what appendDetail wrote. It reports false on anything else.
func (d *detail) decode(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	d.severity, d.malicious = schema.Severity(b[0]), b[1]&1 != 0
	b = b[2:]
	ok := true
	number := func() schema.Millis {
		v, n := binary.Varint(b)
		if n <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return schema.Millis(v)
	}
	text := func() string {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > uint64(len(b)-n) {
			ok, b = false, nil
			return ""
		}
		s := alias(b[n : n+int(v)])
		b = b[n+int(v):]
		return s
	}
	d.start, d.end = number(), number()
	d.title, d.vendorID, d.source = text(), text(), text()
	d.techniques = d.techniques[:0]
	for ok && len(b) > 0 {
		id := text()
		d.techniques = append(d.techniques, schema.Technique{ID: id, Tactic: text()})
	}
	return ok && len(d.techniques) <= maxTechniques
}
