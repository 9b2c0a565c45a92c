package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"
)

// restore brings the lane's state to the offset the group has committed: the newest
// snapshot that is whole and fits, then the input from there on with outputs
// dropped. It runs on the lane's worker while the partition is paused.
func (s *session) restore(ln *lane, id pipeline.LaneID) error {
	ln.phase.Store(int32(phaseRestoring))
	ix, err := s.indexState(ln)
	if err != nil {
		return err
	}
	from, how := int64(-1), RestoreEmpty
	if len(ix.manifests) > 0 {
		how = RestoreRebuild
	}
	good := -1 // slot of the snapshot restored from
	for i, m := range ix.manifests {
		why := s.unfit(ln, ix, m)
		if why == nil {
			if why = s.load(ln, ix, m); why == nil {
				from, good, how = m.Offset, m.slot(), RestoreSnapshot
				if i > 0 {
					how = RestoreFallback
				}
				ln.lastManifest.Store(m)
				break
			}
			if ln.ctx.Err() != nil {
				return ln.ctx.Err()
			}
			// A lane that failed to restore is in no known state.
			if err := s.reopen(ln, id); err != nil {
				return err
			}
		}
		s.r.log.Warn("snapshot is of no use", "topic", ln.at.topic, "partition", ln.at.partition, "epoch", m.Epoch, "offset", m.Offset, "reason", why)
	}
	sn := &ln.snap
	sn.chunks = ix.chunks
	for _, m := range ix.manifests {
		sn.epoch = max(sn.epoch, m.Epoch)
	}
	if int((sn.epoch+1)%2) == good {
		sn.epoch++ // the next must not overwrite the one that is good
	}

	first, err := s.logStart(ln)
	if err != nil {
		return err
	}
	switch {
	case from < 0:
		from = min(first, ln.first)
		s.announceRebuild(ln, how, first)
	case from < first && from < ln.first:
		return stages.Permanent(fmt.Errorf("the log starts at offset %d, the newest usable snapshot ends at %d and %d is committed: the state between is lost; lengthen the retention of %s, and delete the lane's snapshots to start from what there is", first, from, ln.first, ln.at.topic))
	}
	n, err := s.replay(ln, from)
	if err != nil {
		return err
	}
	s.r.countRestore(how)
	s.r.log.Info("lane has its state", "topic", ln.at.topic, "partition", ln.at.partition, "how", how, "from", from, "committed", ln.first, "replayed", n)
	return nil
}

// announceRebuild tells when a state is made from the log alone, which takes long
// and covers no more than the log does.
func (s *session) announceRebuild(ln *lane, how string, first int64) {
	if how == RestoreRebuild {
		s.r.log.Warn("no usable snapshot: rebuilding the state from the start of the log", "topic", ln.at.topic, "partition", ln.at.partition, "log_start", first, "committed", ln.first)
	} else if first > 0 && first < ln.first {
		s.r.log.Warn("no snapshot yet and the log does not begin at 0: the state covers what the log holds", "topic", ln.at.topic, "partition", ln.at.partition, "log_start", first, "committed", ln.first)
	}
}

// unfit tells why a snapshot cannot be loaded, without reading it.
func (s *session) unfit(ln *lane, ix *stateIndex, m *manifest) error {
	switch {
	case m.StateVersion != ln.state.StateVersion():
		return fmt.Errorf("incompatible: state version %d, this build has %d", m.StateVersion, ln.state.StateVersion())
	case m.ConfigHash != ln.state.ConfigHash():
		return fmt.Errorf("incompatible: configuration hash %016x, now %016x", m.ConfigHash, ln.state.ConfigHash())
	case m.Offset > ln.first:
		return fmt.Errorf("it is of offset %d, the group was set back to %d", m.Offset, ln.first)
	}
	for i, h := range m.Hashes {
		if _, ok := ix.offsets[chunkID{m.slot(), i, h}]; !ok {
			return fmt.Errorf("damaged: chunk %d is missing or differs", i)
		}
	}
	return nil
}

// chunkID names a chunk by place and content: an upload that was cut short, or one
// of a member that had lost the partition, leaves other content under the same key.
type chunkID struct {
	slot, i int
	hash    uint64
}

// stateIndex is what one pass over the state partition finds of a lane.
type stateIndex struct {
	manifests []*manifest // newest first, at most one per slot
	offsets   map[chunkID]int64
	chunks    [2]int // one more than the highest chunk of each slot
}

// maxIndexTries bounds how often the state partition is read from its start, which
// compaction may move away while it is read.
const maxIndexTries = 5

// indexState reads the state partition and keeps no contents, so that memory does
// not depend on the size of the snapshots.
func (s *session) indexState(ln *lane) (ix *stateIndex, err error) {
	for range maxIndexTries {
		if ix, err = s.readState(ln); !errors.Is(err, kerr.OffsetOutOfRange) {
			break
		}
	}
	return ix, err
}

