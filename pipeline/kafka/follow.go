package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Follow yields the committed records of a topic from its start and then as they
// come, until ctx ends or yield fails. A record is valid until yield returns.
func Follow(ctx context.Context, cfg Config, topic pipeline.Topic, yield func(pipeline.Record) error) error {
	opts, err := cfg.Options()
	if err != nil {
		return err
	}
	name := topic.Name(cfg.Prefix)
	cl, err := kgo.NewClient(append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics(name),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return fmt.Errorf("connecting to kafka: %w", err)
	}
	defer cl.Close()
	for {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			return fmt.Errorf("following %s: %w", name, err)
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			if failed == nil {
				failed = yield(pipeline.Record{Offset: r.Offset, Time: schema.FromTime(r.Timestamp), Key: r.Key, Value: r.Value})
			}
		})
		if failed != nil {
			return failed
		}
	}
}
