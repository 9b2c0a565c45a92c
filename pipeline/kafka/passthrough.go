package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// PassThrough copies n records from one topic to another exactly once with
// nothing around it: the least that a transactional hop of this client library
// costs. Benchmarks show the hops beside it. It returns how many it copied.
func PassThrough(ctx context.Context, cfg Config, from, to string, n int) (int, error) {
	opts, err := cfg.Options()
	if err != nil {
		return 0, err
	}
	id := cfg.Prefix + ".passthrough." + to
	s, err := kgo.NewGroupTransactSession(append(opts, kgo.ConsumerGroup(id), kgo.TransactionalID(id), kgo.ConsumeTopics(from),
		kgo.DefaultProduceTopic(to), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(0), kgo.TransactionTimeout(cfg.TransactionTimeout))...)
	if err != nil {
		return 0, fmt.Errorf("connecting to kafka: %w", err)
	}
	defer s.Close()
	done := 0
	for done < n {
		fetches := s.PollRecords(ctx, cfg.BatchRecords)
		if err := fetches.Err0(); err != nil {
			return done, fmt.Errorf("polling %s: %w", from, err)
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := s.Begin(); err != nil {
			return done, fmt.Errorf("beginning a transaction: %w", err)
		}
		promise := kgo.AbortingFirstErrPromise(s.Client())
		count := 0
		fetches.EachRecord(func(r *kgo.Record) {
			s.Produce(ctx, &kgo.Record{Key: r.Key, Value: r.Value}, promise.Promise())
			count++
		})
		committed, err := s.End(ctx, promise.Err() == nil)
		if err != nil {
			return done, fmt.Errorf("ending a transaction: %w", err)
		}
		if committed {
			done += count
		}
	}
	return done, nil
}