func (s *session) readState(ln *lane) (*stateIndex, error) {
	keys := stateKeys{s.r.hop.Name, ln.at}
	topic := s.topics[pipeline.TopicState]
	// A mark of our own shows where to stop. The end offset would not do:
	// transaction markers and compaction leave offsets that are never delivered.
	mark := s.r.plain.ProduceSync(ln.ctx, &kgo.Record{Topic: topic, Partition: ln.at.partition, Key: keys.end()})
	end, err := mark.First()
	if err != nil {
		return nil, fmt.Errorf("marking the end of %s: %w", topic, classify(err))
	}
	ix := &stateIndex{offsets: make(map[chunkID]int64)}
	var found [2]*manifest
	prefix := keys.prefix()
	err = s.scan(ln.ctx, tp{topic, ln.at.partition}, -1, func(r *kgo.Record) (bool, error) {
		if r.Offset >= end.Offset {
			return false, nil
		}
		rest, ok := strings.CutPrefix(string(r.Key), prefix)
		if !ok || r.Attrs.IsControl() {
			return true, nil
		}
		var slot, i int
		if _, err := fmt.Sscanf(rest, "manifest/%d", &slot); err == nil && (slot == 0 || slot == 1) {
			found[slot] = nil
			if r.Value == nil {
				return true, nil
			}
			m, err := decodeManifest(r.Value)
			if err != nil {
				s.r.log.Warn("unreadable manifest", "key", string(r.Key), "offset", r.Offset, "error", err)
				return true, nil
			}
			found[slot] = m
		} else if _, err := fmt.Sscanf(rest, "%d/%d", &slot, &i); err == nil && (slot == 0 || slot == 1) && r.Value != nil {
			ix.offsets[chunkID{slot, i, xxh3.Hash(r.Value)}] = r.Offset
			ix.chunks[slot] = max(ix.chunks[slot], i+1)
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", topic, err)
	}
	for slot, m := range found {
		if m != nil && m.slot() == slot {
			ix.manifests = append(ix.manifests, m)
		}
	}
	slices.SortFunc(ix.manifests, func(a, b *manifest) int {
		if a.Epoch > b.Epoch {
			return -1
		}
		return 1
	})
	return ix, nil
}

// load streams a snapshot's chunks into the lane.
func (s *session) load(ln *lane, ix *stateIndex, m *manifest) error {
	ln.restoreDone.Store(0)
	ln.restoreTotal.Store(m.Bytes)
	ctx, cancel := context.WithCancel(ln.ctx)
	defer cancel()
	pr, pw := io.Pipe()
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		_ = pw.CloseWithError(s.fetchChunks(ctx, ln, ix, m, pw))
	}()
	err := ln.state.Restore(pr)
	if err == nil {
		// What the lane did not care to read still counts for the checksum.
		_, err = io.Copy(io.Discard, pr)
	}
	cancel()
	_ = pr.Close()
	<-fetched
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	return nil
}

// fetchChunks writes the state to w, verified.
func (s *session) fetchChunks(ctx context.Context, ln *lane, ix *stateIndex, m *manifest, w io.Writer) error {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*maxChunk))
	if err != nil {
		return fmt.Errorf("opening zstd: %w", err)
	}
	defer dec.Close()
	at := make(map[int64][]int, len(m.Hashes)) // offset -> chunks
	first := int64(-1)
	for i, h := range m.Hashes {
		o := ix.offsets[chunkID{m.slot(), i, h}]
		at[o] = append(at[o], i)
		if first < 0 || o < first {
			first = o
		}
	}
	total := xxh3.New()
	next := 0
	early := make(map[int][]byte) // chunks met before their turn
	var raw []byte
	emit := func(chunk []byte) error {
		if raw, err = dec.DecodeAll(chunk, raw[:0]); err != nil {
			return fmt.Errorf("chunk %d: %w", next, err)
		}
		_, _ = total.Write(raw)
		ln.restoreDone.Add(int64(len(raw)))
		next++
		_, err := w.Write(raw)
		return err
	}
	if len(m.Hashes) > 0 {
		err = s.scan(ctx, tp{s.topics[pipeline.TopicState], ln.at.partition}, first, func(r *kgo.Record) (bool, error) {
			for _, i := range at[r.Offset] {
				if i != next {
					early[i] = slices.Clone(r.Value)
					continue
				}
				if err := emit(r.Value); err != nil {
					return false, err
				}
				for early[next] != nil {
					chunk := early[next]
					delete(early, next)
					if err := emit(chunk); err != nil {
						return false, err
					}
				}
			}
			return next < len(m.Hashes), nil
		})
		if err != nil {
			return err
		}
	}
	if total.Sum64() != m.Total {
		return errors.New("the checksum over the whole state differs")
	}
	return nil
}
