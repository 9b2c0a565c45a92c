package kafka

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lane is one assigned partition with the worker goroutine that alone calls its
// pipeline.Lane. The coordinator hands the worker jobs in order and waits for
// them to be done, so what the worker leaves in recs and box is the
// coordinator's to read in between.
type lane struct {
	at      tp
	topicID string
	first   int64 // committed offset when the partition was assigned

	work  pipeline.Lane         // worker only
	state pipeline.StatefulLane // the same lane if the hop has state, else nil

	ctx    context.Context // ends when the lane is closed or the session is
	stop   context.CancelFunc
	jobs   chan func()
	done   chan struct{}  // the worker has closed the lane
	opened chan error     // the first job's outcome
	bg     sync.WaitGroup // uploads of snapshots
	ready  bool           // opened and resumed; coordinator only

	// The transaction in flight; coordinator between jobs, worker in them.
	recs    []pipeline.Record
	headers []pipeline.Header
	fresh   int   // recs before this were given to Process already
	next    int64 // offset after the last polled record
	expect  int64 // first offset of an aborted batch: it must come again; -1: none
	low     int64 // first offset polled in this transaction; -1: none
	inBytes int64
	box     pipeline.Outbox
	sent    int  // messages of box produced already
	touched bool // Process or Idle was called: Commit or Rollback is due
	err     error

	lastData time.Time // when a record was last delivered, or the lane became ready
	lastIdle time.Time

	snap snapshotState // coordinator only

	// For Status.
	phase                     atomic.Int32
	committed                 atomic.Int64
	restoreDone, restoreTotal atomic.Int64
	lastManifest              atomic.Pointer[manifest]
}

// openLane starts the worker. Its first job opens the lane and, if it has state,
// brings that to the committed offset; the outcome comes over opened.
func (s *session) openLane(at tp, st start) *lane {
	ln := &lane{
		at: at, topicID: st.topicID, first: st.offset, next: st.offset, expect: -1, low: -1,
		jobs: make(chan func(), 4), done: make(chan struct{}), opened: make(chan error, 1),
	}
	ln.committed.Store(st.offset)
	ln.ctx, ln.stop = context.WithCancel(s.ctx)
	id := pipeline.LaneID{Topic: at.topic, Partition: at.partition, Partitions: st.partitions}
	go func() {
		defer close(ln.done)
		ln.opened <- s.prepare(ln, id)
		for job := range ln.jobs {
			job()
		}
		if ln.work != nil {
			ln.work.Close()
		}
	}()
	return ln
}

// prepare opens the lane and restores its state.
func (s *session) prepare(ln *lane, id pipeline.LaneID) error {
	if err := s.reopen(ln, id); err != nil {
		return err
	}
	if !s.r.hop.State {
		return nil
	}
	// Restoring is work on memory and network: not all lanes at once.
	select {
	case s.restoring <- struct{}{}:
		defer func() { <-s.restoring }()
	case <-ln.ctx.Done():
		return ln.ctx.Err()
	}
	if err := s.restore(ln, id); err != nil {
		return fmt.Errorf("restoring the state of %s/%d: %w", ln.at.topic, ln.at.partition, err)
	}
	return nil
}

// reopen gives the lane a fresh pipeline.Lane. Worker only.
func (s *session) reopen(ln *lane, id pipeline.LaneID) error {
	if ln.work != nil {
		ln.work.Close()
		ln.work, ln.state = nil, nil
	}
	w, err := s.r.hop.Open(id)
	if err != nil {
		return fmt.Errorf("opening lane %s/%d: %w", id.Topic, id.Partition, err)
	}
	ln.work = w
	if s.r.hop.State {
		st, ok := w.(pipeline.StatefulLane)
		if !ok {
			panic("BUG: a lane of a hop with state is not a StatefulLane")
		}
		ln.state = st
	}
	return nil
}

// closeLane ends the lane and waits for its worker. A restore or an upload under
// way is canceled first; a Process cannot be, because the coordinator that
// calls this is the one that waits for it.
func (s *session) closeLane(ln *lane) {
	ln.stop()
	close(ln.jobs)
	<-ln.done
	ln.bg.Wait()
	if s.snapping == ln {
		s.snapping = nil
	}
	s.mu.Lock()
	delete(s.lanes, ln.at)
	s.mu.Unlock()
}

// deliver appends polled records to the lane's batch. Control records of
// transactions move the position and are not shown: with them the position
// reaches the end of the log, so "nothing to read" can be told from a stall.
func (ln *lane) deliver(recs []*kgo.Record, now time.Time) (bytes int64, err error) {
	if recs[0].Offset < ln.next {
		return 0, fmt.Errorf("%s/%d: offset %d was delivered again, the position is %d", ln.at.topic, ln.at.partition, recs[0].Offset, ln.next)
	}
	if ln.expect >= 0 && recs[0].Offset > ln.expect {
		return 0, fmt.Errorf("%s/%d: offset %d was rolled back and did not come again, %d did", ln.at.topic, ln.at.partition, ln.expect, recs[0].Offset)
	}
	ln.expect = -1
	if ln.low < 0 {
		ln.low = recs[0].Offset
	}
	for _, r := range recs {
		if r.Attrs.IsControl() {
			continue
		}
		h0 := len(ln.headers)
		size := len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			ln.headers = append(ln.headers, pipeline.Header{Key: h.Key, Value: h.Value})
			size += len(h.Key) + len(h.Value)
		}
		ln.recs = append(ln.recs, pipeline.Record{
			Offset: r.Offset, Time: millis(r.Timestamp), Key: r.Key, Value: r.Value,
			Headers: ln.headers[h0:len(ln.headers):len(ln.headers)],
		})
		bytes += int64(size)
	}
	ln.next = recs[len(recs)-1].Offset + 1
	ln.inBytes += bytes
	if len(ln.recs) > ln.fresh {
		ln.lastData = now
	}
	return bytes, nil
}

// settled clears the batch after the end of a transaction. Records may be
// recycled only afterwards.
func (ln *lane) settled(committed bool) {
	if committed {
		ln.committed.Store(ln.next)
		ln.snap.bytes += ln.inBytes
	} else {
		ln.expect = ln.low
		ln.next = ln.committed.Load()
	}
	clear(ln.recs)
	clear(ln.headers)
	ln.recs, ln.headers, ln.fresh, ln.low, ln.inBytes = ln.recs[:0], ln.headers[:0], 0, -1, 0
	ln.box.Reset()
	ln.sent, ln.touched, ln.err = 0, false, nil
}

// each runs f on every lane's worker and waits for all.
func each(lanes []*lane, f func(*lane)) {
	var wg sync.WaitGroup
	wg.Add(len(lanes))
	for _, ln := range lanes {
		ln.jobs <- func() {
			defer wg.Done()
			f(ln)
		}
	}
	wg.Wait()
}
