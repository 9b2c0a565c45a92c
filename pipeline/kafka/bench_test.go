package kafka

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// copyLane passes records of any form on to the partition of the lane's number.
type copyLane struct {
	passLane
	id pipeline.LaneID
}

func (l copyLane) Process(_ context.Context, recs []pipeline.Record, out *pipeline.Outbox) error {
	for _, r := range recs {
		out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Shard: schema.Shard(l.id.Partition), Value: r.Value})
	}
	return nil
}

// fill puts n records of about 1 KB on the input, lz4.
func (c *cluster) fill(b *testing.B, input string, n int) {
	b.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	body := bytes.Repeat([]byte(`{"timestamp":"2026-01-02T03:04:05.000Z","src_ip":"10.1.2.3","alert":{"severity":2}} `), 12)
	for i := range n {
		cl.Produce(b.Context(), &kgo.Record{Topic: input, Partition: int32(i) % c.partitions, Value: fmt.Appendf(nil, "%d %s", i, body)}, nil)
	}
	if err := cl.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkHop measures the runner with a lane that copies, kfake in the same process.
func BenchmarkHop(b *testing.B) {
	c := newCluster(b, 4)
	input := c.input(b, "raw")
	c.fill(b, input, b.N)
	hop := pipeline.Hop{Name: "copy", Inputs: []string{input}, Open: func(id pipeline.LaneID) (pipeline.Lane, error) { return copyLane{id: id}, nil }}
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Prefix, cfg.Instance, cfg.Partitions = c.brokers, c.prefix, "bench", c.partitions
	b.ReportAllocs()
	b.ResetTimer()
	r := c.start(b, cfg, hop, Settings{})
	var began time.Time
	for done := int64(0); done < int64(b.N); {
		time.Sleep(2 * time.Millisecond)
		done = 0
		for _, l := range r.Status().Lanes {
			if l.Phase == "running" && began.IsZero() {
				began = time.Now() // joining the group is not the hop's speed
			}
			done += l.Committed
		}
		// Offsets: the input was not written in transactions, so they count records.
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "records/s")
	b.StopTimer()
}

// BenchmarkBareLoop is the same work without a runner: one loop over one
// GroupTransactSession, polls of 10000.
func BenchmarkBareLoop(b *testing.B) {
	c := newCluster(b, 4)
	input := c.input(b, "raw")
	c.fill(b, input, b.N)
	out := pipeline.TopicAlerts.Name(c.prefix)
	b.ReportAllocs()
	b.ResetTimer()
	s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(c.brokers...), kgo.ConsumerGroup(c.prefix), kgo.ConsumeTopics(input),
		kgo.TransactionalID(c.prefix), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	var began time.Time
	for done := 0; done < b.N; {
		fs := s.PollRecords(b.Context(), 10000)
		if err := fs.Err(); err != nil {
			b.Fatal(err)
		}
		if began.IsZero() {
			began = time.Now()
		}
		if err := s.Begin(); err != nil {
			b.Fatal(err)
		}
		e := kgo.AbortingFirstErrPromise(s.Client())
		fs.EachRecord(func(r *kgo.Record) {
			done++
			s.Produce(b.Context(), &kgo.Record{Topic: out, Partition: r.Partition, Value: r.Value}, e.Promise())
		})
		if ok, err := s.End(b.Context(), e.Err() == nil); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "records/s")
	b.StopTimer()
	s.Close()
}
