package match

import (
	"encoding/binary"
	"unsafe"

	"github.com/interdict/interdict/schema"
)

// decoder reads what stands behind the id of a record. Texts are copied into one
// piece of memory of their own, so that an indicator is few allocations and keeps
// nothing of the record.
type decoder struct {
	rest []byte
	text []byte // never written where it was written once: strings point into it
	bad  bool
}

func (d *decoder) number() uint64 {
	v, k := binary.Uvarint(d.rest)
	if k <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[k:]
	return v
}

func (d *decoder) keep(b []byte) string {
	at := len(d.text)
	d.text = append(d.text, b...)
	return d.since(at)
}

func (d *decoder) since(at int) string {
	return unsafe.String(unsafe.SliceData(d.text[at:]), len(d.text)-at)
}

func (d *decoder) string() string {
	b, rest, ok := cut(d.rest)
	if !ok {
		d.bad, d.rest = true, nil
		return ""
	}
	d.rest = rest
	return d.keep(b)
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// count reads the length of a list whose elements take at least size bytes: no
// number makes more room than the record itself would fill.
func (d *decoder) count(size int) int {
	n := d.number()
	if n > uint64(len(d.rest)/size) {
		d.bad, d.rest = true, nil
		return 0
	}
	return int(n)
}

// decode makes the indicator of a record. It keeps nothing of the record's memory.
// False means that the bytes are not what appendRecord writes.
func (r record) decode() (i schema.Indicator, ok bool) {
	has := r.small[5]
	size := len(r.value) + len(r.feed) + len(r.id) + len(r.rest)
	if r.uuid {
		size += len(stixPrefix) + 36 - len(r.id)
	}
	// Beyond its capacity text would move, and strings made before would stay whole
	// where they are; it has room for all, so that it never does.
	d := decoder{rest: r.rest, text: make([]byte, 0, size)}
	i.Type, i.Verdict, i.Severity, i.Confidence, i.TLP = r.typ(), schema.Verdict(r.small[1]), schema.Severity(r.small[2]), r.small[3], schema.TLP(r.small[4])
	i.Exact, i.Listed, i.Wish, i.Rank = has&flagExact != 0, has&flagListed != 0, schema.Wish(has>>wishShift), r.small[6]
	i.Value, i.Feed = d.keep(r.value), d.keep(r.feed)
	if at := len(d.text); r.uuid {
		d.text = appendUUID(append(d.text, stixPrefix...), r.id)
		i.ID = d.since(at)
	} else {
		i.ID = d.keep(r.id)
	}
	i.ValidFrom, i.ValidUntil = schema.Millis(d.number()), schema.Millis(d.number())
	if n := d.count(1); n > 0 {
		i.Labels = make([]string, n)
		for k := range i.Labels {
			i.Labels[k] = d.string()
		}
	}
	if has&flagFresh != 0 {
		i.Fresh = schema.Millis(d.number())
		d.bad = d.bad || i.Fresh == 0
	}
	if has&flagTenant != 0 {
		i.Tenant = d.string()
		d.bad = d.bad || i.Tenant == ""
	}
	if has&flagThreats != 0 {
		i.Threats = make([]schema.Threat, d.count(3))
		d.bad = d.bad || len(i.Threats) == 0
		for k := range i.Threats {
			i.Threats[k] = schema.Threat{Kind: schema.ThreatKind(d.byte()), ID: d.string(), Name: d.string()}
		}
	}
	return i, !d.bad && len(d.rest) == 0 && i.Wish <= schema.WishBlock
}
