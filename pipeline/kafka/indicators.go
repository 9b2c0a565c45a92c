package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// IndicatorLog reads the indicators topic, which is one partition, as a log. Only what
// is committed is seen. It is safe for several goroutines. It joins no group: the
// place to read from is the caller's business.
type IndicatorLog struct {
	r     *logReader
	topic string

	mu     sync.Mutex
	leader *kgo.Broker // nil: to be looked for
	id     kadm.TopicID
}

// OpenIndicatorLog connects lazily. Close it.
func OpenIndicatorLog(cfg Config) (*IndicatorLog, error) {
	r, err := newLogReader(cfg)
	if err != nil {
		return nil, err
	}
	return &IndicatorLog{r: r, topic: pipeline.TopicIndicators.Name(cfg.Prefix)}, nil
}

// Close ends the connections; calls under way fail.
func (l *IndicatorLog) Close() { l.r.close() }

// Bounds gives the first offset that is still there and the last stable offset.
func (l *IndicatorLog) Bounds(ctx context.Context) (start, end int64, err error) {
	from, err := l.r.adm.ListStartOffsets(ctx, l.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the start of %s: %w", l.topic, err)
	}
	to, err := l.r.adm.ListCommittedOffsets(ctx, l.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the end of %s: %w", l.topic, err)
	}
	s, err := l.only(from)
	if err != nil {
		return 0, 0, err
	}
	e, err := l.only(to)
	if err != nil {
		return 0, 0, err
	}
	return s, e, nil
}

// OffsetAt gives the offset of the first record whose timestamp is not before a time;
// the end of the log if there is none.
func (l *IndicatorLog) OffsetAt(ctx context.Context, at schema.Millis) (int64, error) {
	found, err := l.r.adm.ListOffsetsAfterMilli(ctx, int64(at), l.topic)
	if err != nil {
		return 0, fmt.Errorf("looking for a time in %s: %w", l.topic, err)
	}
	return l.only(found)
}

// only gives the offset of the one partition.
func (l *IndicatorLog) only(o kadm.ListedOffsets) (int64, error) {
	if err := o.Error(); err != nil {
		return 0, fmt.Errorf("reading offsets of %s: %w", l.topic, classify(err))
	}
	switch len(o[l.topic]) {
	case 1:
		return o[l.topic][0].Offset, nil
	case 0:
		return 0, fmt.Errorf("reading offsets of %s: %w", l.topic, errNoTopic)
	}
	return 0, fmt.Errorf("%s has %d partitions and may have one only", l.topic, len(o[l.topic]))
}

// Poll yields what one fetch brings from an offset on, waiting half a second for
// something to come. It gives the offset to go on from, past markers and what was
// aborted, and the last stable offset. Values belong to the caller.
func (l *IndicatorLog) Poll(ctx context.Context, from int64, yield func(offset int64, value []byte) error) (next, end int64, err error) {
	leader, id, err := l.led(ctx)
	if err != nil {
		return from, from, err
	}
	f, next, _, err := l.r.fetch(ctx, leader, id, l.topic, 0, from)
	if err != nil {
		l.mu.Lock()
		l.leader = nil
		l.mu.Unlock()
		return from, from, fmt.Errorf("reading %s from offset %d: %w", l.topic, from, err)
	}
	for _, rec := range f.Records {
		if err := yield(rec.Offset, rec.Value); err != nil {
			return rec.Offset, f.LastStableOffset, err
		}
	}
	return next, max(f.LastStableOffset, next), nil
}

// led gives the leader of the partition.
func (l *IndicatorLog) led(ctx context.Context) (*kgo.Broker, kadm.TopicID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leader != nil {
		return l.leader, l.id, nil
	}
	d, err := l.r.adm.ListTopics(ctx, l.topic)
	if err != nil {
		return nil, l.id, fmt.Errorf("looking for the leader of %s: %w", l.topic, err)
	}
	if err := d[l.topic].Err; err != nil {
		return nil, l.id, fmt.Errorf("looking for the leader of %s: %w", l.topic, classify(err))
	}
	p, ok := d[l.topic].Partitions[0]
	if !ok || p.Leader < 0 {
		return nil, l.id, fmt.Errorf("looking for the leader of %s: %w", l.topic, kerr.LeaderNotAvailable)
	}
	l.leader, l.id = l.r.cl.Broker(int(p.Leader)), d[l.topic].ID
	return l.leader, l.id, nil
}
