package kafka

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer writes raw records the way a sensor does; for the demonstration,
// benchmarks and tests.
type Producer struct {
	cl   *kgo.Client
	done *kgo.FirstErrPromise
}

// NewProducer connects lazily; records are compressed with lz4.
func NewProducer(cfg Config) (*Producer, error) {
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(append(opts, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(200_000),
		kgo.ProducerBatchMaxBytes(redriveMax), kgo.BrokerMaxWriteBytes(2*redriveMax))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to kafka: %w", err)
	}
	return &Producer{cl: cl, done: kgo.AbortingFirstErrPromise(cl)}, nil
}

// Send queues one record; key may be nil. at is the record's timestamp; zero is
// the clock's. The value must not change until Flush has returned.
func (p *Producer) Send(ctx context.Context, topic string, key, value []byte, at schema.Millis) {
	r := &kgo.Record{Topic: topic, Key: key, Value: value}
	if at != 0 {
		r.Timestamp = at.Time()
	}
	p.cl.Produce(ctx, r, p.done.Promise())
}

// Flush waits until all that was queued is acknowledged and gives the first
// error there was.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.cl.Flush(ctx); err != nil {
		return fmt.Errorf("producing: %w", err)
	}
	return p.done.Err()
}

// Close drops what is still queued.
func (p *Producer) Close() { p.cl.Close() }
