package kafka

import (
	"fmt"
	"sync/atomic"

	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partitioner sends records of sharded topics to the partition their shard maps
// to, which the record carries, and all others by the hash of their key as
// Kafka's own clients do (murmur2; keyless records stick to a partition for a batch).
//
// The count of a sharded topic is fixed when the session starts. Should it change
// while the hop runs, records of one shard would be in two partitions: the
// record is refused, and mismatch tells why.
type partitioner struct {
	counts  map[string]int32 // sharded topics only; never written after start
	changed atomic.Pointer[countChange]
}

type countChange struct {
	topic     string
	want, got int
}

func (p *partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if want, ok := p.counts[topic]; ok {
		return explicit{parent: p, topic: topic, want: int(want)}
	}
	return kgo.StickyKeyPartitioner(nil).ForTopic(topic)
}

// mismatch gives a permanent error if a sharded topic changed its partition count.
func (p *partitioner) mismatch() error {
	c := p.changed.Load()
	if c == nil {
		return nil
	}
	return stages.Permanent(fmt.Errorf("topic %s changed from %d to %d partitions while running: repartitioning is a procedure of its own", c.topic, c.want, c.got))
}

type explicit struct {
	parent *partitioner
	topic  string
	want   int
}

// RequiresConsistency keeps a shard in its partition while the partition's
// leader is away.
func (e explicit) RequiresConsistency(*kgo.Record) bool { return true }

func (e explicit) Partition(r *kgo.Record, n int) int {
	if n != e.want {
		e.parent.changed.Store(&countChange{e.topic, e.want, n})
		return -1 // fails the record
	}
	return int(r.Partition)
}
