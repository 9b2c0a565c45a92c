package kafka

import (
	"bytes"
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestAbortedStayHidden: a read_committed client whose answers are cut by their
// size alone still sees nothing of an aborted transaction.
func TestAbortedStayHidden(t *testing.T) {
	b, err := StartBroker(t.Context(), BrokerConfig{Partitions: 1, Raw: []RawTopic{{Name: "edr", Partitions: 2}}, Logger: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.TransactionalID("writer"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const each = 40
	send := func(value byte, end kgo.TransactionEndTry) {
		if err := w.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range each {
			r := &kgo.Record{Topic: "edr", Partition: int32(i % 2), Value: bytes.Repeat([]byte{value}, 10<<10)}
			if err := w.ProduceSync(t.Context(), r).FirstErr(); err != nil { // a batch each
				t.Fatal(err)
			}
		}
		if err := w.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	send('a', kgo.TryAbort)
	send('c', kgo.TryCommit)
	r, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.ConsumeTopics("edr"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(45<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for n := 0; n < each; {
		fetches := r.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", n, each, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if n++; r.Value[0] != 'c' {
				t.Fatalf("offset %d of partition %d is of an aborted transaction", r.Offset, r.Partition)
			}
		})
	}
}
