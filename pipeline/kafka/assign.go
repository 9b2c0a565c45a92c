package kafka

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// tp names a partition.
type tp struct {
	topic     string
	partition int32
}

// start is where a newly assigned partition begins.
type start struct {
	offset     int64
	partitions int32  // of the topic
	topicID    string // hex; empty where the broker has none
}

// event is one step of the group's assignment as the coordinator will see it.
type event struct {
	kind   eventKind
	owned  map[tp]bool  // eventAssigned: all that this member holds, new ones included
	gone   []tp         // eventRevoked
	starts map[tp]start // eventStarts
	err    error        // eventFatal
}

type eventKind uint8

const (
	eventAssigned eventKind = iota
	eventRevoked
	eventStarts
	eventFatal
)

// assigner turns the group's callbacks into events. The callbacks run on
// franz-go's goroutines while the coordinator may be inside End, which holds the
// session's lock: they only pause, look up and enqueue, and never wait for the
// coordinator.
//
// The session swallows a second revocation before End, so revocations alone do not
// tell what is still ours. Every generation however ends in an assigned callback,
// after what was revoked has left the client's books: its event carries the
// whole set that is ours, and a lane outside it is closed.
type assigner struct {
	adm  *kadm.Client
	seen func(topic, id string) (was string) // the id under which this process first saw a topic

	mu     sync.Mutex
	events []event
	notes  map[tp]string // commit metadata of the fetch of offsets under way
}

func (a *assigner) push(e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

// drain gives the events since the last call, in order.
func (a *assigner) drain() []event {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.events
	a.events = nil
	return out
}

// pending reports whether there are events.
func (a *assigner) pending() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.events) > 0
}

// onAssigned pauses what is new before its offsets are known, so that nothing of
// it is polled until its lane is open.
func (a *assigner) onAssigned(_ context.Context, cl *kgo.Client, added map[string][]int32) {
	if len(added) > 0 {
		cl.PauseFetchPartitions(added)
	}
	owned := make(map[tp]bool)
	for t, ps := range cl.CommittedOffsets() {
		for p := range ps {
			owned[tp{t, p}] = true
		}
	}
	for t, ps := range added {
		for _, p := range ps {
			// New to us, even if a lane of an earlier assignment lingers: that
			// one is closed, because another member may have moved the offset.
			owned[tp{t, p}] = false
		}
	}
	a.push(event{kind: eventAssigned, owned: owned})
}

// onRevoked serves both revocation and loss: either way the lanes close.
func (a *assigner) onRevoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	e := event{kind: eventRevoked}
	for t, ps := range gone {
		for _, p := range ps {
			e.gone = append(e.gone, tp{t, p})
		}
	}
	a.push(e)
}

// onFetched keeps the metadata of the committed offsets for adjust, which
// franz-go calls next on the same goroutine.
func (a *assigner) onFetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	notes := make(map[tp]string)
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if p.Metadata != nil && p.Offset >= 0 {
					notes[tp{t.Topic, p.Partition}] = *p.Metadata
				}
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notes = notes
	return nil
}

// adjust resolves where each partition begins and refuses offsets the log does
// not hold. A partition without a commit gets the log's actual start: left
// symbolic, the session would reset it to offset 0 on an abort, and that may be gone.
func (a *assigner) adjust(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	topics := make([]string, 0, len(offsets))
	for t := range offsets {
		topics = append(topics, t)
	}
	details, err := a.adm.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading assigned topics: %w", err)
	}
	first, err := a.adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading log starts: %w", err)
	}
	last, err := a.adm.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading log ends: %w", err)
	}
	a.mu.Lock()
	notes := a.notes
	a.mu.Unlock()

	starts := make(map[tp]start)
	for t, ps := range offsets {
		d := details[t]
		id := ""
		if d.ID != (kadm.TopicID{}) {
			id = hex.EncodeToString(d.ID[:])
		}
		was := a.seen(t, id)
		for p, o := range ps {
			lo, okLo := first.Lookup(t, p)
			hi, okHi := last.Lookup(t, p)
			if !okLo || !okHi || lo.Err != nil || hi.Err != nil {
				return nil, fmt.Errorf("the log bounds of %s/%d are not known: %v, %v", t, p, lo.Err, hi.Err)
			}
			at := o.EpochOffset().Offset
			if at < 0 {
				at = lo.Offset
				ps[p] = kgo.NewOffset().At(at)
			}
			if note, ok := strings.CutPrefix(notes[tp{t, p}], notePrefix); ok && note != "" {
				was = note
			}
			if err := inLog(tp{t, p}, at, lo.Offset, hi.Offset, id, was); err != nil {
				a.push(event{kind: eventFatal, err: stages.Permanent(err)})
				return nil, err
			}
			starts[tp{t, p}] = start{offset: at, partitions: int32(len(d.Partitions)), topicID: id}
		}
	}
	a.push(event{kind: eventStarts, starts: starts})
	return offsets, nil
}

// inLog explains why an offset cannot be resumed from, if so. was is the id of
// the topic the offset was committed for, or that this process has worked on.
// Kafka forgets the offsets of a topic it deletes, so the commit alone would not tell.
func inLog(p tp, at, lo, hi int64, id, was string) error {
	const cure = "; decide what to do about it, then set the group's offset"
	if id != "" && was != "" && was != id {
		return fmt.Errorf("topic %s was deleted and created again: what was committed of partition %d is of its former self%s", p.topic, p.partition, cure)
	}
	if at < lo {
		return fmt.Errorf("out of range: %s/%d is committed at offset %d but its log starts at %d: records were deleted before they were read%s", p.topic, p.partition, at, lo, cure)
	}
	if at > hi {
		return fmt.Errorf("out of range: %s/%d is committed at offset %d but its log ends at %d: the topic was truncated or created again%s", p.topic, p.partition, at, hi, cure)
	}
	return nil
}

// notePrefix begins the commit metadata: the id of the topic the offset belongs
// to, so that a topic deleted and created again is noticed.
const notePrefix = "interdict1 "
