package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RawRecord is a record of any topic, with its partition. It is the caller's to
// keep.
type RawRecord struct {
	Partition int32
	pipeline.Record
}

// Recent gives the last n committed records of a topic, the oldest first by their
// timestamps. It joins no group and changes nothing. Offsets without a record
// (markers of transactions, compacted keys) count as one, so that there may be
// fewer.
func Recent(ctx context.Context, cfg Config, topic string, n int) ([]RawRecord, error) {
	r, err := newLogReader(cfg)
	if err != nil {
		return nil, err
	}
	defer r.close()
	to, err := r.adm.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("reading log ends of %s: %w", topic, err)
	}
	if err := to.Error(); err != nil {
		return nil, fmt.Errorf("reading log ends of %s: %w", topic, err)
	}
	if len(to[topic]) == 0 {
		return nil, fmt.Errorf("reading %s: %w", topic, errNoTopic)
	}
	var last []RawRecord
	// More than twice as many as wanted are never held.
	keep := func() {
		slices.SortStableFunc(last, func(a, b RawRecord) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
		})
		last = slices.Delete(last, 0, max(0, len(last)-n))
	}
	from := func(part int32, start int64) (int64, bool) { return max(start, to[topic][part].Offset-int64(n)), true }
	err = r.topic(ctx, topic, from, func(part int32, rec *kgo.Record) error {
		last = append(last, RawRecord{part, pipeline.Record{Offset: rec.Offset, Time: schema.FromTime(rec.Timestamp), Key: rec.Key, Value: rec.Value}})
		if len(last) >= 2*n {
			keep()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	keep()
	return last, nil
}

var errNoTopic = errors.New("there is no such topic")
