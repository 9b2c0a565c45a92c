package match

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/interdict/interdict/schema"
)

// A record is one indicator as bytes: its length, seven small numbers, value, feed,
// id, times, labels, and what few indicators have where a flag says so: a last
// sighting, a tenant, threats. The bytes are a function of the indicator, so equal
// records are equal indicators, and a hash of the bytes is a hash of the content.

// smallSize is the number of bytes before the value: type, verdict, severity,
// confidence, marking, flags, rank.
const smallSize = 7

// Bits of the flags; the wish is in the bits from wishShift on.
const (
	flagExact = 1 << iota
	flagListed
	flagFresh
	flagTenant
	flagThreats
	wishShift = iota
)

// stixPrefix is how nearly every id begins; a UUID behind it is stored in 16 bytes.
const stixPrefix = "indicator--"

// Longest texts and lists of a record: what is longer is refused by Check.
const (
	maxValue   = 16 << 10
	maxName    = 1 << 10
	maxLabels  = 256
	maxThreats = 64
)

// flags gives what a record says of an indicator in single bits.
func flags(i *schema.Indicator) byte {
	f := byte(i.Wish) << wishShift
	for _, is := range [...]struct {
		flag byte
		set  bool
	}{{flagExact, i.Exact}, {flagListed, i.Listed}, {flagFresh, i.Fresh != 0}, {flagTenant, i.Tenant != ""}, {flagThreats, len(i.Threats) > 0}} {
		if is.set {
			f |= is.flag
		}
	}
	return f
}

// appendRecord appends the record of i.
func appendRecord(dst []byte, i *schema.Indicator) []byte {
	has := flags(i)
	dst = binary.AppendUvarint(dst, uint64(bodySize(i, has)))
	dst = append(dst, byte(i.Type), byte(i.Verdict), byte(i.Severity), i.Confidence, byte(i.TLP), has, i.Rank)
	dst = appendText(dst, i.Value)
	dst = appendText(dst, i.Feed)
	if u, ok := uuidOf(i.ID); ok {
		dst = append(dst, 0)
		dst = append(dst, u[:]...)
	} else {
		dst = binary.AppendUvarint(dst, uint64(len(i.ID))+1)
		dst = append(dst, i.ID...)
	}
	dst = binary.AppendUvarint(dst, uint64(i.ValidFrom))
	dst = binary.AppendUvarint(dst, uint64(i.ValidUntil))
	dst = binary.AppendUvarint(dst, uint64(len(i.Labels)))
	for _, l := range i.Labels {
		dst = appendText(dst, l)
	}
	if has&flagFresh != 0 {
		dst = binary.AppendUvarint(dst, uint64(i.Fresh))
	}
	if has&flagTenant != 0 {
		dst = appendText(dst, i.Tenant)
	}
	if has&flagThreats != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(i.Threats)))
		for k := range i.Threats {
			dst = appendText(append(dst, byte(i.Threats[k].Kind)), i.Threats[k].ID)
			dst = appendText(dst, i.Threats[k].Name)
		}
	}
	return dst
}

// bodySize is the length of a record without the length before it.
func bodySize(i *schema.Indicator, has byte) int {
	n := smallSize + sizeText(i.Value) + sizeText(i.Feed) + sizeID(i.ID) + sizeInt(uint64(i.ValidFrom)) + sizeInt(uint64(i.ValidUntil)) + sizeInt(uint64(len(i.Labels)))
	for _, l := range i.Labels {
		n += sizeText(l)
	}
	if has&flagFresh != 0 {
		n += sizeInt(uint64(i.Fresh))
	}
	if has&flagTenant != 0 {
		n += sizeText(i.Tenant)
	}
	if has&flagThreats != 0 {
		n += sizeInt(uint64(len(i.Threats)))
		for k := range i.Threats {
			n += 1 + sizeText(i.Threats[k].ID) + sizeText(i.Threats[k].Name)
		}
	}
	return n
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func sizeInt(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func sizeText(s string) int { return sizeInt(uint64(len(s))) + len(s) }

func sizeID(id string) int {
	if _, ok := uuidOf(id); ok {
		return 1 + 16
	}
	return sizeInt(uint64(len(id))+1) + len(id)
}

// uuidOf gives the UUID of an id in the usual form. An id of any other form, upper
// case included, is stored as text, so that it comes back as it was.
func uuidOf(id string) (u [16]byte, ok bool) {
	if len(id) != len(stixPrefix)+36 || id[:len(stixPrefix)] != stixPrefix {
		return u, false
	}
	s := id[len(stixPrefix):]
	n := 0
	for i := 0; i < len(s); {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return u, false
			}
			i++
			continue
		}
		a, b := nibble(s[i]), nibble(s[i+1])
		if a > 15 || b > 15 {
			return u, false
		}
		u[n] = a<<4 | b
		n++
		i += 2
	}
	return u, true
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

func appendUUID(dst []byte, u []byte) []byte {
	for i, part := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, u[part[0]:part[1]])
	}
	return dst
}

// record is a record taken apart. Its texts alias the record.
type record struct {
	whole       []byte // with the length before it
	small       []byte // the numbers before the value
	value, feed []byte
	id          []byte
	uuid        bool // id is the 16 bytes of one
	rest        []byte
}

// cut takes a text off the front of b; nil when there is none.
func cut(b []byte) (text, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// head reads only what says which value a record is about.
func head(b []byte) (t schema.ObservableType, value []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) || n < smallSize {
		return 0, nil, false
	}
	value, _, ok = cut(b[k+smallSize : k+int(n)])
	return schema.ObservableType(b[k]), value, ok
}

// parse takes the record at the start of b apart. Bytes that are no record give
// false, never a panic.
func parse(b []byte) (r record, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) || n < smallSize {
		return r, false
	}
	r.whole = b[:k+int(n)]
	r.small, b = r.whole[k:k+smallSize], r.whole[k+smallSize:]
	if r.value, b, ok = cut(b); !ok {
		return r, false
	}
	if r.feed, b, ok = cut(b); !ok {
		return r, false
	}
	size, k := binary.Uvarint(b)
	if k <= 0 {
		return r, false
	}
	b = b[k:]
	if r.uuid = size == 0; r.uuid {
		size = 17
	}
	if size-1 > uint64(len(b)) {
		return r, false
	}
	r.id, r.rest = b[:size-1], b[size-1:]
	return r, true
}

// same reports whether two records are of one indicator: type, value, feed and id.
func (r record) same(o record) bool {
	return r.small[0] == o.small[0] && string(r.value) == string(o.value) && string(r.feed) == string(o.feed) && r.uuid == o.uuid && string(r.id) == string(o.id)
}

// identity gives what same compares, as a key of maps.
func (r record) identity() string {
	b := append(make([]byte, 0, len(r.value)+len(r.feed)+len(r.id)+12), r.small[0])
	b = append(binary.AppendUvarint(b, uint64(len(r.value))), r.value...)
	b = append(binary.AppendUvarint(b, uint64(len(r.feed))), r.feed...)
	if r.uuid {
		b = append(b, 0)
	} else {
		b = append(b, 1)
	}
	return string(append(b, r.id...))
}

// typ is the type of the indicator's value.
func (r record) typ() schema.ObservableType { return schema.ObservableType(r.small[0]) }
