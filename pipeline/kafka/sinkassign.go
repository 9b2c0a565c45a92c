package kafka

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// onAssigned has nothing to do: a partition is ours once its offset is known. That
// it is registered keeps polls and assignments apart.
func (s *Sink) onAssigned(context.Context, *kgo.Client, map[string][]int32) {}

// onFetched keeps the metadata of the committed offsets for adjust, which
// franz-go calls next on the same goroutine.
func (s *Sink) onFetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.notes)
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if p.Metadata != nil && p.Offset >= 0 {
					s.notes[tp{t.Topic, p.Partition}] = *p.Metadata
				}
			}
		}
	}
	return nil
}

// adjust opens the partitions that are now ours, before anything of them is
// fetched: it resolves where each begins, takes up intents, and stops the sink at
// a position the log does not hold.
func (s *Sink) adjust(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	topics := make([]string, 0, len(offsets))
	for t := range offsets {
		topics = append(topics, t)
	}
	details, err := s.adm.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading assigned topics: %w", err)
	}
	first, err := s.adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading log starts: %w", err)
	}
	last, err := s.adm.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("reading log ends: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, ps := range offsets {
		id := topicID(details[t])
		for n, o := range ps {
			lo, okLo := first.Lookup(t, n)
			hi, okHi := last.Lookup(t, n)
			if !okLo || !okHi || lo.Err != nil || hi.Err != nil {
				return nil, fmt.Errorf("the log bounds of %s/%d are not known: %v, %v", t, n, lo.Err, hi.Err)
			}
			p := &sinkPart{at: tp{t, n}, id: id, compact: s.compact[t], end: -1, next: o.EpochOffset().Offset, since: time.Now()}
			note := s.notes[p.at]
			if p.next < 0 {
				// Kafka forgets the positions of a topic it deletes: that it was
				// created again is then known only to a process that worked on it.
				p.next, note = lo.Offset, sinkNote(s.ids[t])
				ps[n] = kgo.NewOffset().At(p.next)
			}
			if p.compact && p.next < lo.Offset {
				// A later record of the same key says what compaction took.
				p.next = lo.Offset
				ps[n] = kgo.NewOffset().At(p.next)
			}
			if err := p.resume(note, lo.Offset, hi.Offset); err != nil {
				s.cancel(stages.Permanent(err))
				return nil, err
			}
			s.ids[t] = id
			p.committed = p.next
			s.parts[p.at] = p
			if p.recovered != nil {
				s.metrics.recovered.Inc()
				s.totals.Recovered++
				s.log.Info("taking up an announced range", "topic", t, "partition", n, "lo", p.next, "hi", p.recovered.hi, "records", p.recovered.n, "announced", p.recovered.try)
			}
		}
	}
	return offsets, nil
}

// topicID gives the id of this incarnation of a topic; its name, where the broker
// has no ids.
func topicID(d kadm.TopicDetail) string {
	if d.ID == (kadm.TopicID{}) {
		return d.Topic
	}
	return hex.EncodeToString(d.ID[:])
}

// resume checks the committed position against a log from lo to hi and takes up
// the intent in its metadata.
func (p *sinkPart) resume(note string, lo, hi int64) error {
	id, in, err := parseNote(note)
	if err != nil {
		return fmt.Errorf("%s/%d: %w", p.at.topic, p.at.partition, err)
	}
	if err := inLog(p.at, p.next, lo, hi, p.id, id); err != nil {
		return err
	}
	if in == nil || p.compact {
		return nil
	}
	if in.hi < p.next || in.hi >= hi {
		return fmt.Errorf("%s/%d: the range %d to %d was announced but the log ends at %d", p.at.topic, p.at.partition, p.next, in.hi, hi)
	}
	p.recovered = in
	return nil
}

// onRevoked finishes what is under way, for a while, and gives the partitions up.
func (s *Sink) onRevoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.release(keysOf(gone), true)
}

// onLost gives up partitions that are no longer ours.
func (s *Sink) onLost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.release(keysOf(gone), false)
}

func keysOf(m map[string][]int32) []tp {
	keys := make([]tp, 0, len(m))
	for t, ps := range m {
		for _, p := range ps {
			keys = append(keys, tp{t, p})
		}
	}
	return keys
}

// release gives partitions up, nil being all of them. With wait, attempts under
// way have RevokeTimeout to end; then, and without wait at once, they are canceled.
// After release nothing is committed for these partitions, even by an Insert
// that does not listen to its context; the next owner finds its intent.
func (s *Sink) release(keys []tp, wait bool) {
	s.mu.Lock()
	if keys == nil {
		for k := range s.parts {
			keys = append(keys, k)
		}
	}
	var parts []*sinkPart
	var flights []*flight
	for _, k := range keys {
		p := s.parts[k]
		if p == nil {
			continue
		}
		p.leaving, p.gone = true, !wait
		parts = append(parts, p)
		if p.running {
			flights = append(flights, p.flight)
		}
	}
	s.mu.Unlock()

	ended := true
	if wait {
		ended = waitFlights(flights, s.sc.RevokeTimeout)
	}
	s.mu.Lock()
	for _, p := range parts {
		p.gone = true
	}
	s.mu.Unlock()
	for _, f := range flights {
		f.cancel()
	}
	if !ended || !wait {
		ended = waitFlights(flights, time.Second)
	}
	if !ended {
		s.log.Warn("an insert does not listen to its context; the partition's next owner inserts the range again")
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	var resume map[string][]int32
	for _, p := range parts {
		s.buffered -= p.bytes
		delete(s.parts, p.at)
		if p.paused {
			resume = addPart(resume, p.at)
		}
	}
	if resume != nil {
		s.client.ResumeFetchPartitions(resume) // it may come back
	}
	s.throttle()
	s.nudge()
}

// waitFlights waits for all of them to end, at most for d, and reports whether
// they did.
func waitFlights(flights []*flight, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for _, f := range flights {
		select {
		case <-f.done:
		case <-t.C:
			return false
		}
	}
	return true
}
