package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// replay processes the input from offset from up to the committed offset again, with
// outputs dropped, and gives the number of records.
func (s *session) replay(ln *lane, from int64) (int, error) {
	if from >= ln.first {
		return 0, nil
	}
	ln.phase.Store(int32(phaseReplaying))
	ln.restoreDone.Store(0)
	ln.restoreTotal.Store(ln.first - from)
	ln.state.SetReplaying(true)
	n := 0
	var recs []pipeline.Record
	flush := func() error {
		if len(recs) == 0 {
			return nil
		}
		if err := ln.work.Process(ln.ctx, recs, &ln.box); err != nil {
			return fmt.Errorf("replaying offsets %d to %d: %w", recs[0].Offset, recs[len(recs)-1].Offset, err)
		}
		ln.work.Commit()
		n += len(recs)
		recs = nil // the lane may have kept the old slice until Commit only, but the memory of records is not ours to reuse
		ln.box.Reset()
		return nil
	}
	held := 0
	err := s.scan(ln.ctx, ln.at, from, func(r *kgo.Record) (bool, error) {
		if r.Offset < ln.first && !r.Attrs.IsControl() {
			rec := pipeline.Record{Offset: r.Offset, Time: millis(r.Timestamp), Key: r.Key, Value: r.Value}
			for _, h := range r.Headers {
				rec.Headers = append(rec.Headers, pipeline.Header{Key: h.Key, Value: h.Value})
			}
			recs = append(recs, rec)
			held += len(r.Key) + len(r.Value)
		}
		// The committed offset is that after a record, or a marker, that was
		// read: meeting the one before it means all were met.
		more := r.Offset < ln.first-1
		if !more || len(recs) >= s.r.cfg.BatchRecords || int64(held) >= s.r.cfg.MaxBuffered/4 {
			held = 0
			ln.restoreDone.Store(r.Offset + 1 - from)
			if err := flush(); err != nil {
				return false, err
			}
		}
		return more, nil
	})
	if err != nil {
		return n, fmt.Errorf("replaying %s/%d from %d to %d: %w", ln.at.topic, ln.at.partition, from, ln.first, err)
	}
	ln.state.SetReplaying(false)
	return n, nil
}

// stallTimeout is how long a scan waits for the next record before it gives up.
// It must outlast a transaction that another member left open.
const stallTimeout = 2 * time.Minute

// scan reads a partition with a client of its own, read_committed, from offset (-1:
// the start) until each says stop. Records stay valid as long as they are referenced.
func (s *session) scan(ctx context.Context, p tp, offset int64, each func(*kgo.Record) (bool, error)) error {
	opts, err := s.r.clientOptions()
	if err != nil {
		return err
	}
	at := kgo.NewOffset().At(offset)
	if offset < 0 {
		at = kgo.NewOffset().AtStart()
	}
	cl, err := kgo.NewClient(append(opts,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: {p.partition: at}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumeStartOffset(at),
		kgo.FetchMaxBytes(8<<20), kgo.FetchMaxPartitionBytes(4<<20), kgo.MaxConcurrentFetches(1))...)
	if err != nil {
		return fmt.Errorf("opening a client: %w", err)
	}
	defer cl.Close()
	for {
		pctx, cancel := context.WithTimeout(ctx, stallTimeout)
		fetches := cl.PollRecords(pctx, 10000)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fetches.Err0(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("no record of %s/%d for %s", p.topic, p.partition, stallTimeout)
			}
			return classify(err)
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("reading %s/%d: %w", e.Topic, e.Partition, classify(e.Err))
		}
		for it := fetches.RecordIter(); !it.Done(); {
			more, err := each(it.Next())
			if err != nil || !more {
				return err
			}
		}
	}
}

// logStart gives the first offset of the lane's input.
func (s *session) logStart(ln *lane) (int64, error) {
	o, err := listOne(s.r.adm.ListStartOffsets(ln.ctx, ln.at.topic))(ln.at)
	if err != nil {
		return 0, fmt.Errorf("reading the start of %s/%d: %w", ln.at.topic, ln.at.partition, err)
	}
	return o, nil
}

// listOne picks one partition from a listing.
func listOne(l kadm.ListedOffsets, err error) func(tp) (int64, error) {
	return func(p tp) (int64, error) {
		if err != nil {
			return 0, err
		}
		o, ok := l.Lookup(p.topic, p.partition)
		if !ok {
			return 0, kerr.UnknownTopicOrPartition
		}
		return o.Offset, o.Err
	}
}
