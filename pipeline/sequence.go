package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/interdict/interdict/schema"
)

// sequenceLane copies records of the control and assets topics into the alerts
// log, so that the kill switch, releases, case events and the inventory have
// a place in the order hop 2 works by. What concerns one tenant goes to its
// shard; what concerns all goes to every partition of the log.
type sequenceLane struct {
	id     LaneID
	decode func([]byte) (schema.Control, error)
	count  *Counts
	buf    []byte
}

func decodeControl(b []byte) (c schema.Control, err error) {
	err = c.DecodeWire(b)
	return c, err
}

// decodeAsset makes an inventory record the control record that hop 2 reads.
func decodeAsset(b []byte) (c schema.Control, err error) {
	var a schema.Asset
	if err = a.DecodeWire(b); err != nil {
		return c, err
	}
	if a.Tenant == "" {
		return c, errors.New("an asset belongs to one tenant")
	}
	return assetControl(a)
}

func assetControl(a schema.Asset) (schema.Control, error) {
	v, err := json.Marshal(a)
	return schema.Control{Tenant: a.Tenant, Kind: schema.ControlAsset, Object: a.Entity.String(), Value: string(v),
		Actor: "inventory", Time: a.Fresh}, err
}

func (l *sequenceLane) Process(_ context.Context, recs []Record, out *Outbox) error {
	sent := len(out.Msgs)
	for _, r := range recs {
		if r.Value == nil {
			continue // a tombstone of a compacted topic changes nothing that has happened
		}
		c, err := l.decode(r.Value)
		if err != nil {
			out.Msgs = DeadLetter{Tenant: c.Tenant, Source: l.id.Topic, Topic: l.id.Topic, Partition: l.id.Partition, Offset: r.Offset,
				Time: r.Time, Reason: schema.ReasonBadField, Detail: fmt.Sprintf("unusable record: %v", err), Bytes: r.Value}.AppendTo(out.Msgs)
			continue
		}
		start := len(l.buf)
		l.buf = schema.AppendControlEntry(l.buf, &c)
		entry := logEntry(l.buf[start:len(l.buf):len(l.buf)], schema.ShardOf(c.Tenant))
		entry.Broadcast = c.Tenant == ""
		out.Msgs = append(out.Msgs, entry)
		out.Urgent = true
	}
	l.count.produced(out.Msgs[sent:])
	return nil
}

func (l *sequenceLane) Idle(context.Context, schema.Millis, schema.Millis, *Outbox) error { return nil }
func (l *sequenceLane) Commit()                                                           { l.buf = recycle(l.buf) }
func (l *sequenceLane) Rollback()                                                         { l.buf = recycle(l.buf) }
func (l *sequenceLane) Close()                                                            {}
