package schema_test

import (
	"bytes"
	"testing"

	"github.com/interdict/interdict/schema"
)

// fuzz holds for the decoder of every noun, whatever the bytes:
//
//  1. it does not panic and does not change its input;
//  2. what it accepts is encoded, decoded and encoded again to the same bytes;
//  3. a value that was in use before gives the same result as a fresh one.
//
// Memory is bounded by MaxElements and by aliasing, see TestDecodeErrors.
func fuzz(f *testing.F, name string) {
	var n noun
	for _, n = range nouns() {
		if n.name == name {
			break
		}
	}
	sample := n.sample.AppendWire(nil)
	f.Add([]byte(nil))
	f.Add(sample)
	f.Add(sample[:len(sample)/2])
	f.Add(append(bytes.Join(unknownFields(), nil), sample...))
	fields := splitFields(f, sample)
	for i := range fields {
		f.Add(bytes.Join(append(append([][]byte(nil), fields[i:]...), fields[:i]...), nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		input := bytes.Clone(b)
		m := n.empty()
		err := m.DecodeWire(b)
		if !bytes.Equal(b, input) {
			t.Fatal("decoding changed its input")
		}
		used := n.empty()
		if err := used.DecodeWire(sample); err != nil {
			t.Fatal(err)
		}
		if usedErr := used.DecodeWire(b); (usedErr == nil) != (err == nil) {
			t.Fatalf("fresh: %v, used: %v", err, usedErr)
		}
		if err != nil {
			return
		}
		first := m.AppendWire(nil)
		if !bytes.Equal(used.AppendWire(nil), first) {
			t.Fatal("a used value reads otherwise than a fresh one")
		}
		if second := decoded(t, n, first).AppendWire(nil); !bytes.Equal(second, first) {
			t.Fatalf("not stable: %x, then %x", first, second)
		}
	})
}

func FuzzDecodeAlert(f *testing.F)        { fuzz(f, "Alert") }
func FuzzDecodeWatermark(f *testing.F)    { fuzz(f, "Watermark") }
func FuzzDecodeControl(f *testing.F)      { fuzz(f, "Control") }
func FuzzDecodeIncident(f *testing.F)     { fuzz(f, "Incident") }
func FuzzDecodeMember(f *testing.F)       { fuzz(f, "Member") }
func FuzzDecodeLink(f *testing.F)         { fuzz(f, "Link") }
func FuzzDecodePath(f *testing.F)         { fuzz(f, "Path") }
func FuzzDecodeDecision(f *testing.F)     { fuzz(f, "Decision") }
func FuzzDecodeLease(f *testing.F)        { fuzz(f, "Lease") }
func FuzzDecodeAction(f *testing.F)       { fuzz(f, "Action") }
func FuzzDecodeActionResult(f *testing.F) { fuzz(f, "ActionResult") }
func FuzzDecodeLedgerEvent(f *testing.F)  { fuzz(f, "LedgerEvent") }
func FuzzDecodeAsset(f *testing.F)        { fuzz(f, "Asset") }
func FuzzDecodeIndicator(f *testing.F)    { fuzz(f, "Indicator") }
func FuzzDecodeRetroMatch(f *testing.F)   { fuzz(f, "RetroMatch") }
func FuzzDecodeSource(f *testing.F)       { fuzz(f, "Source") }

// FuzzDecodeEntry: no panic; the body lies within the input; an unknown entry
// has none.
func FuzzDecodeEntry(f *testing.F) {
	f.Add(schema.AppendAlertEntry(nil, sampleAlert()))
	f.Add(schema.AppendWatermarkEntry(nil, nouns()[1].sample.(*schema.Watermark)))
	f.Add(schema.AppendControlEntry(nil, nouns()[2].sample.(*schema.Control)))
	f.Add(bytes.Join(unknownFields(), nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, body, err := schema.DecodeEntry(b)
		if (err != nil || kind == schema.EntryUnknown) && body != nil {
			t.Fatalf("%v with a body of %d bytes, %v", kind, len(body), err)
		}
		if !bytes.Contains(b, body) {
			t.Fatal("body from nowhere")
		}
	})
}
