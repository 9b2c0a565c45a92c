package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/interdict/interdict/schema"
)

// maxEntry bounds one record of the alerts log, so that a broker and producer
// with default limits take it. An alert that is larger travels without its raw
// bytes, which its RawRef still names; ADR 0008.
const maxEntry = 900 << 10

// DetectConfig says how hop 1 tells time.
type DetectConfig struct {
	// IdleAfter is how long a raw partition must be silent at its end before it
	// no longer holds the watermark back. Default: 30s.
	IdleAfter time.Duration `yaml:"idle_after"`
	// Heartbeat is how often a silent partition still tells the time, which
	// lease expiry depends on. Default: 10s.
	Heartbeat time.Duration `yaml:"heartbeat"`
}

// DefaultDetectConfig gives the defaults named in DetectConfig.
func DefaultDetectConfig() DetectConfig {
	return DetectConfig{IdleAfter: 30 * time.Second, Heartbeat: 10 * time.Second}
}

// Validate reports a setting that cannot work.
func (c DetectConfig) Validate() error {
	if c.IdleAfter <= 0 || c.Heartbeat <= 0 {
		return errors.New("detect: idle_after and heartbeat must be positive")
	}
	return nil
}

// detectLane is one raw partition's work in hop 1: raw records to alerts, and
// watermark records behind them.
type detectLane struct {
	cfg    DetectConfig
	id     LaneID
	source *schema.Source
	chain  chain
	clock  func() schema.Millis

	b    schema.Batch
	buf  []byte // what Outs alias until Commit or Rollback
	done schema.Watermark
	next schema.Watermark // done, with the transaction's changes
	beat schema.Millis    // clock of the last watermark record
}

func newDetectLane(cfg DetectConfig, id LaneID, source *schema.Source, c chain, clock func() schema.Millis) *detectLane {
	w := schema.Watermark{Tenant: source.Tenant, Source: source.ID, Topic: id.Topic, Partition: id.Partition, Partitions: id.Partitions}
	return &detectLane{cfg: cfg, id: id, source: source, chain: c, clock: clock, done: w, next: w}
}

func (l *detectLane) Process(ctx context.Context, recs []Record, out *Outbox) error {
	if len(recs) == 0 {
		return nil
	}
	l.b.Reset()
	l.next.Stats = schema.SourceStats{}
	// A producer may set its records' timestamps: one from the far future must not
	// move the tenant's clock.
	latest := l.clock() + schema.MaxFuture
	for _, r := range recs {
		l.b.Raw = append(l.b.Raw, schema.Raw{Source: l.source, Value: r.Value, Time: min(r.Time, latest),
			Topic: l.id.Topic, Partition: l.id.Partition, Offset: r.Offset})
		l.next.Stats.Bytes += uint64(len(r.Value))
	}
	l.b.Now = min(recs[len(recs)-1].Time, latest)
	if err := l.chain.process(ctx, &l.b); err != nil {
		return err
	}
	sent, before := len(out.Msgs), tally(&l.b)
	for i := range l.b.Alerts {
		l.alert(&l.b.Alerts[i], out)
	}
	s := &l.next.Stats
	after := tally(&l.b)
	after.alerts = int(s.Accepted)
	l.chain.count.add("encode", before, after)
	for _, r := range l.b.Rejects {
		l.reject(r, out)
	}
	s.Rejected += uint64(len(l.b.Rejects))
	s.Ignored += uint64(len(l.b.Drops))
	s.Records = s.Accepted + s.Rejected + s.Ignored
	l.next.Offset = recs[len(recs)-1].Offset + 1
	l.next.Idle = false
	l.watermark(l.clock(), out)
	l.chain.count.produced(out.Msgs[sent:])
	return nil
}

// alert encodes one alert into the log, or rejects what no broker would take.
func (l *detectLane) alert(a *schema.Alert, out *Outbox) {
	start := len(l.buf)
	l.buf = schema.AppendAlertEntry(l.buf, a)
	if len(l.buf)-start > maxEntry {
		a.Raw = nil
		l.buf = schema.AppendAlertEntry(l.buf[:start], a)
	}
	if len(l.buf)-start > maxEntry {
		// Only the bytes it came from can still be kept; they are looked up in b.Raw.
		l.buf = l.buf[:start]
		for i, r := range l.b.Raw {
			if r.Offset == a.RawRef.Offset {
				l.b.Rejects = append(l.b.Rejects, schema.Reject{Raw: int32(i), Doc: a.RawRef.Doc,
					Reason: schema.ReasonTooLarge, Detail: "normalized alert exceeds the record limit", Bytes: r.Value})
				return
			}
		}
		panic("BUG: alert without a raw record in its batch")
	}
	l.next.Stats.Accepted++
	l.next.MaxCreated = max(l.next.MaxCreated, a.Created)
	l.log(start, schema.ShardOf(a.Tenant), out)
}

func (l *detectLane) reject(r schema.Reject, out *Outbox) {
	raw := &l.b.Raw[r.Raw]
	start := len(l.buf)
	l.buf = append(l.buf, r.Bytes...) // may alias memory of a stage
	d := DeadLetter{Tenant: l.source.Tenant, Source: l.source.ID, Topic: raw.Topic, Partition: raw.Partition, Offset: raw.Offset,
		Doc: r.Doc, Time: raw.Time, Reason: r.Reason, Detail: r.Detail, Bytes: l.buf[start:len(l.buf):len(l.buf)]}
	out.Msgs = d.AppendTo(out.Msgs)
}

// log appends the entry at buf[start:] to the alerts log.
func (l *detectLane) log(start int, s schema.Shard, out *Outbox) {
	out.Msgs = append(out.Msgs, logEntry(l.buf[start:len(l.buf):len(l.buf)], s))
}

// logEntry is a message to the alerts log: the key is the virtual shard.
func logEntry(value []byte, s schema.Shard) Out {
	return Out{Topic: TopicAlerts, Shard: s, Sharded: true, Key: binary.BigEndian.AppendUint16(nil, uint16(s)), Value: value}
}

func (l *detectLane) watermark(now schema.Millis, out *Outbox) {
	l.next.Now = now
	l.beat = now
	start := len(l.buf)
	l.buf = schema.AppendWatermarkEntry(l.buf, &l.next)
	l.log(start, schema.ShardOf(l.source.Tenant), out)
}

// Idle tells the log that this partition is silent: at once when it becomes so,
// then as a heartbeat.
func (l *detectLane) Idle(_ context.Context, now, since schema.Millis, out *Outbox) error {
	turned := !l.next.Idle && since >= schema.Millis(l.cfg.IdleAfter.Milliseconds())
	if !turned && now-l.beat < schema.Millis(l.cfg.Heartbeat.Milliseconds()) {
		return nil
	}
	l.next.Idle = l.next.Idle || turned
	l.next.Stats = schema.SourceStats{}
	sent := len(out.Msgs)
	l.watermark(now, out)
	l.chain.count.produced(out.Msgs[sent:])
	return nil
}

func (l *detectLane) Commit() {
	l.chain.commit()
	l.done = l.next
	l.buf = recycle(l.buf)
}

func (l *detectLane) Rollback() {
	l.chain.rollback()
	l.next = l.done
	l.buf = recycle(l.buf)
}

func (l *detectLane) Close() {}

// recycle keeps a buffer for the next transaction unless it grew out of
// proportion.
func recycle(buf []byte) []byte {
	if cap(buf) > 64<<20 {
		return nil
	}
	return buf[:0]
}
