package pipeline

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// respondLane is one partition of the actions topic in hop 3: commands to
// executors, receipts back. An effect may happen and its transaction abort; the
// command then comes again, and executors are idempotent by lease and verb.
type respondLane struct {
	chain chain
	clock func() schema.Millis
	b     schema.Batch
	buf   []byte
}

func (l *respondLane) Process(ctx context.Context, recs []Record, out *Outbox) error {
	l.b.Reset()
	l.b.Now = l.clock() // an effect happens when it happens, not in the time of the log
	for _, r := range recs {
		var a schema.Action
		if err := a.DecodeWire(r.Value); err != nil {
			return stages.Permanent(fmt.Errorf("actions offset %d: %w", r.Offset, err))
		}
		l.b.Actions = append(l.b.Actions, a)
		l.b.Position = uint64(r.Offset) + 1
	}
	if err := l.chain.process(ctx, &l.b); err != nil {
		return err
	}
	sent := len(out.Msgs)
	e := emitter{buf: &l.buf, out: out}
	for i := range l.b.Results {
		x := &l.b.Results[i]
		e.shard = schema.ShardOf(x.Tenant)
		e.put(TopicResults, x.AppendWire, x.Tenant, []byte(x.Target.String()))
	}
	for i := range l.b.Ledger {
		x := &l.b.Ledger[i]
		e.shard = schema.ShardOf(x.Tenant)
		e.put(TopicLedger, x.AppendWire, x.Tenant, []byte(x.Object))
	}
	l.chain.count.produced(out.Msgs[sent:])
	return nil
}

func (l *respondLane) Idle(context.Context, schema.Millis, schema.Millis, *Outbox) error { return nil }
func (l *respondLane) Commit()                                                           { l.buf = recycle(l.buf) }
func (l *respondLane) Rollback()                                                         { l.buf = recycle(l.buf) }
func (l *respondLane) Close()                                                            {}
