package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// diary is a stage whose state is what it was given, in order, and whose output
// is a ledger event for each: so tests see what a lane does with its stages. An
// alert titled "act" makes an active lease; one titled "fail" an error.
type diary struct {
	lines, saved []string
}

func (d *diary) write(b *schema.Batch, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	d.lines = append(slices.Clip(d.lines), line)
	b.Ledger = append(b.Ledger, schema.LedgerEvent{Tenant: "t", Object: line, Time: b.Now})
}

func (d *diary) Process(_ context.Context, b *schema.Batch) error {
	for _, c := range b.Control {
		d.write(b, "%s %s %s %s at %d", c.Kind, c.Tenant, c.Object, c.Value, b.Position)
	}
	for _, m := range b.Retro {
		d.write(b, "retro %s %s at %d", m.Tenant, m.Match.Value, b.Position)
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		d.write(b, "alert %s %s", a.Tenant, a.Title)
		switch a.Title {
		case "act":
			b.Leases = append(b.Leases, schema.Lease{Tenant: a.Tenant, State: schema.LeaseActive, Incident: schema.NewIncidentID(a.Tenant, a.ID)})
		case "fail":
			return stages.Permanent(fmt.Errorf("told to"))
		}
	}
	return nil
}

func (d *diary) Advance(_ context.Context, t stages.Tick, b *schema.Batch) error {
	d.write(b, "tick %s watermark %d now %d at %d", t.Tenant, t.Watermark, t.Now, b.Position)
	return nil
}

func (d *diary) Commit()   { d.saved = d.lines }
func (d *diary) Rollback() { d.lines = d.saved }

func (d *diary) Snapshot(w io.Writer) error { return json.NewEncoder(w).Encode(d.lines) }

func (d *diary) Restore(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err == nil {
		err = json.Unmarshal(b, &d.lines)
	}
	d.saved = d.lines
	return err
}

var (
	_ stages.Stateful = (*diary)(nil)
	_ stages.Timed    = (*diary)(nil)
)

// diaryLane is a correlate lane over diaries. Its tenants have one raw topic "r".
func diaryLane() *correlateLane {
	return &correlateLane{lateness: schema.Minute, expected: func(string) []string { return []string{"r"} },
		build: func(schema.Shard) ([]Step, error) { return []Step{{"diary", &diary{}}}, nil }, shards: map[schema.Shard]*shard{}}
}

// events gives the objects of the ledger events in an outbox.
func events(t testing.TB, out *Outbox) []string {
	t.Helper()
	var list []string
	for _, m := range out.Msgs {
		if m.Topic != TopicLedger {
			continue
		}
		var e schema.LedgerEvent
		if err := e.DecodeWire(m.Value); err != nil {
			t.Fatal(err)
		}
		list = append(list, string([]byte(e.Object)))
	}
	return list
}

// logOf numbers entries of the alerts log from an offset.
func logOf(offset int64, entries ...Out) []Record {
	var recs []Record
	for i, e := range entries {
		recs = append(recs, Record{Offset: offset + int64(i), Key: e.Key, Value: e.Value})
	}
	return recs
}

func alertEntry(tenant, title string, at schema.Millis) Out {
	a := schema.Alert{ID: schema.NewAlertID(tenant, "s", title), Tenant: tenant, Title: title, Created: at, Ingested: at}
	return logEntry(schema.AppendAlertEntry(nil, &a), schema.ShardOf(tenant))
}

func retroEntry(tenant, value string) Out {
	m := schema.RetroMatch{Tenant: tenant, Match: schema.Match{Value: value}}
	return logEntry(schema.AppendRetroEntry(nil, &m), schema.ShardOf(tenant))
}

func controlEntry(c schema.Control) Out {
	return logEntry(schema.AppendControlEntry(nil, &c), schema.ShardOf(c.Tenant))
}

func watermarkEntry(tenant string, created, now schema.Millis) Out {
	w := schema.Watermark{Tenant: tenant, Topic: "r", Partitions: 1, MaxCreated: created, Now: now}
	return logEntry(schema.AppendWatermarkEntry(nil, &w), schema.ShardOf(tenant))
}

// scribble overwrites records, as a transport that takes its memory back.
func scribble(recs []Record) {
	for _, r := range recs {
		for i := range r.Value {
			r.Value[i] = '#'
		}
		for i := range r.Key {
			r.Key[i] = '#'
		}
	}
}

// otherShard is a tenant of a shard that differs from those of others.
func otherShard(others ...string) string {
	for i := 0; ; i++ {
		name := fmt.Sprintf("tenant-%d", i)
		if !slices.ContainsFunc(others, func(o string) bool { return schema.ShardOf(o) == schema.ShardOf(name) }) {
			return name
		}
	}
}

// sameShard is another tenant of the same shard.
func sameShard(tenant string) string {
	for i := 0; ; i++ {
		if name := fmt.Sprintf("tenant-%d", i); name != tenant && schema.ShardOf(name) == schema.ShardOf(tenant) {
			return name
		}
	}
}
