package pipeline

import "github.com/interdict/interdict/schema"

// Header is one Kafka record header.
type Header struct {
	Key   string
	Value []byte
}

// Record is one message as a transport delivers it. Its bytes are the
// transport's and valid until the lane's next Commit or Rollback.
type Record struct {
	Offset  int64
	Time    schema.Millis // record timestamp
	Key     []byte
	Value   []byte
	Headers []Header
}

// Out is one message to produce. Its bytes belong to the lane that made it and
// are valid until that lane's next Commit or Rollback.
type Out struct {
	Topic   Topic
	Shard   schema.Shard // decides the partition of sharded topics
	Sharded bool         // false: the partition follows the hash of Key
	// Broadcast sends the message to every partition of the topic: it concerns
	// all tenants, and hop 2 applies it to every shard of the partition.
	Broadcast bool
	Key       []byte
	Value     []byte // nil: a tombstone
	Headers   []Header
	Time      schema.Millis // record timestamp; zero: the producer's clock
}

// Outbox collects what one transaction produces, in order.
type Outbox struct {
	Msgs   []Out
	Urgent bool // holds a command: the transaction ends at once
}

// Reset empties the outbox and keeps its memory.
func (o *Outbox) Reset() {
	clear(o.Msgs)
	o.Msgs = o.Msgs[:0]
	o.Urgent = false
}
