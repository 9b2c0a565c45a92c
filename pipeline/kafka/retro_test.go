package kafka

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// TestRetroWriter: each match is in its tenant's partition, under the key that hop 2
// reads, in order; a later writer fences an earlier one.
func TestRetroWriter(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	cfg.FreshTransactionalIDs = false
	w, err := NewRetroWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var found []schema.RetroMatch
	for n := range retroBatch + 100 {
		found = append(found, schema.RetroMatch{Tenant: fmt.Sprintf("tenant-%d", n%50), Made: schema.Millis(n + 1), Match: schema.Match{Value: "x"}})
	}
	if err := w.Emit(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	if err := w.Emit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	used := 0
	for p, recs := range c.read(t, pipeline.TopicAlerts.Name(cfg.Prefix)) {
		last := schema.Millis(0)
		used++
		for _, r := range recs {
			kind, body, err := schema.DecodeEntry(r.Value)
			var m schema.RetroMatch
			if err != nil || kind != schema.EntryRetro || m.DecodeWire(body) != nil {
				t.Fatalf("%v %v", kind, err)
			}
			shard := schema.ShardOf(m.Tenant)
			if shard.Partition(int(cfg.Partitions)) != p || len(r.Key) != 2 || int(r.Key[0])<<8|int(r.Key[1]) != int(shard) || m.Made <= last {
				t.Fatalf("%s in partition %d under key %x, made %d after %d", m.Tenant, p, r.Key, m.Made, last)
			}
			last = m.Made
			n++
		}
	}
	if n != len(found) || used < 2 {
		t.Errorf("%d of %d matches in %d partitions", n, len(found), used)
	}
	second, err := NewRetroWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.Emit(t.Context(), found[:1]); err != nil {
		t.Fatal(err)
	}
	if err := w.Emit(t.Context(), found[:1]); !stages.IsPermanent(err) {
		t.Errorf("the first writer was not fenced: %v", err)
	}
	cfg.Partitions++
	wrong, err := NewRetroWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if err := wrong.Emit(t.Context(), found); !stages.IsPermanent(err) {
		t.Errorf("another number of partitions: %v", err)
	}
}
