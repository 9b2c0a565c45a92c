package pipeline

import (
	"context"
	"fmt"
	"testing"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
)

// TestDetectChunks gives more records at once than go through the stages together:
// alerts keep their order, dead letters name their own record, one watermark counts
// all.
func TestDetectChunks(t *testing.T) {
	var values []string
	n := 3*detectChunk + 7
	for i := range n {
		values = append(values, []string{"alert %d", "drop", "broken %d"}[i%3])
		if i%3 != 1 {
			values[i] = fmt.Sprintf(values[i], i)
		}
	}
	now := schema.Hour
	l := testDetectLane(&now, nil)
	var out Outbox
	if err := l.Process(context.Background(), rawRecords(0, values...), &out); err != nil {
		t.Fatal(err)
	}
	next, marks := [2]int64{0, 2}, 0 // offset of the next alert and dead letter
	for _, m := range out.Msgs {
		if m.Topic == TopicDeadLetter {
			if d, err := ParseDeadLetter(m.Value, m.Headers); err != nil || d.Offset != next[1] || string(d.Bytes) != values[d.Offset] {
				t.Fatalf("dead letter %+v, %v, want that of %d", d, err, next[1])
			}
			next[1] += 3
			continue
		}
		switch kind, body, err := schema.DecodeEntry(m.Value); {
		case err != nil:
			t.Fatal(err)
		case kind == schema.EntryAlert:
			var a schema.Alert
			if err := a.DecodeWire(body); err != nil || a.RawRef.Offset != next[0] || string(a.Raw) != values[next[0]] {
				t.Fatalf("alert of %d %q, %v, want that of %d", a.RawRef.Offset, a.Raw, err, next[0])
			}
			next[0] += 3
		case kind == schema.EntryWatermark:
			var w schema.Watermark
			if err := w.DecodeWire(body); err != nil || w.Stats.Records != uint64(n) || w.Stats.Accepted != uint64((n+2)/3) || w.Stats.Rejected != uint64(n/3) {
				t.Errorf("%+v, %v", w, err)
			}
			marks++
		}
	}
	if next[0] < int64(n) || next[1] < int64(n) || marks != 1 {
		t.Errorf("alerts to %d, dead letters to %d of %d, %d watermarks", next[0], next[1], n, marks)
	}
}

// BenchmarkDetectLane is hop 1 without Kafka: raw records to entries of the alerts
// log, a transaction at a time; ns/op is per record.
func BenchmarkDetectLane(b *testing.B) {
	f, err := normalize.Load(normalize.Default())
	if err != nil {
		b.Fatal(err)
	}
	n, err := normalize.New(normalize.Default(), f)
	if err != nil {
		b.Fatal(err)
	}
	src := &schema.Source{ID: "suricata", Tenant: "bench", Topic: "raw"}
	steps := []Step{{"normalize", n}, {"match", match.New(match.DefaultConfig(), &match.Holder{})}}
	l := newDetectLane(DefaultDetectConfig(), LaneID{"raw", 0, 4}, src, chain{steps: steps}, func() schema.Millis { return schema.Hour })
	alert := gen.Suricata(1)
	recs := make([]Record, 2500)
	bytes := 0
	for i := range recs {
		recs[i] = Record{Offset: int64(i), Time: schema.Hour, Value: alert(nil, i)}
		bytes += len(recs[i].Value)
	}
	var out Outbox
	b.SetBytes(int64(bytes / len(recs)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += len(recs) {
		out.Reset()
		if err := l.Process(context.Background(), recs[:min(len(recs), b.N-i)], &out); err != nil {
			b.Fatal(err)
		}
		l.Commit()
	}
}
