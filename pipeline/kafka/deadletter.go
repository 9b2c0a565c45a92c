package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeadLetterID names a rejected document: where its first record lies on the
// dead-letter topic.
type DeadLetterID struct {
	Partition int32
	Offset    int64
}

// String gives "partition/offset".
func (id DeadLetterID) String() string { return fmt.Sprintf("%d/%d", id.Partition, id.Offset) }

// MarshalText gives the same, for JSON.
func (id DeadLetterID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// ParseDeadLetterID reads what String writes.
func ParseDeadLetterID(s string) (id DeadLetterID, err error) {
	p, o, ok := strings.Cut(s, "/")
	part, errP := strconv.ParseInt(p, 10, 32)
	id.Offset, err = strconv.ParseInt(o, 10, 64)
	if !ok || errP != nil || err != nil || part < 0 || id.Offset < 0 {
		return DeadLetterID{}, fmt.Errorf("dead letter id %q: want partition/offset", s)
	}
	id.Partition = int32(part)
	return id, nil
}

// DeadLetterEntry is one rejected document, its chunks joined.
type DeadLetterEntry struct {
	ID       DeadLetterID  `json:"id"`
	Rejected schema.Millis `json:"rejected"` // timestamp of its first record
	// Problem tells why the document cannot be produced again: a chunk is missing,
	// or a record is not of our form. Empty: it is whole.
	Problem string `json:"problem,omitempty"`
	pipeline.DeadLetter
}

// DeadLetterFilter selects documents. The zero value selects all; fields that are
// set must all fit.
type DeadLetterFilter struct {
	Tenant, Source, Topic string
	Reason                schema.Reason
	Since, Until          schema.Millis  // of Rejected; Until is not included
	IDs                   []DeadLetterID // any of them
	Limit                 int            // at most so many, partition by partition, oldest first
}

func (f DeadLetterFilter) match(e *DeadLetterEntry) bool {
	switch {
	case f.Tenant != "" && f.Tenant != e.Tenant,
		f.Source != "" && f.Source != e.Source,
		f.Topic != "" && f.Topic != e.Topic,
		f.Reason != schema.ReasonNone && f.Reason != e.Reason,
		f.Since != 0 && e.Rejected < f.Since,
		f.Until != 0 && e.Rejected >= f.Until:
		return false
	}
	for _, id := range f.IDs {
		if id == e.ID {
			return true
		}
	}
	return len(f.IDs) == 0
}

var errEnough = errors.New("enough")

// ListDeadLetter gives the rejected documents the filter selects, whole, as they
// are on the topic when the call begins. The entry is the callee's to keep.
func ListDeadLetter(ctx context.Context, cfg Config, f DeadLetterFilter, yield func(DeadLetterEntry) error) error {
	r, err := newLogReader(cfg)
	if err != nil {
		return err
	}
	defer r.close()
	n := 0
	emit := func(e DeadLetterEntry) error {
		if !f.match(&e) {
			return nil
		}
		if err := yield(e); err != nil {
			return err
		}
		if n++; n == f.Limit {
			return errEnough
		}
		return nil
	}
	// Named documents are read from where the first of them lies.
	skip := func(part int32, from int64) (int64, bool) {
		at := int64(-1)
		for _, id := range f.IDs {
			if id.Partition == part && (at < 0 || id.Offset < at) {
				at = id.Offset
			}
		}
		return max(at, from), at >= 0 || len(f.IDs) == 0
	}
	j := joiner{emit: emit}
	last := int32(-1)
	err = r.topic(ctx, pipeline.TopicDeadLetter.Name(cfg.Prefix), skip, func(part int32, rec *kgo.Record) error {
		if part != last { // chunks of a document are in one partition
			if err := j.flush(); err != nil {
				return err
			}
			last = part
		}
		return j.add(part, rec)
	})
	if err == nil {
		err = j.flush()
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// ErrNoDeadLetter says that there is no document of that id.
var ErrNoDeadLetter = errors.New("no such dead letter")

// ShowDeadLetter gives one rejected document.
func ShowDeadLetter(ctx context.Context, cfg Config, id DeadLetterID) (DeadLetterEntry, error) {
	var found *DeadLetterEntry
	err := ListDeadLetter(ctx, cfg, DeadLetterFilter{IDs: []DeadLetterID{id}, Limit: 1}, func(e DeadLetterEntry) error {
		found = &e
		return nil
	})
	if err != nil {
		return DeadLetterEntry{}, err
	}
	if found == nil {
		return DeadLetterEntry{}, fmt.Errorf("%w: %s", ErrNoDeadLetter, id)
	}
	return *found, nil
}

// RedriveHeader is on every record that Redrive produced; its value is the id of
// the dead letter.
const RedriveHeader = "interdict-redrive"

// RedriveReport counts what Redrive did, or would do.
type RedriveReport struct {
	Selected int            `json:"selected"`
	Produced int            `json:"produced"` // zero in a dry run
	Bytes    int64          `json:"bytes"`    // of the documents that are whole
	Topics   map[string]int `json:"topics"`   // whole documents by raw topic
	Broken   []string       `json:"broken"`   // ids and problems of documents that are not whole
	Warnings []string       `json:"warnings"`
}

// Redrive produces the selected documents again: the bytes as they were received, to the
// raw topic and partition they came from, with the timestamp of the raw record, so that
// ids and times come out as they would have. The dead letter keeps them; what was
// redriven before is redriven again, which the alert's id makes harmless.
func Redrive(ctx context.Context, cfg Config, f DeadLetterFilter, dryRun bool) (RedriveReport, error) {
	rep := RedriveReport{Topics: make(map[string]int)}
	opts, err := cfg.Options()
	if err != nil {
		return rep, err
	}
	cl, err := kgo.NewClient(append(opts,
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(redriveMax), kgo.BrokerMaxWriteBytes(2*redriveMax), kgo.MaxBufferedBytes(4*redriveMax))...)
	if err != nil {
		return rep, fmt.Errorf("connecting to kafka: %w", err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	targets := make(map[string]int) // partitions by topic
	promise := kgo.AbortingFirstErrPromise(cl)
	err = ListDeadLetter(ctx, cfg, f, func(e DeadLetterEntry) error {
		rep.Selected++
		if e.Problem != "" {
			rep.Broken = append(rep.Broken, fmt.Sprintf("%s: %s", e.ID, e.Problem))
			return nil
		}
		n, ok := targets[e.Topic]
		if !ok {
			var warning string
			if n, warning, err = redriveTarget(ctx, adm, e.Topic); err != nil {
				return err
			}
			targets[e.Topic] = n
			if warning != "" {
				rep.Warnings = append(rep.Warnings, warning)
			}
		}
		rep.Topics[e.Topic]++
		rep.Bytes += int64(len(e.Bytes))
		if dryRun {
			return nil
		}
		rec := &kgo.Record{Topic: e.Topic, Partition: e.Partition % int32(n), Value: e.Bytes, Timestamp: e.Time.Time(),
			Headers: []kgo.RecordHeader{{Key: RedriveHeader, Value: []byte(e.ID.String())}}}
		done := promise.Promise()
		cl.Produce(ctx, rec, func(r *kgo.Record, err error) {
			if err != nil {
				err = fmt.Errorf("redriving %s to %s: %w", r.Headers[0].Value, r.Topic, err)
			}
			done(r, err)
		})
		rep.Produced++
		return nil
	})
	if e := promise.Err(); e != nil {
		rep.Produced = 0 // not known; repeating is harmless
		return rep, e
	}
	return rep, err
}

// redriveMax is the largest batch: the limit of records anywhere in Interdict.
const redriveMax = 16 << 20

// redriveTarget gives the partition count of a raw topic, and a warning if it does
// not keep the producer's timestamps.
func redriveTarget(ctx context.Context, adm *kadm.Client, topic string) (int, string, error) {
	d, err := adm.ListTopics(ctx, topic)
	if err == nil {
		err = d[topic].Err
	}
	if err != nil {
		return 0, "", fmt.Errorf("reading topic %s: %w", topic, err)
	}
	n := len(d[topic].Partitions)
	if n == 0 {
		return 0, "", fmt.Errorf("topic %s is gone", topic)
	}
	configs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil || len(configs) == 0 || configs[0].Err != nil {
		return n, fmt.Sprintf("not allowed to read the settings of %s: whether it keeps timestamps is not known", topic), nil
	}
	for _, c := range configs[0].Configs {
		if c.Key == "message.timestamp.type" && c.MaybeValue() == "LogAppendTime" {
			return n, fmt.Sprintf("%s stamps records itself: the times of redriven alerts will be those of the redrive", topic), nil
		}
	}
	return n, "", nil
}
