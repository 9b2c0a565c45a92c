package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/interdict/interdict/schema"
)

// maxEntry bounds one record of the alerts log, so that a broker and producer
// with default limits take it. An alert that is larger travels without its raw
// bytes, which its RawRef still names; ADR 0008.
const maxEntry = 900 << 10

// entryRoom is what an entry usually takes besides the raw document.
const entryRoom = 2 << 10

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

	shard schema.Shard // of the source's tenant, with the key that means it
	key   []byte

	b    schema.Batch
	slab slab // what Outs alias until Commit or Rollback
	done schema.Watermark
	next schema.Watermark   // done, with the transaction's changes
	open schema.SourceStats // of the whole transaction, to be booked
	beat schema.Millis      // clock of the last watermark record
}

func newDetectLane(cfg DetectConfig, id LaneID, source *schema.Source, c chain, clock func() schema.Millis) *detectLane {
	w := schema.Watermark{Tenant: source.Tenant, Source: source.ID, Topic: id.Topic, Partition: id.Partition, Partitions: id.Partitions}
	shard := schema.ShardOf(source.Tenant)
	return &detectLane{cfg: cfg, id: id, source: source, chain: c, clock: clock, shard: shard, key: shardKey(shard), done: w, next: w}
}

func (l *detectLane) Process(ctx context.Context, recs []Record, out *Outbox) error {
	if len(recs) == 0 {
		return nil
	}
	l.next.Stats = schema.SourceStats{}
	// A producer may set its records' timestamps: one from the far future must not
	// move the tenant's clock.
	latest := l.clock() + schema.MaxFuture
	now := min(recs[len(recs)-1].Time, latest)
	sent := len(out.Msgs)
	for chunk := range slices.Chunk(recs, detectChunk) {
		if err := l.chunk(ctx, chunk, latest, now, out); err != nil {
			return err
		}
	}
	s := &l.next.Stats
	s.Records = s.Accepted + s.Rejected + s.Ignored
	l.next.Offset = recs[len(recs)-1].Offset + 1
	l.next.Idle = false
	l.watermark(l.clock(), out)
	l.open.Add(l.next.Stats)
	l.chain.count.produced(out.Msgs[sent:])
	return nil
}

// detectChunk is how many records go through the stages at a time: so few that
// what one stage makes of them is still in the processor's cache for the next.
const detectChunk = 64

// chunk takes some of the records through the stages and encodes what comes out.
func (l *detectLane) chunk(ctx context.Context, recs []Record, latest, now schema.Millis, out *Outbox) error {
	l.b.Reset()
	s := &l.next.Stats
	for _, r := range recs {
		l.b.Raw = append(l.b.Raw, schema.Raw{Source: l.source, Value: r.Value, Time: min(r.Time, latest),
			Topic: l.id.Topic, Partition: l.id.Partition, Offset: r.Offset})
		s.Bytes += uint64(len(r.Value))
	}
	l.b.Now = now
	if err := l.chain.process(ctx, &l.b); err != nil {
		return err
	}
	before, accepted := tally(&l.b), s.Accepted
	for i := range l.b.Alerts {
		l.alert(&l.b.Alerts[i], out)
	}
	after := tally(&l.b)
	after.alerts = int(s.Accepted - accepted)
	l.chain.count.add("encode", before, after)
	for _, r := range l.b.Rejects {
		l.reject(r, out)
	}
	s.Rejected += uint64(len(l.b.Rejects))
	s.Ignored += uint64(len(l.b.Drops))
	return nil
}

// alert encodes one alert into the log, or rejects what no broker would take.
func (l *detectLane) alert(a *schema.Alert, out *Outbox) {
	room := l.slab.room(len(a.Raw) + entryRoom)
	entry := schema.AppendAlertEntry(room, a)
	if len(entry) > maxEntry {
		a.Raw = nil
		entry = schema.AppendAlertEntry(room, a)
	}
	if len(entry) > maxEntry {
		// Only the bytes it came from can still be kept; they are looked up in b.Raw.
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
	l.log(entry, out)
}

func (l *detectLane) reject(r schema.Reject, out *Outbox) {
	raw := &l.b.Raw[r.Raw]
	kept := l.slab.put(append(l.slab.room(len(r.Bytes)), r.Bytes...)) // may alias memory of a stage
	d := DeadLetter{Tenant: l.source.Tenant, Source: l.source.ID, Topic: raw.Topic, Partition: raw.Partition, Offset: raw.Offset,
		Doc: r.Doc, Time: raw.Time, Reason: r.Reason, Detail: r.Detail, Bytes: kept}
	out.Msgs = d.AppendTo(out.Msgs)
}

// log appends an entry, made in the slab's room, to the alerts log.
func (l *detectLane) log(entry []byte, out *Outbox) {
	out.Msgs = append(out.Msgs, Out{Topic: TopicAlerts, Shard: l.shard, Sharded: true, Key: l.key, Value: l.slab.put(entry)})
}

// shardKey is the key of messages to the alerts log.
func shardKey(s schema.Shard) []byte { return binary.BigEndian.AppendUint16(nil, uint16(s)) }

// logEntry is a message to the alerts log.
func logEntry(value []byte, s schema.Shard) Out {
	return Out{Topic: TopicAlerts, Shard: s, Sharded: true, Key: shardKey(s), Value: value}
}

func (l *detectLane) watermark(now schema.Millis, out *Outbox) {
	l.next.Now = now
	l.beat = now
	l.log(schema.AppendWatermarkEntry(l.slab.room(entryRoom), &l.next), out)
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
	l.chain.count.source(l.source, l.open, l.next.Now)
	l.open = schema.SourceStats{}
	l.done = l.next
	l.slab.reset()
}

func (l *detectLane) Rollback() {
	l.chain.rollback()
	l.open = schema.SourceStats{}
	l.next = l.done
	l.slab.reset()
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
