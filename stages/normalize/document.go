package normalize

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

// doc is a scanned document of a known format, and the alert made of it. It is
// valid during one fill.
type doc struct {
	n     *Normalizer
	f     *format
	s     *scanner
	bytes []byte
	src   *schema.Source
	a     *schema.Alert
	fault fault // first field that could not be read

	hearsay bool // see reported
}

// at gives the first value of p in the document, or nil.
func (d *doc) at(p slot) *value {
	for _, s := range d.f.slots[p] {
		if i := d.s.first[s]; i != 0 {
			return &d.s.tape[i-1]
		}
	}
	return nil
}

func (v *value) str() string {
	if v == nil || v.kind == kindObject {
		return ""
	}
	return v.text
}

// str gives the text of a string, number or boolean, "" where there is none.
func (d *doc) str(p slot) string { return d.at(p).str() }

// firstOf gives the first text there is, in order of preference.
func (d *doc) firstOf(slots ...slot) string {
	for _, p := range slots {
		if s := d.str(p); s != "" {
			return s
		}
	}
	return ""
}

func (d *doc) has(p slot) bool { return d.at(p) != nil }

// int gives an integer exactly; ok is false where there is none.
func (d *doc) int(p slot) (int64, bool) { return toInt(d.str(p)) }

func toInt(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil { // 4.0 and 1e3 are integers too
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
			return 0, false
		}
		return int64(f), true
	}
	return n, true
}

// time gives a point in time, zero where there is none or it is not readable.
func (d *doc) time(slots ...slot) schema.Millis {
	for _, p := range slots {
		if t, ok := parseTime(d.str(p)); ok && t != 0 {
			return t
		}
	}
	return 0
}

// created is time for the alert's event time: one that is there and cannot be
// read rejects the document, for it orders everything that follows.
func (d *doc) created(slots ...slot) schema.Millis {
	for _, p := range slots {
		s := d.str(p)
		if s == "" {
			continue
		}
		t, ok := parseTime(s)
		if !ok {
			d.bad("time is not readable: " + d.f.paths[p])
			return 0
		}
		if t != 0 {
			return t
		}
	}
	return 0
}

func (d *doc) bad(what string) {
	if d.fault.reason == 0 {
		d.fault = fault{reason: schema.ReasonBadField, what: what}
	}
}

// each gives the values of p in the document, in order.
func (d *doc) each(p slot) cursor { return d.within(p, 0, len(d.s.tape)) }

// within gives the values of p between two places of the tape.
func (d *doc) within(p slot, from, to int) cursor {
	start := to
	for _, w := range d.f.slots[p] {
		if i := int(d.s.first[w]); i != 0 && i-1 < start {
			start = i - 1
		}
	}
	return cursor{d: d, want: d.f.slots[p], pos: max(start, from), end: to, at: -1}
}

// cursor walks the values of one slot: for it := d.each(p); it.next(); {...}.
type cursor struct {
	d        *doc
	want     []uint16
	pos, end int
	at       int // index of the current value
}

func (c *cursor) next() bool {
	for ; c.pos < c.end; c.pos++ {
		s := c.d.s.tape[c.pos].slot
		for _, w := range c.want {
			if s == w {
				c.at = c.pos
				c.pos++
				if v := &c.d.s.tape[c.at]; v.kind == kindObject {
					c.pos = int(v.next) // what is in it is at other paths
				}
				return true
			}
		}
	}
	return false
}

// text gives the current scalar.
func (c *cursor) text() string { return c.d.s.tape[c.at].str() }

// whole is a cursor on the document as its own only element.
func (d *doc) whole() cursor { return cursor{d: d, at: -1} }

// bounds gives the range of the current object's values.
func (c *cursor) bounds() (from, to int) {
	if c.at < 0 {
		return 0, len(c.d.s.tape)
	}
	if v := &c.d.s.tape[c.at]; v.kind == kindObject {
		return c.at + 1, int(v.next)
	}
	return 0, 0 // a scalar where an object was expected
}

// str gives the first text of p within the current object.
func (c *cursor) str(p slot) string {
	from, to := c.bounds()
	values := c.d.s.tape[from:to]
	for _, want := range c.d.f.slots[p] {
		if c.d.s.first[want] == 0 {
			continue
		}
		for i := range values {
			if v := &values[i]; v.slot == want && v.kind != kindObject {
				return v.text
			}
		}
	}
	return ""
}

func (c *cursor) firstOf(slots ...slot) string {
	for _, p := range slots {
		if s := c.str(p); s != "" {
			return s
		}
	}
	return ""
}

// each gives the values of p within the current object.
func (c *cursor) each(p slot) cursor {
	from, to := c.bounds()
	return c.d.within(p, from, to)
}
