package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pollWait bounds one poll, so that assignments, idle ticks, snapshots and the end
// of Run are noticed while nothing comes in.
const pollWait = 50 * time.Millisecond

// step runs one transaction, or nothing if there was nothing to do. An error ends
// the session.
//
// The transaction ends when what was polled is processed, if BatchLinger has passed
// since the one before began: a lone record after a pause goes straight
// through, a trickle makes ten transactions a second, a flood makes full ones. A
// command never waits.
func (s *session) step(ctx context.Context) error {
	if err := s.reconcile(); err != nil {
		return err
	}
	limit := s.last.Add(s.r.cfg.BatchLinger)
	wait := pollWait
	for {
		n, err := s.poll(ctx, wait)
		if err != nil {
			return errors.Join(err, s.giveUp())
		}
		if n > 0 {
			s.r.fail(FailAfterPoll)
		}
		if err := s.process(ctx); err != nil {
			return err
		}
		now := time.Now()
		b := &s.b
		switch {
		case !b.open:
			return nil
		case b.abort || b.urgent || ctx.Err() != nil || s.asg.pending():
		case b.records >= s.r.cfg.BatchRecords || b.bytes >= s.r.cfg.MaxBuffered/2:
		case !now.Before(limit):
		default:
			wait = min(pollWait, limit.Sub(now))
			continue
		}
		if b.records > 0 || b.out > 0 {
			s.last = b.began
		}
		return s.end(ctx)
	}
}

// poll takes what is there, at most what the transaction has room for, and
// deals it to the lanes.
func (s *session) poll(ctx context.Context, wait time.Duration) (int, error) {
	if ctx.Err() != nil {
		return 0, nil
	}
	pctx, cancel := context.WithTimeout(s.ctx, wait)
	defer cancel()
	fetches := s.txn.PollRecords(pctx, max(1, s.r.cfg.BatchRecords-s.b.records))
	if fetches.IsClientClosed() {
		return 0, kgo.ErrClientClosed
	}
	var failed error
	fetches.EachError(func(topic string, partition int32, err error) {
		if err := s.fetchError(topic, partition, err); err != nil && failed == nil {
			failed = err
		}
	})
	if failed != nil {
		return 0, failed
	}
	now := time.Now()
	n := 0
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 || failed != nil {
			return
		}
		n += len(p.Records)
		s.b.hold(p.Records)
		ln := s.lanes[tp{p.Topic, p.Partition}]
		if ln == nil || !ln.ready {
			// Not to be: partitions are paused until their lane is open. Aborting
			// makes the session go back to the committed offset.
			s.r.log.Error("records of a partition without a lane, going back", "topic", p.Topic, "partition", p.Partition)
			s.b.abort, s.b.stray = true, true
			return
		}
		bytes, err := ln.deliver(p.Records, now)
		if err != nil {
			failed = err
			return
		}
		s.b.bytes += bytes
	})
	s.b.records += n
	s.r.held.Store(s.b.bytes)
	return n, failed
}

// fetchError decides what an error in a fetch means: nothing, the end of the
// session, or the end of the hop.
func (s *session) fetchError(topic string, partition int32, err error) error {
	var loss *kgo.ErrDataLoss
	var group *kgo.ErrGroupSession
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, kerr.OffsetOutOfRange), errors.As(err, &loss):
		return stages.Permanent(fmt.Errorf("out of range: the log of %s/%d does not hold the position any more: records were deleted before they were read, or the topic was truncated or created again: %w", topic, partition, err))
	case errors.As(err, &group):
		if err := classify(err); stages.IsPermanent(err) {
			return err
		}
		s.r.log.Warn("group session failed, the client joins again", "error", err)
		return nil
	}
	return fmt.Errorf("reading %s/%d: %w", topic, partition, classify(err))
}

// process has the workers look at what was polled, and at the clock where a
// partition is silent, and produces what they made of it.
func (s *session) process(ctx context.Context) error {
	now := time.Now()
	var busy []*lane
	idle := make(map[*lane]bool)
	for _, ln := range s.open() {
		switch {
		case ln.fresh < len(ln.recs):
			busy = append(busy, ln)
		case now.Sub(ln.lastData) >= s.r.set.IdleEvery && now.Sub(ln.lastIdle) >= s.r.set.IdleEvery && !ln.snap.writing && s.caughtUp(ln):
			ln.lastIdle = now
			idle[ln] = true
			busy = append(busy, ln)
		case ln.snap.ready != nil:
			// A manifest waits for a transaction; there need not be records for one.
		default:
			continue
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	if s.b.records > 0 { // also those without a lane, or control records alone
		if err := s.begin(); err != nil {
			return err
		}
	}
	if len(busy) == 0 || s.b.abort {
		return nil
	}
	clock := s.r.set.Clock()
	each(busy, func(ln *lane) {
		ln.touched = true
		if idle[ln] {
			ln.err = ln.work.Idle(s.ctx, schema.FromTime(clock), schema.Millis(now.Sub(ln.lastData).Milliseconds()), &ln.box)
			return
		}
		ln.err = ln.work.Process(s.ctx, ln.recs[ln.fresh:], &ln.box)
		ln.fresh = len(ln.recs)
	})
	for _, ln := range busy {
		if ln.err != nil {
			s.b.failed(fmt.Errorf("lane %s/%d: %w", ln.at.topic, ln.at.partition, ln.err))
			continue
		}
		s.produce(ln)
	}
	return nil
}

// reconcile brings the lanes in line with the assignment and takes in what workers
// and uploads have finished. It runs between transactions only.
func (s *session) reconcile() error {
	revoked := false
	for _, e := range s.asg.drain() {
		switch e.kind {
		case eventFatal:
			return e.err
		case eventRevoked:
			revoked = true
			for _, p := range e.gone {
				s.drop(p)
			}
		case eventAssigned:
			for p := range s.lanes {
				if !e.owned[p] {
					s.drop(p)
				}
			}
		case eventStarts:
			for p, st := range e.starts {
				s.drop(p)
				ln := s.openLane(p, st)
				s.mu.Lock()
				s.lanes[p] = ln
				s.mu.Unlock()
			}
		}
	}
	if revoked {
		// The session remembers a revocation until an End: it would fail the
		// next transaction for nothing, and swallow further callbacks. No
		// transaction is open here, so this only makes it forget.
		if _, err := s.txn.End(s.ctx, kgo.TryAbort); err != nil {
			return fmt.Errorf("acknowledging a revocation: %w", err)
		}
	}
	resume := make(map[string][]int32)
	for _, ln := range s.lanes {
		if ln.ready {
			continue
		}
		select {
		case err := <-ln.opened:
			if err != nil {
				return err
			}
			ln.ready = true
			ln.lastData, ln.lastIdle = time.Now(), time.Now()
			ln.snap.since = s.r.set.Clock()
			ln.phase.Store(int32(phaseRunning))
			resume[ln.at.topic] = append(resume[ln.at.topic], ln.at.partition)
		default:
		}
	}
	if len(resume) > 0 {
		s.cl.ResumeFetchPartitions(resume)
	}
	s.takeSnapshots()
	return nil
}

// open gives the lanes that are ready. The others are their workers' alone.
func (s *session) open() []*lane {
	out := make([]*lane, 0, len(s.lanes))
	for _, ln := range s.lanes {
		if ln.ready {
			out = append(out, ln)
		}
	}
	return out
}

// drop closes the partition's lane if there is one.
func (s *session) drop(p tp) {
	if ln := s.lanes[p]; ln != nil {
		s.closeLane(ln)
	}
}
