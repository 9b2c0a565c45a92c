package match

import (
	"reflect"
	"testing"

	"github.com/interdict/interdict/schema"
)

func TestRecord(t *testing.T) {
	for _, id := range []string{"", "x", "indicator--01234567-89ab-cdef-0123-456789abcdef", "indicator--01234567-89AB-cdef-0123-456789abcdef",
		"indicator--01234567-89ab-cdef-0123-456789abcde", "indicator--01234567+89ab-cdef-0123-456789abcdef"} {
		want := schema.Indicator{ID: id, Feed: "feed", Type: schema.ObservableURL, Value: "http://a.example/\x00", Verdict: schema.VerdictMalicious,
			Severity: schema.SeverityHigh, Confidence: 100, TLP: schema.TLPRed, ValidFrom: -5, ValidUntil: 1 << 60, Labels: []string{"", "c2"}}
		b := appendRecord([]byte("before"), &want)[len("before"):]
		r, ok := parse(append(b, "behind"...))
		if !ok || len(r.whole) != len(b) || r.uuid != (id == "indicator--01234567-89ab-cdef-0123-456789abcdef") {
			t.Fatalf("id %q: %+v %v", id, r, ok)
		}
		if got, ok := r.decode(); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		for n := range b {
			if _, ok := parse(b[:n]); ok {
				t.Errorf("a record cut to %d of %d bytes was read", n, len(b))
			}
		}
	}
}

// FuzzRecord holds that no bytes crash the reader of records, and that what it reads
// says of itself which value it is about.
func FuzzRecord(f *testing.F) {
	i := ind(schema.ObservableIP, "203.0.113.7")
	f.Add(appendRecord(nil, &i))
	f.Add([]byte{6, 1, 1, 1, 1, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parse(b)
		typ, value, headOK := head(b)
		if !ok {
			return
		}
		if !headOK || byte(typ) != r.small[0] || string(value) != string(r.value) {
			t.Fatalf("head and parse differ on %x", b)
		}
		if got, ok := r.decode(); ok && got.Value != string(r.value) {
			t.Fatalf("%x: decoded value %q", b, got.Value)
		}
	})
}
