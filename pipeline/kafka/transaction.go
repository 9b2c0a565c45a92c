package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batch is the transaction in flight.
type batch struct {
	open    bool
	began   time.Time
	records int   // polled, control records included
	bytes   int64 // polled
	out     int   // produced
	urgent  bool
	abort   bool // it must not commit
	stray   bool // records without a lane were polled
	err     error
	promise *kgo.FirstErrPromise

	polled  []*kgo.Record // to recycle when it has ended
	arena   [][]kgo.Record
	used    int
	headers []kgo.RecordHeader
}

func (b *batch) hold(recs []*kgo.Record) { b.polled = append(b.polled, recs...) }

// failed notes a lane's error; a permanent one outranks others.
func (b *batch) failed(err error) {
	b.abort = true
	if b.err == nil || stages.IsPermanent(err) {
		b.err = err
	}
}

const arenaBlock = 1024

// record lends a record to produce. Blocks never move, because the client holds
// pointers into them until the transaction has ended.
func (b *batch) record() *kgo.Record {
	if b.used == len(b.arena)*arenaBlock {
		b.arena = append(b.arena, make([]kgo.Record, arenaBlock))
	}
	r := &b.arena[b.used/arenaBlock][b.used%arenaBlock]
	b.used++
	return r
}

// reset gives back everything the transaction held.
func (b *batch) reset() {
	for _, r := range b.polled {
		r.Recycle()
	}
	clear(b.polled)
	for i := range b.arena {
		clear(b.arena[i][:min(arenaBlock, max(0, b.used-i*arenaBlock))])
	}
	clear(b.headers)
	*b = batch{polled: b.polled[:0], arena: b.arena, headers: b.headers[:0]}
}

func (s *session) begin() error {
	if s.b.open {
		return nil
	}
	if err := s.txn.Begin(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", classify(err))
	}
	s.b.open, s.b.began = true, time.Now()
	s.b.promise = kgo.AbortingFirstErrPromise(s.cl)
	return nil
}

// produce hands the client what the lane put into its outbox since the last
// call. The client copies nothing: the bytes stay the lane's until its Commit.
func (s *session) produce(ln *lane) {
	for i := range ln.box.Msgs[ln.sent:] {
		m := &ln.box.Msgs[ln.sent+i]
		if m.Broadcast {
			for p := range s.r.cfg.Partitions {
				s.send(m, p)
			}
			continue
		}
		s.send(m, m.Shard.Partition(int(s.r.cfg.Partitions)))
	}
	s.b.out += len(ln.box.Msgs) - ln.sent
	ln.sent = len(ln.box.Msgs)
	s.b.urgent = s.b.urgent || ln.box.Urgent
}

