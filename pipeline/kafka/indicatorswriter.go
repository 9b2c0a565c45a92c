package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// IndicatorWriter writes the indicators topic, in transactions whose id is one for the
// prefix: a writer that is opened later fences those before it. It is an IndicatorLog
// as well. Fence and Append are for one goroutine.
type IndicatorWriter struct {
	*IndicatorLog
	cfg   Config
	txnID string
	cl    *kgo.Client // nil: before Fence
	doubt bool        // how the last transaction ended is not known
	dead  error
}

// OpenIndicatorWriter connects lazily. Close it.
func OpenIndicatorWriter(cfg Config) (*IndicatorWriter, error) {
	l, err := OpenIndicatorLog(cfg)
	if err != nil {
		return nil, err
	}
	w := &IndicatorWriter{IndicatorLog: l, cfg: cfg, txnID: cfg.Prefix + ".indicators"}
	if cfg.FreshTransactionalIDs {
		w.txnID += fmt.Sprintf("-%016x", rand.Uint64())
	}
	return w, nil
}

// Close ends the connections. What Append has not finished is undone by the next
// writer or, after the transaction's timeout, by the cluster.
func (w *IndicatorWriter) Close() {
	if w.cl != nil {
		w.cl.Close()
	}
	w.IndicatorLog.Close()
}

// Fence takes the transactional id: writers before this one can write no more, and
// what they or a failed Append left open is undone. An error that stages.Permanent
// marks says that this one was fenced itself.
func (w *IndicatorWriter) Fence(ctx context.Context) error {
	if w.dead != nil {
		return w.dead
	}
	if w.cl != nil && !w.doubt {
		return nil
	}
	if w.cl != nil {
		w.cl.Close()
		w.cl = nil
	}
	opts, err := w.cfg.Options()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(append(opts,
		kgo.TransactionalID(w.txnID),
		kgo.TransactionTimeout(w.cfg.TransactionTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.WithCompressor(newLZ4Compressor()),
		kgo.DefaultProduceTopic(w.topic),
		kgo.RecordDeliveryTimeout(w.cfg.TransactionTimeout),
		kgo.MaxBufferedRecords(1<<20))...)
	if err != nil {
		return fmt.Errorf("connecting to kafka: %w", err)
	}
	if _, _, err := cl.ProducerID(ctx); err != nil {
		cl.Close()
		return w.judge("taking over the indicators topic", err)
	}
	w.cl, w.doubt = cl, false
	return nil
}

// Append writes the values in one transaction and gives the offset of the last. After
// an error it is not known whether they were written; Fence settles it.
func (w *IndicatorWriter) Append(ctx context.Context, values [][]byte) (last int64, err error) {
	if err := w.Fence(ctx); err != nil {
		return 0, err
	}
	if len(values) == 0 {
		return 0, errors.New("nothing to append")
	}
	w.doubt = true
	if err := w.cl.BeginTransaction(); err != nil {
		return 0, w.judge("beginning a transaction", err)
	}
	recs := make([]*kgo.Record, len(values))
	for i, v := range values {
		recs[i] = &kgo.Record{Value: v}
	}
	err = w.cl.ProduceSync(ctx, recs...).FirstErr()
	try := kgo.TransactionEndTry(err == nil)
	if endErr := w.cl.EndTransaction(ctx, try); err == nil {
		err = endErr
	}
	if err != nil {
		return 0, w.judge("writing "+pipeline.TopicIndicators.Name(w.cfg.Prefix), err)
	}
	w.doubt = false
	return recs[len(recs)-1].Offset, nil
}

var errFenced = errors.New("another writer of indicators has taken over, or this one was away for too long")

// judge tells errors of a writer that was fenced from others.
func (w *IndicatorWriter) judge(what string, err error) error {
	for _, fenced := range [...]error{kerr.ProducerFenced, kerr.InvalidProducerEpoch} {
		if errors.Is(err, fenced) {
			w.dead = stages.Permanent(fmt.Errorf("%s: %w: %w", what, errFenced, err))
			return w.dead
		}
	}
	return fmt.Errorf("%s: %w", what, classify(err))
}
