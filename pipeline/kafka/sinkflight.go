package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Failpoints of a sink, in the order a range meets them.
const (
	FailAfterIntent  = "after_intent"  // announced, nothing inserted
	FailAfterInsert  = "after_insert"  // inserted, the sink has not taken note
	FailBeforeCommit = "before_commit" // it has, the position is not committed
)

var errGivenUp = errors.New("the partition was given up")

// dispatch hands out attempts until ctx is done.
func (s *Sink) dispatch(ctx context.Context) {
	// Attempts outlive ctx: they end by themselves or in release.
	ctx, done := context.WithoutCancel(ctx), ctx.Done()
	for {
		t := time.NewTimer(s.launch(ctx))
		select {
		case <-done:
			t.Stop()
			return
		case <-s.wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// launch starts every attempt that is due and affordable, the longest waiting
// first, and gives the time until the next could be.
func (s *Sink) launch(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		const long = time.Hour // something will wake us
		if s.running >= s.sc.Concurrency {
			return long
		}
		var p *sinkPart
		var at time.Time
		for _, q := range s.parts {
			if t, ok := q.due(&s.sc); ok && (p == nil || t.Before(at)) {
				p, at = q, t
			}
		}
		if p == nil {
			return long
		}
		now := time.Now()
		if wait := at.Sub(now); wait > 0 {
			return wait
		}
		cost := 0.0 // of a commit alone
		if len(p.recs) > 0 && (p.flight == nil || !p.flight.inserted) {
			cost = max(1, s.blocks[p.at.topic])
		}
		if wait := s.budget.take(now, cost); wait > 0 {
			if s.starved.IsZero() {
				s.starved = now
			}
			return wait
		}
		if !s.starved.IsZero() {
			s.metrics.budgetWait.Add(now.Sub(s.starved).Seconds())
			s.starved = time.Time{}
		}
		f := p.flight
		if f == nil {
			f = p.cut(s.sc.Bytes, now)
		}
		f.estimate = cost
		f.ctx, f.cancel = context.WithCancel(ctx)
		f.done = make(chan struct{})
		p.running = true
		s.running++
		go s.fly(p, f)
	}
}

// fly is the goroutine of one attempt.
func (s *Sink) fly(p *sinkPart, f *flight) {
	defer close(f.done)
	defer f.cancel()
	blocks, err := s.attempt(p, f)
	s.landed(p, f, blocks, err)
}

// attempt takes the range through the steps that are left.
func (s *Sink) attempt(p *sinkPart, f *flight) (blocks int, err error) {
	if !f.inserted && len(f.rng.Records) > 0 {
		if blocks, err = s.insert(p, f); err != nil {
			return blocks, err
		}
		f.inserted = true
		s.failpoint(FailBeforeCommit)
	}
	if _, err := s.commit(f.ctx, p, f.after, sinkNote(p.id)); err != nil {
		return blocks, fmt.Errorf("committing offset %d: %w", f.after, err)
	}
	return blocks, nil
}

// insert announces the range and inserts it. Each attempt announces anew: that
// the group takes the commit proves that the partition is still ours, and the
// attempt's deadline counts from it.
func (s *Sink) insert(p *sinkPart, f *flight) (int, error) {
	began := time.Now()
	if f.in != nil {
		n, sum := len(f.rng.Records), sumRecords(f.rng.Records)
		if f.verify && (n != f.in.n || sum != f.in.sum) {
			return 0, stages.Permanent(fmt.Errorf("the announced records from offset %d to %d are not the ones in the log: %d with checksum %016x instead of %d with %016x; some may be in the store; set the group's offset to go on", f.rng.Lo, f.rng.Hi, n, sum, f.in.n, f.in.sum))
		}
		f.in.hi, f.in.n, f.in.sum = f.rng.Hi, n, sum
		f.in.try++
		var err error
		if began, err = s.commit(f.ctx, p, f.rng.Lo, f.in.note(p.id)); err != nil {
			return 0, fmt.Errorf("announcing offsets %d to %d: %w", f.rng.Lo, f.rng.Hi, err)
		}
		s.failpoint(FailAfterIntent)
	}
	ctx, cancel := context.WithDeadline(f.ctx, began.Add(s.sc.InsertTimeout))
	defer cancel()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	blocks, err := s.hop.Insert(ctx, f.rng)
	s.metrics.insertSeconds.Observe(time.Since(began).Seconds())
	if err != nil {
		return blocks, fmt.Errorf("inserting offsets %d to %d: %w", f.rng.Lo, f.rng.Hi, err)
	}
	s.failpoint(FailAfterInsert)
	return blocks, nil
}

// commit commits one position and gives the moment it was sent. It is refused once the
// partition was given up; one sent earlier carries a generation that the
// group no longer accepts by the time another member owns the partition.
func (s *Sink) commit(ctx context.Context, p *sinkPart, offset int64, note string) (sent time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.sc.InsertTimeout)
	defer cancel()
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p.gone {
			return errGivenUp
		}
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				req.Topics[i].Partitions[j].Metadata = &note
			}
		}
		sent = time.Now()
		return nil
	})
	offsets := map[string]map[int32]kgo.EpochOffset{p.at.topic: {p.at.partition: {Epoch: -1, Offset: offset}}}
	s.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, failed error) {
		if err = failed; err != nil {
			return
		}
		err = errors.New("the group did not answer for the partition")
		for _, t := range resp.Topics {
			for _, q := range t.Partitions {
				err = kerr.ErrorForCode(q.ErrorCode)
			}
		}
	})
	switch {
	case errors.Is(err, kerr.OffsetMetadataTooLarge):
		return sent, stages.Permanent(err)
	case errors.Is(err, kerr.UnknownTopicID):
		return sent, cmp.Or(s.sameTopic(ctx, p.at), err)
	}
	return sent, classify(err)
}

// landed books the end of an attempt.
func (s *Sink) landed(p *sinkPart, f *flight, blocks int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.nudge()
	s.running--
	p.running = false
	if blocks > 0 {
		s.budget.settle(f.estimate, float64(blocks))
		s.blocks[p.at.topic] = float64(blocks)
		s.metrics.blocks.Add(float64(blocks))
		s.totals.Blocks += int64(blocks)
	}
	switch {
	case err == nil:
		if n := len(f.rng.Records); n > 0 {
			s.metrics.ranges.Inc()
			s.metrics.rows.Add(float64(n))
			s.totals.Ranges++
			s.totals.Rows += int64(n)
		}
		if !p.gone {
			s.buffered -= p.land()
			s.throttle()
		}
	case p.gone:
	case stages.IsPermanent(err):
		p.lastError = err.Error()
		s.cancel(stages.Permanent(fmt.Errorf("%s/%d: %w", p.at.topic, p.at.partition, err)))
		f.retryAt = time.Now().Add(time.Hour) // Run is ending
	default:
		b := backoff{tries: f.tries}
		wait := b.next()
		f.tries = b.tries
		f.retryAt = time.Now().Add(wait)
		p.lastError = err.Error()
		s.metrics.failures.Inc()
		s.totals.Failures++
		s.log.Warn("a range was not made durable, trying again", "topic", p.at.topic, "partition", p.at.partition,
			"lo", f.rng.Lo, "hi", f.rng.Hi, "try", f.tries, "wait", wait, "error", err)
	}
}

func (s *Sink) failpoint(name string) {
	if s.set.Failpoint != nil {
		s.set.Failpoint(name)
	}
}
