package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ReadCompacted gives every committed record a topic of ours held when the call
// began, partition by partition in the order of offsets; then it returns. Of
// records with one key the last counts, and a nil value is a deletion. The
// records are the caller's to keep. An error of yield ends the reading and is returned.
func ReadCompacted(ctx context.Context, cfg Config, topic pipeline.Topic, yield func(pipeline.Record) error) error {
	r, err := newLogReader(cfg)
	if err != nil {
		return err
	}
	defer r.close()
	return r.topic(ctx, topic.Name(cfg.Prefix), nil, func(_ int32, rec *kgo.Record) error {
		out := pipeline.Record{Offset: rec.Offset, Time: schema.FromTime(rec.Timestamp), Key: rec.Key, Value: rec.Value}
		for _, h := range rec.Headers {
			out.Headers = append(out.Headers, pipeline.Header{Key: h.Key, Value: h.Value})
		}
		return yield(out)
	})
}

// logReader reads stretches of partitions that are there already. It asks for
// batches by itself, because a consumer does not tell when it has passed the
// transaction markers, aborted records and compacted offsets at the end of one.
type logReader struct {
	cl  *kgo.Client
	adm *kadm.Client
}

func newLogReader(cfg Config) (*logReader, error) {
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to kafka: %w", err)
	}
	return &logReader{cl, kadm.NewClient(cl)}, nil
}

func (r *logReader) close() { r.cl.Close() }

// topic reads all partitions of a topic from their starts to their last stable
// offsets of now. from, if given, may put a later start or leave a partition out.
func (r *logReader) topic(ctx context.Context, topic string, from func(int32, int64) (int64, bool), yield func(int32, *kgo.Record) error) error {
	start, err := r.adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("reading log starts of %s: %w", topic, err)
	}
	to, err := r.adm.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("reading log ends of %s: %w", topic, err)
	}
	if err := errors.Join(start.Error(), to.Error()); err != nil {
		return fmt.Errorf("reading the bounds of %s: %w", topic, err)
	}
	var parts []int32
	for p := range to[topic] {
		parts = append(parts, p)
	}
	slices.Sort(parts)
	for _, p := range parts {
		at := start[topic][p].Offset
		if from != nil {
			var read bool
			if at, read = from(p, at); !read {
				continue
			}
		}
		err := r.partition(ctx, topic, p, at, to[topic][p].Offset, func(rec *kgo.Record) error { return yield(p, rec) })
		if err != nil {
			return err
		}
	}
	return nil
}

// partition reads the committed records from offset from up to but not including to.
func (r *logReader) partition(ctx context.Context, topic string, part int32, from, to int64, yield func(*kgo.Record) error) error {
	var leader *kgo.Broker
	var id kadm.TopicID
	empty := 0
	for from < to {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading %s/%d: %w", topic, part, err)
		}
		if leader == nil {
			d, err := r.adm.ListTopics(ctx, topic)
			if err != nil {
				return fmt.Errorf("looking for the leader of %s/%d: %w", topic, part, err)
			}
			p, ok := d[topic].Partitions[part]
			if !ok || p.Leader < 0 {
				sleep(ctx, 200*time.Millisecond)
				continue
			}
			leader, id = r.cl.Broker(int(p.Leader)), d[topic].ID
		}
		f, next, throttled, err := r.fetch(ctx, leader, id, topic, part, from)
		switch {
		case err == nil:
		case errors.Is(err, kerr.OffsetOutOfRange):
			// Retention has taken the beginning while we read.
			start, err := r.adm.ListStartOffsets(ctx, topic)
			if s, ok := start.Lookup(topic, part); err != nil || !ok || s.Err != nil || s.Offset <= from {
				return fmt.Errorf("reading %s/%d from offset %d: %w", topic, part, from, errors.Join(kerr.OffsetOutOfRange, err))
			} else {
				from = s.Offset
			}
			continue
		case kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err):
			leader = nil
			sleep(ctx, 200*time.Millisecond)
			continue
		default:
			return fmt.Errorf("reading %s/%d from offset %d: %w", topic, part, from, err)
		}
		for _, rec := range f.Records {
			if rec.Offset >= to {
				return nil
			}
			if err := yield(rec); err != nil {
				return err
			}
		}
		if next > from {
			from, empty = next, 0
			continue
		}
		// Nothing at or after from, though the log is longer: what was there has
		// been compacted away. Asked twice, since a quota also makes empty answers.
		if empty++; empty >= 2 && !throttled {
			return nil
		}
	}
	return nil
}

// fetch asks for the batches at an offset and gives the offset to go on from.
func (r *logReader) fetch(ctx context.Context, leader *kgo.Broker, id kadm.TopicID, topic string, part int32, from int64) (f kgo.FetchPartition, next int64, throttled bool, err error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 500, 1, 16<<20, 1
	req.SessionEpoch = -1 // no fetch session
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = part, from, 16<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = topic, id, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	answer, err := leader.RetriableRequest(ctx, req)
	if err != nil {
		return f, from, false, err
	}
	resp := answer.(*kmsg.FetchResponse)
	throttled = resp.ThrottleMillis > 0
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return f, from, throttled, err
	}
	if len(resp.Topics) == 0 || len(resp.Topics[0].Partitions) == 0 {
		return f, from, throttled, nil
	}
	opts := kgo.ProcessFetchPartitionOpts{Offset: from, IsolationLevel: kgo.ReadCommitted(), Topic: topic, Partition: part}
	f, next = kgo.ProcessFetchPartition(opts, &resp.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	return f, next, throttled, f.Err
}
