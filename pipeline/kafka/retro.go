package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RetroWriter puts retro-matches onto the alerts log, each into the partition of its
// tenant, in transactions whose id is one for the prefix: a writer that is opened
// later fences those before it. It is safe for concurrent use.
type RetroWriter struct {
	cfg   Config
	txnID string

	mu    sync.Mutex
	cl    *kgo.Client // nil: to be connected, which undoes what an earlier one left open
	parts *partitioner
	dead  error
}

// retroBatch is how many matches one transaction holds: readers wait for its end.
const retroBatch = 2000

// NewRetroWriter connects with the first Emit. Close it.
func NewRetroWriter(cfg Config) (*RetroWriter, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w := &RetroWriter{cfg: cfg, txnID: cfg.Prefix + ".retro"}
	if cfg.FreshTransactionalIDs {
		w.txnID += fmt.Sprintf(".%016x", rand.Uint64())
	}
	return w, nil
}

// Emit writes the matches and returns when the log has them. After an error some of
// them may be there: emitting them again adds nothing to what they say. An error
// that stages.Permanent marks says that another writer has taken over, or that the
// cluster does not fit the configuration.
func (w *RetroWriter) Emit(ctx context.Context, found []schema.RetroMatch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for part := range slices.Chunk(found, retroBatch) {
		if err := w.transaction(ctx, part); err != nil {
			return fmt.Errorf("writing %s: %w", pipeline.TopicAlerts.Name(w.cfg.Prefix), err)
		}
	}
	return nil
}

func (w *RetroWriter) transaction(ctx context.Context, found []schema.RetroMatch) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	err := w.cl.BeginTransaction()
	if err == nil {
		recs := make([]*kgo.Record, len(found))
		for i := range found {
			shard := schema.ShardOf(found[i].Tenant)
			recs[i] = &kgo.Record{Key: binary.BigEndian.AppendUint16(nil, uint16(shard)), Value: schema.AppendRetroEntry(nil, &found[i]),
				Partition: shard.Partition(int(w.cfg.Partitions))}
		}
		err = w.cl.ProduceSync(ctx, recs...).FirstErr()
		if end := w.cl.EndTransaction(ctx, kgo.TransactionEndTry(err == nil)); err == nil {
			err = end
		}
	}
	if err == nil {
		return nil
	}
	if wrong := w.parts.mismatch(); wrong != nil {
		err = wrong
	}
	w.cl.Close() // how the transaction ended is not known: the next one settles it
	w.cl = nil
	return w.judge(err)
}

func (w *RetroWriter) connect(ctx context.Context) error {
	if w.dead != nil || w.cl != nil {
		return w.dead
	}
	opts, err := w.cfg.Options()
	if err != nil {
		return err
	}
	topic := pipeline.TopicAlerts.Name(w.cfg.Prefix)
	w.parts = &partitioner{counts: map[string]int32{topic: w.cfg.Partitions}}
	cl, err := kgo.NewClient(append(opts,
		kgo.TransactionalID(w.txnID),
		kgo.TransactionTimeout(w.cfg.TransactionTimeout),
		kgo.RecordDeliveryTimeout(w.cfg.TransactionTimeout),
		kgo.RecordPartitioner(w.parts),
		kgo.WithCompressor(newLZ4Compressor()),
		kgo.DefaultProduceTopic(topic))...)
	if err != nil {
		return fmt.Errorf("connecting to kafka: %w", err)
	}
	if _, _, err := cl.ProducerID(ctx); err != nil {
		cl.Close()
		return w.judge(err)
	}
	w.cl = cl
	return nil
}

// judge tells the errors of a writer that was fenced from others.
func (w *RetroWriter) judge(err error) error {
	if errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) {
		w.dead = stages.Permanent(fmt.Errorf("another writer of retro-matches has taken over: %w", err))
		return w.dead
	}
	return classify(err)
}

// Close ends the connection.
func (w *RetroWriter) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cl != nil {
		w.cl.Close()
		w.cl = nil
	}
	if w.dead == nil {
		w.dead = stages.Permanent(errors.New("the writer of retro-matches is closed"))
	}
}
