package pipeline

import (
	"context"
	"fmt"
)

// Range is the records of one partition from Lo to Hi, both inclusive, that
// become durable as one unit. Offsets between them may be missing (transaction
// markers, compaction).
type Range struct {
	Topic     string
	TopicID   string // the cluster's id of this incarnation of the topic
	Partition int32
	Lo, Hi    int64
	Records   []Record
}

// Token names the range for ever: the same token always holds the same records,
// so that a store can drop the second insert of it.
func (r Range) Token() string {
	return fmt.Sprintf("%s/%d/%d-%d", r.TopicID, r.Partition, r.Lo, r.Hi)
}

// SinkHop is the last hop: it makes ranges durable outside Kafka.
type SinkHop struct {
	Name   string   // consumer group is prefix + "." + Name
	Inputs []string // full topic names
	// Insert makes the range durable and reports how many blocks it wrote, which
	// the insert budget is charged for. Inserting a range again has no further
	// effect. An error is retried for ever unless it is permanent.
	Insert func(ctx context.Context, r Range) (blocks int, err error)
}
