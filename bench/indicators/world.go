package indicators

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Kinds of generated indicators, in turn.
const kinds = 8

// until is when generated indicators end; a changed one ends later.
const until = schema.Millis(1_800_000_000_000)

// feeds are who lists the indicators, in turn.
var feeds = [...]string{"feed-tracker", "feed-botnet-c2", "feed-phishing", "feed-malware-urls", "feed-sinkhole", "feed-research", "feed-partner"}

// mix is a permutation of 64 bits: every number is the mix of exactly one other.
func mix(v uint64) uint64 {
	v ^= v >> 31
	v *= 0x7FB5D329728EA185
	v ^= v >> 27
	v *= 0x81DADEF4BC2DD44D
	return v ^ v>>33
}

// unmix undoes mix.
func unmix(v uint64) uint64 {
	v ^= v >> 33
	v *= inverse(0x81DADEF4BC2DD44D)
	v ^= v>>27 ^ v>>54
	v *= inverse(0x7FB5D329728EA185)
	return v ^ v>>31 ^ v>>62
}

// inverse gives the number that times an odd v is 1 in 64 bits.
func inverse(v uint64) uint64 {
	x := v
	for range 6 {
		x *= 2 - v*x
	}
	return x
}

// mix32 is a permutation of 32 bits, for addresses.
func mix32(v uint32) uint32 {
	v ^= v >> 16
	v *= 0x7FEB352D
	v ^= v >> 15
	v *= 0x846CA68B
	return v ^ v>>16
}

func unmix32(v uint32) uint32 {
	v ^= v >> 16
	v *= uint32(inverse(0x846CA68B))
	v ^= v>>15 ^ v>>30
	v *= uint32(inverse(0x7FEB352D))
	return v ^ v>>16
}

// appendValue appends the value of number i, which is of kind i%kinds, and gives its
// type. Values of different numbers differ.
func appendValue(dst []byte, i uint64) ([]byte, schema.ObservableType) {
	v := mix(i)
	switch i % kinds {
	case 0, 1:
		return append(appendHex(append(dst, 'd'), v), ".example"...), schema.ObservableDomain
	case 2:
		return append(appendHex(append(dst, "w."...), v), ".co.uk"...), schema.ObservableDomain
	case 3:
		a := mix32(uint32(i / kinds)) // 2^35 numbers have addresses of their own
		return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}).AppendTo(dst), schema.ObservableIP
	case 4:
		dst = appendHex(dst, v)
		dst = appendHex(dst, v*3)
		dst = appendHex(dst, v*5)
		return appendHex(dst, v*7), schema.ObservableHash
	case 5:
		return append(appendHex(append(dst, "http://files.example.org/load/"...), v), ".exe"...), schema.ObservableURL
	case 6:
		return appendHex(appendHex(dst, v), v*3), schema.ObservableHash
	default:
		return append(appendHex(append(dst, 'm'), v), "@mail.example"...), schema.ObservableEmail
	}
}

func appendHex(dst []byte, v uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	return hex.AppendEncode(dst, b[:])
}

// number reads a value backwards; false where no number has it.
func number(o schema.Observable) (uint64, bool) {
	text, kind := o.Value, uint64(kinds)
	switch o.Type {
	case schema.ObservableDomain:
		if t, ok := strings.CutSuffix(text, ".example"); ok && strings.HasPrefix(t, "d") {
			text, kind = t[1:], 0
		} else if t, ok := strings.CutSuffix(text, ".co.uk"); ok && strings.HasPrefix(t, "w.") {
			text, kind = t[2:], 2
		}
	case schema.ObservableIP:
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			return 0, false
		}
		b := a.As4()
		return uint64(unmix32(binary.BigEndian.Uint32(b[:])))*kinds + 3, true
	case schema.ObservableHash:
		if len(text) >= 16 {
			kind = 4
			if len(text) == 32 {
				kind = 6
			}
			text = text[:16]
		}
	case schema.ObservableURL:
		if t, ok := strings.CutPrefix(text, "http://files.example.org/load/"); ok {
			text, kind = strings.TrimSuffix(t, ".exe"), 5
		}
	case schema.ObservableEmail:
		if t, ok := strings.CutSuffix(text, "@mail.example"); ok && strings.HasPrefix(t, "m") {
			text, kind = t[1:], 7
		}
	}
	v, err := strconv.ParseUint(text, 16, 64)
	if kind == kinds || err != nil {
		return 0, false
	}
	i := unmix(v)
	var buf [96]byte
	again, t := appendValue(buf[:0], i)
	return i, t == o.Type && string(again) == o.Value
}

// Indicator gives indicator number i; revision tells its versions apart.
func Indicator(i uint64, revision int) schema.Indicator {
	var value [96]byte
	v, t := appendValue(value[:0], i)
	var hexed [32]byte
	appendHex(appendHex(hexed[:0], mix(i+1)), i)
	var id [len("indicator--") + 36]byte
	copy(id[:], "indicator--")
	at := 10
	for _, part := range [...][2]int{{0, 8}, {8, 12}, {12, 16}, {16, 20}, {20, 32}} {
		id[at] = '-'
		at += 1 + copy(id[at+1:], hexed[part[0]:part[1]])
	}
	return schema.Indicator{ID: string(id[:]), Feed: feeds[i%uint64(len(feeds))], Type: t, Value: string(v), Verdict: schema.VerdictMalicious,
		Severity: schema.Severity(1 + i%5), Confidence: uint8(i % 101), TLP: schema.TLP(i % 3),
		ValidFrom: until - schema.Millis(i%1000)*schema.Hour, ValidUntil: until + schema.Millis(revision)}
}

// Truth says whether the library of the first n numbers names an observable of a
// generated form, and by which number. It knows nothing of the index.
func Truth(n uint64, o schema.Observable) (uint64, bool) {
	if i, ok := number(o); ok && i < n {
		return i, true
	}
	if o.Type == schema.ObservableDomain {
		if _, parent, ok := strings.Cut(o.Value, "."); ok && strings.Contains(parent, ".") {
			return Truth(n, schema.Observable{Type: o.Type, Value: parent})
		}
	}
	return 0, false
}

// Question makes a question of a number: a listed value, an absent one, one below a
// listed domain, one that differs from a listed value in a character, a listed value
// as another type, or the parent of a listed domain.
func Question(dst []byte, n, seed uint64) ([]byte, schema.ObservableType) {
	v := mix(seed)
	i := v >> 8 % n
	switch v % 8 {
	case 0, 1:
		return appendValue(dst, i)
	case 2:
		i = i/kinds*kinds + i%3
		return appendValue(append(dst, "www."...), i)
	case 3:
		dst, t := appendValue(dst, i)
		at := int(v >> 40 % uint64(len(dst)))
		dst[at] = "0123456789abcdef"[v>>20%16]
		if t == schema.ObservableIP {
			if a, err := netip.ParseAddr(string(dst)); err != nil || a.String() != string(dst) {
				return append(dst[:0], "192.0.2.1"...), t
			}
		}
		return dst, t
	case 4:
		dst, t := appendValue(dst, i)
		return dst, 1 + (t+schema.ObservableType(v>>16%5))%6
	default:
		return appendValue(dst, n+v>>8)
	}
}
