package kafka

import (
	"testing"

	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// TestPartitioner: shards go where the record says, keys where Kafka's own clients
// would put them.
func TestPartitioner(t *testing.T) {
	p := &partitioner{counts: map[string]int32{"sharded": 8}}
	rapid.Check(t, func(t *rapid.T) {
		r := &kgo.Record{Partition: rapid.Int32Range(0, 7).Draw(t, "partition"), Key: rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key")}
		if got := p.ForTopic("sharded").Partition(r, 8); got != int(r.Partition) {
			t.Fatalf("sharded record went to %d, not %d", got, r.Partition)
		}
		n := rapid.IntRange(1, 64).Draw(t, "partitions")
		if got, want := p.ForTopic("keyed").Partition(r, n), int(murmur2(r.Key)&0x7fffffff)%n; got != want {
			t.Fatalf("key %x went to %d of %d, Kafka's hash says %d", r.Key, got, n, want)
		}
	})
	if err := p.mismatch(); err != nil {
		t.Fatal(err)
	}
	if got := p.ForTopic("sharded").Partition(&kgo.Record{}, 9); got >= 0 {
		t.Errorf("a record was sent to partition %d of a topic that grew", got)
	}
	if err := p.mismatch(); !stages.IsPermanent(err) {
		t.Errorf("a topic that grew gives %v", err)
	}
}

// murmur2 after the definition in Kafka's protocol guide.
func murmur2(b []byte) uint32 {
	const m, r = 0x5bd1e995, 24
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(b[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