// send produces one message. The partition counts for sharded topics only.
func (s *session) send(m *pipeline.Out, partition int32) {
	r := s.b.record()
	r.Topic, r.Key, r.Value = s.topics[m.Topic], m.Key, m.Value
	if r.Topic == "" {
		panic("BUG: a message without a topic")
	}
	if m.Sharded {
		r.Partition = partition
	}
	if m.Time != 0 {
		r.Timestamp = m.Time.Time()
	}
	if len(m.Headers) > 0 {
		h0 := len(s.b.headers)
		for _, h := range m.Headers {
			s.b.headers = append(s.b.headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		r.Headers = s.b.headers[h0:len(s.b.headers):len(s.b.headers)]
	}
	s.cl.Produce(s.ctx, r, s.b.promise.Promise())
}

// end finishes the transaction and tells the lanes how it went.
func (s *session) end(ctx context.Context) error {
	b := &s.b
	var manifests []*lane
	if !b.abort {
		manifests = s.produceManifests()
	}
	s.r.fail(FailBeforeEnd)
	if err := s.cl.Flush(s.ctx); err != nil {
		return fmt.Errorf("flushing outputs: %w", err)
	}
	produced := b.promise.Err()
	fence := s.fence(manifests)
	try := !b.abort && produced == nil && fence.ok
	committed, err := s.txn.End(kgo.PreTxnCommitFnContext(s.ctx, fence.offsets), kgo.TransactionEndTry(try))
	s.r.fail(FailAfterEnd)
	if err != nil {
		// Committed or not: nobody knows. The lanes are discarded and start
		// again from what the group says.
		s.r.aborted.Add(1)
		s.r.metrics.ended(false, 0, 0, time.Since(b.began))
		if b.err != nil && stages.IsPermanent(b.err) {
			return b.err
		}
		return fmt.Errorf("ending the transaction: %w", errors.Join(classify(err), produced))
	}

	var touched []*lane
	records := 0
	open := s.open()
	for _, ln := range open {
		records += len(ln.recs)
		if ln.touched {
			touched = append(touched, ln)
		}
	}
	each(touched, func(ln *lane) {
		if committed {
			ln.work.Commit()
		} else {
			ln.work.Rollback()
		}
	})
	for _, ln := range open {
		ln.settled(committed)
	}
	if committed {
		for _, ln := range manifests {
			ln.manifestCommitted()
		}
	}
	if b.records > 0 || b.out > 0 { // else it was none: an idle lane had nothing to say
		if committed {
			s.r.committed.Add(1)
		} else {
			s.r.aborted.Add(1)
		}
		s.r.metrics.ended(committed, records, b.out, time.Since(b.began))
	}
	failed := b.err
	b.reset()
	s.r.held.Store(0)

	if err := s.parts.mismatch(); err != nil {
		return err
	}
	if produced != nil && !errors.Is(produced, kgo.ErrAborting) {
		if err := classify(produced); stages.IsPermanent(err) {
			return fmt.Errorf("producing: %w", err)
		}
		failed = errors.Join(failed, fmt.Errorf("producing: %w", produced))
	}
	switch {
	case committed:
		s.failures = backoff{}
		return nil
	case stages.IsPermanent(failed):
		return failed
	case failed == nil && s.failures.tries == 0:
		s.failures.tries = 1 // a rebalance most likely: the records come again at once
		return nil
	case failed == nil:
		wait := s.failures.next()
		s.r.log.Info("another transaction in a row was aborted, a rebalance is under way", "wait", wait)
		sleep(ctx, wait)
		return nil
	}
	wait := s.failures.next()
	s.r.log.Warn("transaction aborted, its records will be delivered again", "error", failed, "wait", wait)
	sleep(ctx, wait)
	return nil
}

// giveUp aborts the transaction in flight before the session is closed, so that the
// next one need not wait for a timeout. Lanes are not told: they are closed.
func (s *session) giveUp() error {
	if !s.b.open {
		return nil
	}
	if _, err := s.txn.End(s.ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("aborting: %w", err)
	}
	return nil
}

// fencing checks the offsets that go into a transaction.
type fencing struct {
	ok  bool
	add map[tp]int64 // lanes that produce without having read
	gen int32
	s   *session
}

// fence prepares the check. A lane can produce without having read: on an idle
// tick, or a manifest. The session commits no offset for it, so nothing would
// stop a member that lost the partition while it slept. Such lanes commit the offset
// they have: the broker then refuses the transaction unless this member is in the
// group's current generation, and the generation is the one in which the
// client's books still had the partition at that offset.
func (s *session) fence(manifests []*lane) fencing {
	f := fencing{ok: true, add: make(map[tp]int64), s: s}
	_, f.gen = s.cl.GroupMetadata() // before the look at the books
	for _, ln := range manifests {
		f.add[ln.at] = ln.next
	}
	for _, ln := range s.open() {
		if len(ln.box.Msgs) > 0 {
			f.add[ln.at] = ln.next
		}
	}
	books := s.cl.CommittedOffsets()
	for p := range f.add {
		ln := s.lanes[p]
		if ln.low >= 0 {
			delete(f.add, p) // it has read: the session commits for it
		} else if books[p.topic][p.partition].Offset != ln.next {
			f.ok = false
		}
	}
	return f
}

// offsets is called by End with the commit it is about to send. A commit that does
// not say what the lanes have processed never goes out.
func (f fencing) offsets(req *kmsg.TxnOffsetCommitRequest) error {
	if len(f.add) > 0 && req.Generation != f.gen {
		return kerr.RebalanceInProgress // End aborts
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			ln := f.s.lanes[tp{t.Topic, p.Partition}]
			if ln == nil || p.Offset != ln.next {
				return fmt.Errorf("BUG: the client would commit offset %d of %s/%d, the lane is not there", p.Offset, t.Topic, p.Partition)
			}
			note := notePrefix + ln.topicID
			p.Metadata = &note
		}
	}
	for p, offset := range f.add {
		c := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		note := notePrefix + f.s.lanes[p].topicID
		c.Partition, c.Offset, c.Metadata = p.partition, offset, &note
		i := topicIndex(req, p.topic)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, c)
	}
	return nil
}

func topicIndex(req *kmsg.TxnOffsetCommitRequest, topic string) int {
	for i := range req.Topics {
		if req.Topics[i].Topic == topic {
			return i
		}
	}
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = topic
	req.Topics = append(req.Topics, t)
	return len(req.Topics) - 1
}

// produceManifests puts the manifests of finished snapshots into the transaction,
// with tombstones for chunks of the slot that the snapshot no longer uses.
func (s *session) produceManifests() []*lane {
	var lanes []*lane
	for _, ln := range s.open() {
		m := ln.snap.ready
		if m == nil {
			continue
		}
		s.r.fail(FailBeforeManifest)
		lanes = append(lanes, ln)
		keys := stateKeys{s.r.hop.Name, ln.at}
		slot := m.slot()
		s.produceState(ln, keys.manifest(slot), m.encode())
		for i := len(m.Sizes); i < ln.snap.chunks[slot]; i++ {
			s.produceState(ln, keys.chunk(slot, i), nil)
		}
	}
	return lanes
}

func (s *session) produceState(ln *lane, key, value []byte) {
	r := s.b.record()
	r.Topic, r.Partition, r.Key, r.Value = s.topics[pipeline.TopicState], ln.at.partition, key, value
	s.cl.Produce(s.ctx, r, s.b.promise.Promise())
	s.b.out++
}
