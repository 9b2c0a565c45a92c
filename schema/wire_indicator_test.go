package schema_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/interdict/interdict/schema"
)

func indicatorNouns() []noun {
	const at = schema.Millis(1_795_300_000_123)
	return []noun{
		nounOf("IndicatorDelta", &schema.IndicatorDelta{Seq: 1_795_300_000_123, Before: 0xfedcba9876543210, After: 0x0123456789abcdef, Part: 1, Parts: 2,
			Feed: "misp", Made: at, Changes: []schema.IndicatorChange{
				{Op: schema.IndicatorAdd, Indicator: schema.Indicator{ID: "indicator--1", Feed: "misp", Type: schema.ObservableDomain, Value: "bad.example",
					Verdict: schema.VerdictMalicious, Confidence: 90, Labels: []string{"c2"}, Threats: []schema.Threat{{Kind: schema.ThreatMalware, Name: "Emotet"}}}},
				{Op: schema.IndicatorRemove, Indicator: schema.Indicator{ID: "indicator--2", Feed: "misp", Type: schema.ObservableIP, Value: "192.0.2.7"}}}}),
		nounOf("IndicatorSnapshot", &schema.IndicatorSnapshot{Seq: 1_795_300_000_123, Content: 0xfedcba9876543210, Hash: [32]byte{0: 1, 31: 0xff}, Size: 1 << 33,
			Indicators: 50_000_000, Made: at, Locations: []string{"/var/lib/interdict/snapshots/01.snapshot", "https://manager.example/intel/snapshots/01.snapshot"}}),
	}
}

func TestIndicatorEntry(t *testing.T) {
	d := contract(t).ByName("IndicatorEntry")
	delta := indicatorNouns()[0].sample.(*schema.IndicatorDelta)
	snapshot := indicatorNouns()[1].sample.(*schema.IndicatorSnapshot)
	for _, tt := range []struct {
		name  string
		kind  schema.IndicatorEntryKind
		bytes []byte
		body  []byte
	}{
		{"delta", schema.IndicatorEntryDelta, schema.AppendDeltaEntry(nil, delta), delta.AppendWire(nil)},
		{"snapshot", schema.IndicatorEntrySnapshot, schema.AppendSnapshotEntry(nil, snapshot), snapshot.AppendWire(nil)},
		{"empty delta", schema.IndicatorEntryDelta, schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{}), nil},
		{"newer kind", schema.IndicatorEntryUnknown, protowire.AppendString(protowire.AppendTag(nil, 9, protowire.BytesType), "?"), nil},
		{"nothing", schema.IndicatorEntryUnknown, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			throughProtobuf(t, d, tt.bytes)
			kind, body, err := schema.DecodeIndicatorEntry(tt.bytes)
			if err != nil || kind != tt.kind || !bytes.Equal(body, tt.body) {
				t.Errorf("got %v %x, %v, want %v %x", kind, body, err, tt.kind, tt.body)
			}
		})
	}
	if _, _, err := schema.DecodeIndicatorEntry([]byte{0x12, 5, 1}); err == nil || !strings.Contains(err.Error(), "indicator_entry.snapshot") {
		t.Errorf("truncated entry: %v", err)
	}
	short := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "short")
	if err := new(schema.IndicatorSnapshot).DecodeWire(short); err == nil || !strings.Contains(err.Error(), "indicator_snapshot.hash: want 32 bytes") {
		t.Errorf("short hash: %v", err)
	}
}

func FuzzDecodeIndicatorDelta(f *testing.F)    { fuzz(f, "IndicatorDelta") }
func FuzzDecodeIndicatorSnapshot(f *testing.F) { fuzz(f, "IndicatorSnapshot") }

// FuzzDecodeIndicatorEntry: no panic; the body lies within the input; an unknown
// entry has none.
func FuzzDecodeIndicatorEntry(f *testing.F) {
	f.Add(schema.AppendDeltaEntry(nil, indicatorNouns()[0].sample.(*schema.IndicatorDelta)))
	f.Add(schema.AppendSnapshotEntry(nil, indicatorNouns()[1].sample.(*schema.IndicatorSnapshot)))
	f.Add(bytes.Join(unknownFields(), nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, body, err := schema.DecodeIndicatorEntry(b)
		if (err != nil || kind == schema.IndicatorEntryUnknown) && body != nil {
			t.Fatalf("%v with a body of %d bytes, %v", kind, len(body), err)
		}
		if !bytes.Contains(b, body) {
			t.Fatal("body from nowhere")
		}
	})
}
