package pipeline

import (
	"context"
	"io"

	"github.com/interdict/interdict/schema"
)

// LaneID names one input partition of a hop.
type LaneID struct {
	Topic      string // full name
	Partition  int32
	Partitions int32 // of the topic
}

// Lane is the serial work of one input partition. One goroutine at a time calls
// it. It is opened when the partition is assigned and closed when it is revoked
// or lost.
//
// The order of calls is (Process | Idle)* then Commit or Rollback, again and
// again. Between a Commit and the next Process or Idle a stateful lane may be
// asked for a snapshot.
type Lane interface {
	// Process takes records in order and appends what they cause to out. An
	// error abandons the transaction; a permanent one stops the hop.
	Process(ctx context.Context, recs []Record, out *Outbox) error

	// Idle is called now and then while the partition has nothing to read; now
	// is the caller's clock, since how long ago the last record was delivered.
	Idle(ctx context.Context, now schema.Millis, since schema.Millis, out *Outbox) error

	// Commit is called when the transaction that holds out has been committed.
	Commit()

	// Rollback is called when it was aborted: the same records come again.
	Rollback()

	// Close frees what the lane holds. Nothing is called after it.
	Close()
}

// StatefulLane is a lane whose state survives in snapshots.
type StatefulLane interface {
	Lane

	// StateVersion and ConfigHash tell whether a snapshot fits this lane.
	StateVersion() uint32
	ConfigHash() uint64

	// Snapshot writes the committed state.
	Snapshot(w io.Writer) error

	// Restore replaces the state. After an error the lane must be discarded.
	Restore(r io.Reader) error

	// SetReplaying tells the lane that outputs are suppressed: records are
	// processed to rebuild the state between a snapshot and the committed offset.
	SetReplaying(on bool)
}

// Hop is a chain of stages between topics, run by one consumer group.
type Hop struct {
	Name   string   // consumer group is prefix + "." + Name
	Inputs []string // full topic names
	State  bool     // lanes are StatefulLanes; snapshots go to TopicState
	Open   func(LaneID) (Lane, error)
}
