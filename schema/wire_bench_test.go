package schema_test

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestHotPathDoesNotAllocate: encoding an alert into a used buffer and decoding
// one into a used alert.
func TestHotPathDoesNotAllocate(t *testing.T) {
	a := sampleAlert()
	a.Matches[0].Threats = nil // a list in a list is made anew; matches are few
	wire := schema.AppendAlertEntry(nil, a)
	buf := make([]byte, 0, 2*len(wire))
	unknown := append(unknownFields()[3], a.AppendWire(nil)...)
	var into schema.Alert
	for _, tt := range []struct {
		name string
		run  func()
	}{
		{"AppendWire", func() { buf = a.AppendWire(buf[:0]) }},
		{"AppendAlertEntry", func() { buf = schema.AppendAlertEntry(buf[:0], a) }},
		{"DecodeEntry and DecodeWire", func() {
			_, body, err := schema.DecodeEntry(wire)
			if err == nil {
				err = into.DecodeWire(body)
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"DecodeWire with unknown fields", func() {
			if err := into.DecodeWire(unknown); err != nil {
				t.Fatal(err)
			}
		}},
		{"NewAlertID", func() { a.ID = schema.NewAlertID(a.Tenant, a.Source, a.VendorID) }},
	} {
		if n := testing.AllocsPerRun(100, tt.run); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

func BenchmarkAlertAppendEntry(b *testing.B) {
	a := sampleAlert()
	buf := schema.AppendAlertEntry(nil, a)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = schema.AppendAlertEntry(buf[:0], a)
	}
}

func BenchmarkAlertDecodeEntry(b *testing.B) {
	wire := schema.AppendAlertEntry(nil, sampleAlert())
	var a schema.Alert
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		_, body, err := schema.DecodeEntry(wire)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.DecodeWire(body); err != nil {
			b.Fatal(err)
		}
	}
}
