package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"
)

// maxChunk is the most state one chunk carries before compression. zstd adds a few
// bytes to what it cannot compress; with them a chunk stays within 512 KiB.
const maxChunk = 512<<10 - 4<<10

// snapshotState is what the coordinator knows of a lane's snapshots.
type snapshotState struct {
	epoch   uint64    // of the newest begun
	chunks  [2]int    // how many chunk keys each slot may hold
	since   time.Time // when the newest was begun, or the lane became ready
	bytes   int64     // input committed since then
	writing bool      // being serialized or uploaded
	ready   *manifest // all chunks acknowledged; waits for a transaction
}

// snapshotResult is what an upload reports.
type snapshotResult struct {
	ln   *lane
	m    *manifest
	took time.Duration
	err  error
}

// takeSnapshots takes in finished uploads and begins a snapshot of the lane that
// is due, one at a time: a snapshot holds the whole state in memory.
func (s *session) takeSnapshots() {
	select {
	case res := <-s.snapped:
		s.snapshotDone(res)
	default:
	}
	if s.snapping != nil || !s.r.hop.State {
		return
	}
	now := s.r.set.Clock()
	var due *lane
	for _, ln := range s.lanes {
		sn := &ln.snap
		if !ln.ready || sn.writing || sn.ready != nil || sn.bytes == 0 {
			continue
		}
		if sn.bytes < s.r.cfg.SnapshotBytes && now.Sub(sn.since) < s.r.cfg.SnapshotEvery {
			continue
		}
		if due == nil || sn.since.Before(due.snap.since) {
			due = ln
		}
	}
	if due != nil {
		s.snapshot(due, now)
	}
}

// snapshot serializes the lane's committed state on its worker and leaves the rest to
// an upload. Nobody waits here: the next Process of this lane queues behind
// the job, other lanes go on. This is a commit boundary because reconcile runs
// between transactions.
func (s *session) snapshot(ln *lane, now time.Time) {
	sn := &ln.snap
	sn.epoch++
	m := &manifest{Epoch: sn.epoch, Offset: ln.committed.Load(), Taken: now.UnixMilli()}
	sn.since, sn.bytes, sn.writing, s.snapping = now, 0, true, ln
	began := time.Now()
	ln.bg.Add(1)
	ln.jobs <- func() {
		m.StateVersion, m.ConfigHash = ln.state.StateVersion(), ln.state.ConfigHash()
		var buf slabs
		if err := ln.state.Snapshot(&buf); err != nil {
			defer ln.bg.Done()
			s.report(ln, snapshotResult{ln: ln, m: m, err: fmt.Errorf("serializing the state: %w", err)})
			return
		}
		go func() {
			defer ln.bg.Done()
			err := s.upload(ln.ctx, ln, m, &buf)
			s.report(ln, snapshotResult{ln: ln, m: m, took: time.Since(began), err: err})
		}()
	}
}

// report hands over a result, unless the lane is being closed.
func (s *session) report(ln *lane, res snapshotResult) {
	select {
	case s.snapped <- res:
	case <-ln.ctx.Done():
	}
}

// upload compresses the slabs and produces them as chunks, outside of
// transactions. It fills in what the manifest says of them and returns when all are
// acknowledged.
func (s *session) upload(ctx context.Context, ln *lane, m *manifest, buf *slabs) error {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return fmt.Errorf("opening zstd: %w", err)
	}
	defer enc.Close()
	keys := stateKeys{s.r.hop.Name, ln.at}
	total := xxh3.New()
	pending := acks{done: make(chan struct{}, 1)}
	for i, slab := range buf.full {
		if i == len(buf.full)/2 {
			// The failpoint finds half of the chunks on the topic for certain.
			if err := pending.wait(ctx); err != nil {
				return err
			}
			s.r.fail(FailMidSnapshot)
		}
		_, _ = total.Write(slab)
		m.Bytes += int64(len(slab))
		chunk := enc.EncodeAll(slab, make([]byte, 0, len(slab)/2))
		buf.full[i] = nil // frees the memory as it goes
		m.Sizes = append(m.Sizes, uint32(len(chunk)))
		m.Hashes = append(m.Hashes, xxh3.Hash(chunk))
		pending.add()
		s.r.plain.Produce(ctx, &kgo.Record{
			Topic: s.topics[pipeline.TopicState], Partition: ln.at.partition,
			Key: keys.chunk(m.slot(), i), Value: chunk,
		}, pending.promise)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	m.Total = total.Sum64()
	if err := pending.wait(ctx); err != nil {
		return fmt.Errorf("producing chunks: %w", err)
	}
	return nil
}

// snapshotDone makes a finished snapshot's manifest ready for the next transaction.
func (s *session) snapshotDone(res snapshotResult) {
	ln := res.ln
	if s.snapping != ln {
		return // closed meanwhile
	}
	s.snapping = nil
	sn := &ln.snap
	sn.writing = false
	// The attempt may have written more chunks than the slot held before.
	slot := res.m.slot()
	sn.chunks[slot] = max(sn.chunks[slot], len(res.m.Sizes))
	if res.err != nil {
		s.r.log.Warn("snapshot failed, the one before stays", "topic", ln.at.topic, "partition", ln.at.partition, "epoch", res.m.Epoch, "error", res.err)
		sn.bytes = max(sn.bytes, 1) // due again after SnapshotEvery
		sn.epoch += 1               // the next must use the slot of this failed one again
		return
	}
	sn.ready = res.m
	s.r.metrics.snapshotBytes.Observe(float64(res.m.Bytes))
	s.r.metrics.snapshotDur.Observe(res.took.Seconds())
}

// manifestCommitted is called when the transaction that holds the manifest has
// been committed: the snapshot exists.
func (ln *lane) manifestCommitted() {
	m := ln.snap.ready
	ln.snap.ready = nil
	ln.snap.chunks[m.slot()] = len(m.Sizes)
	ln.lastManifest.Store(m)
}

// slabs is a writer into memory in pieces of one chunk.
type slabs struct{ full [][]byte }

func (b *slabs) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		last := len(b.full) - 1
		if last < 0 || len(b.full[last]) == maxChunk {
			b.full = append(b.full, make([]byte, 0, maxChunk))
			last++
		}
		room := min(len(p), maxChunk-len(b.full[last]))
		b.full[last] = append(b.full[last], p[:room]...)
		p = p[room:]
	}
	return n, nil
}

// acks waits for promises. Unlike a WaitGroup it can be given up: a broker that is
// gone must not keep a lane from closing.
type acks struct {
	mu   sync.Mutex
	open int
	err  error
	done chan struct{} // one signal when open reaches zero
}

func (a *acks) add() {
	a.mu.Lock()
	a.open++
	a.mu.Unlock()
}

func (a *acks) promise(_ *kgo.Record, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
	if a.open--; a.open == 0 {
		select {
		case a.done <- struct{}{}:
		default:
		}
	}
}

// wait returns when every promise so far has been kept, with the first error.
func (a *acks) wait(ctx context.Context) error {
	for {
		a.mu.Lock()
		open, err := a.open, a.err
		a.mu.Unlock()
		if open == 0 {
			return err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
