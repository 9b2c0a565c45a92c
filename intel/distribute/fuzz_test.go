package distribute

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// FuzzRecord: whatever stands on the log, reading it does not panic, and what is in
// force has the content that its delta named.
func FuzzRecord(f *testing.F) {
	good := schema.IndicatorDelta{Seq: 1, Parts: 1, After: 1, Changes: []schema.IndicatorChange{{Op: schema.IndicatorAdd, Indicator: indicator(1, 0)}}}
	f.Add(schema.AppendDeltaEntry(nil, &good))
	f.Add(schema.AppendSnapshotEntry(nil, &schema.IndicatorSnapshot{Seq: 2, Content: 3, Size: 1, Locations: []string{"/etc/passwd"}}))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := match.Build(match.DefaultConfig(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = seqOf(b)
		kind, body, err := schema.DecodeIndicatorEntry(b)
		if err != nil || kind != schema.IndicatorEntryDelta {
			return
		}
		var d schema.IndicatorDelta
		if d.DecodeWire(body) != nil {
			return
		}
		c := newChain(x, 0, 0)
		took := c.take(&d, len(b))
		if _, err := c.flush(nil); err == nil && took == stepTaken && c.x.ID() != d.After {
			t.Fatalf("content %016x after a delta to %016x", c.x.ID(), d.After)
		}
	})
}
