package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// TestSequence: control and inventory go to their tenant's shard or to all
// partitions; what cannot be used goes to the dead letter and holds nothing up.
func TestSequence(t *testing.T) {
	id := LaneID{"interdict.control", 2, 3}
	host := schema.EntityRef{Type: schema.EntityHost, Key: "web-1"}
	one, all := schema.Control{Tenant: "t", Kind: schema.ControlRelease, Object: "x"}, killSwitch("on")
	asset, nobodys := schema.Asset{Tenant: "t", Entity: host, Class: "server", Fresh: schema.Hour}, schema.Asset{Entity: host}
	want, err := assetControl(asset)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		decode    func([]byte) (schema.Control, error)
		value     []byte
		want      schema.Control
		broadcast bool
		dead      bool
	}{
		{name: "one tenant", decode: decodeControl, value: one.AppendWire(nil), want: one},
		{name: "all tenants", decode: decodeControl, value: all.AppendWire(nil), want: all, broadcast: true},
		{name: "asset", decode: decodeAsset, value: asset.AppendWire(nil), want: want},
		{name: "damaged control", decode: decodeControl, value: []byte{0x0a, 9, 'x'}, dead: true},
		{name: "damaged asset", decode: decodeAsset, value: []byte{0x0a, 9, 'x'}, dead: true},
		{name: "an asset of nobody", decode: decodeAsset, value: nobodys.AppendWire(nil), dead: true}, // would be everybody's
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &sequenceLane{id: id, decode: c.decode}
			var out Outbox
			recs := []Record{{Offset: 4}, {Offset: 5, Time: schema.Hour, Value: bytes.Clone(c.value)}} // the first is a tombstone
			if err := l.Process(context.Background(), recs, &out); err != nil || len(out.Msgs) != 1 {
				t.Fatalf("%v, %d messages", err, len(out.Msgs))
			}
			m := out.Msgs[0]
			if c.dead {
				d, err := ParseDeadLetter(m.Value, m.Headers)
				if err != nil || m.Topic != TopicDeadLetter || d.Topic != id.Topic || d.Partition != 2 || d.Offset != 5 || d.Time != schema.Hour || !bytes.Equal(d.Bytes, c.value) || out.Urgent {
					t.Errorf("%v: %+v", err, d)
				}
				return
			}
			scribble(recs)
			kind, body, err := schema.DecodeEntry(m.Value)
			var got schema.Control
			if err == nil {
				err = got.DecodeWire(body)
			}
			if err != nil || kind != schema.EntryControl || got != c.want {
				t.Errorf("%v: got %+v, want %+v", err, got, c.want)
			}
			if m.Topic != TopicAlerts || m.Shard != schema.ShardOf(c.want.Tenant) || m.Broadcast != c.broadcast || !out.Urgent {
				t.Errorf("message %+v, urgent %t", m, out.Urgent)
			}
		})
	}
}

// executor is a hop 3 stage for tests.
type executor struct{ fail error }

func (e executor) Process(_ context.Context, b *schema.Batch) error {
	for i := range b.Actions {
		a := &b.Actions[i]
		b.Results = append(b.Results, schema.ActionResult{Tenant: a.Tenant, Action: a.ID, Target: a.Target, Time: b.Now})
		b.Ledger = append(b.Ledger, schema.LedgerEvent{Tenant: a.Tenant, Object: "lease", Time: b.Now})
	}
	return e.fail
}

var _ stages.Stage = executor{}

// TestRespond: a receipt per command in its tenant's shard, at the time of the
// effect; what cannot be read stops the hop, a failing executor does not.
func TestRespond(t *testing.T) {
	host := schema.EntityRef{Type: schema.EntityHost, Key: "web-1"}
	var recs []Record
	for i, tenant := range []string{"t", "u"} {
		a := schema.Action{ID: schema.DeriveID("action", tenant), Tenant: tenant, Target: host}
		recs = append(recs, Record{Offset: int64(i), Value: a.AppendWire(nil)})
	}
	l := &respondLane{chain: chain{steps: []Step{{"respond", executor{}}}}, clock: func() schema.Millis { return schema.Hour }}
	var out Outbox
	if err := l.Process(context.Background(), recs, &out); err != nil {
		t.Fatal(err)
	}
	scribble(recs)
	var got []string
	for _, m := range out.Msgs {
		got = append(got, fmt.Sprintf("%s %q %t", m.Topic.Spec().Suffix, m.Key, m.Sharded && m.Shard == schema.ShardOf(strings.SplitN(string(m.Key), "\x00", 2)[0])))
		if m.Topic == TopicResults {
			var r schema.ActionResult
			if err := r.DecodeWire(m.Value); err != nil || r.Target != host || r.Time != schema.Hour {
				t.Errorf("%v: %+v", err, r)
			}
		}
	}
	same(t, got, `action-results "t\x00host:web-1" true`, `action-results "u\x00host:web-1" true`, `ledger "t\x00lease" true`, `ledger "u\x00lease" true`)

	if err := l.Process(context.Background(), []Record{{Value: []byte{0x0a, 9}}}, &out); !stages.IsPermanent(err) {
		t.Errorf("a damaged command gave %v", err)
	}
	away := errors.New("target does not answer")
	l.chain.steps[0].Stage = executor{away}
	if err := l.Process(context.Background(), nil, &out); !errors.Is(err, away) || stages.IsPermanent(err) {
		t.Errorf("a failing executor gave %v", err)
	}
}

// TestKeys: the key of each noun is tenant, a zero byte and the object, so that
// compaction keeps the newest of each and nothing else of the tenant's.
func TestKeys(t *testing.T) {
	id := schema.DeriveID("test")
	host := schema.EntityRef{Type: schema.EntityHost, Key: "web-1"}
	b := schema.Batch{
		Incidents: []schema.Incident{{Tenant: "t", ID: schema.IncidentID(id)}}, Members: []schema.Member{{Tenant: "t", Alert: schema.AlertID(id)}},
		Paths: []schema.Path{{Tenant: "t", ID: id}}, Links: []schema.Link{{Tenant: "t", A: schema.AlertID(id)}},
		Decisions: []schema.Decision{{Tenant: "t", Target: host}}, Leases: []schema.Lease{{Tenant: "t", ID: id}},
		Actions: []schema.Action{{Tenant: "t", Target: host}}, Ledger: []schema.LedgerEvent{{Tenant: "t", Object: "lease:x"}},
	}
	want := map[Topic]string{TopicIncidents: string(id[:]), TopicMembers: string(id[:]), TopicPaths: string(id[:]), TopicLinks: string(id[:]),
		TopicDecisions: "host:web-1", TopicLeases: string(id[:]), TopicActions: "host:web-1", TopicLedger: "lease:x"}
	var buf []byte
	var out Outbox
	e := emitter{buf: &buf, shard: 7, out: &out}
	e.batch(&b)
	if len(out.Msgs) != len(want) || !out.Urgent {
		t.Fatalf("%d messages, urgent %t", len(out.Msgs), out.Urgent)
	}
	for _, m := range out.Msgs {
		if string(m.Key) != "t\x00"+want[m.Topic] || m.Shard != 7 || !m.Sharded || m.Broadcast {
			t.Errorf("%s: %+v", m.Topic.Spec().Suffix, m)
		}
	}
	out.Reset()
	if e.batch(&schema.Batch{Leases: b.Leases}); out.Urgent {
		t.Error("a lease alone ends the transaction at once")
	}
}

// TestTopics: the list is whole, and names differ.
func TestTopics(t *testing.T) {
	names := map[string]bool{}
	for topic := TopicNone + 1; topic < topicCount; topic++ {
		names[topic.Name("p")] = true
	}
	if len(names) != len(Topics()) || len(names) != int(topicCount)-1 || !names["p.alerts"] {
		t.Errorf("%v", names)
	}
	for _, s := range Topics() {
		if s.Compact && s.Retention != -1 {
			t.Errorf("%s: compacted and with retention", s.Suffix)
		}
	}
}

// TestPlanRefuses configurations that cannot work, before anything starts.
func TestPlanRefuses(t *testing.T) {
	good := armedPlan(t).cfg
	for _, c := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"no tenant", func(c *Config) { c.Sources[0].Tenant = "" }, "tenant"},
		{"shared topic", func(c *Config) { c.Sources[1].Topic = c.Sources[0].Topic }, "another source"},
		{"a topic of ours", func(c *Config) { c.Sources[0].Topic = "interdict.alerts" }, "own"}, // hop 1 would read what it writes
		{"no heartbeat", func(c *Config) { c.Detect.Heartbeat = 0 }, "heartbeat"},
		{"normalize", func(c *Config) { c.Normalize.Format = "nope" }, "normalize"},
		{"correlate", func(c *Config) { c.Correlate.Lateness = -1 }, "correlate"},
		{"disrupt", func(c *Config) { c.Disrupt.MaxSuspects = 0 }, "disrupt"},
		{"respond", func(c *Config) { c.Respond.MaxAge = 0 }, "respond"},
	} {
		cfg := good
		cfg.Sources = append([]schema.Source(nil), good.Sources...)
		c.change(&cfg)
		if _, err := NewPlan(cfg, Deps{Prefix: "interdict"}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestPlanOpens: each input of each hop opens a lane, others do not; the state of
// correlate depends on what shapes it and on nothing else.
func TestPlanOpens(t *testing.T) {
	p := armedPlan(t)
	for _, h := range p.Hops() {
		for _, in := range h.Inputs {
			l, err := h.Open(LaneID{Topic: in, Partitions: 1})
			if err != nil {
				t.Errorf("%s: %v", h.Name, err)
				continue
			}
			if _, ok := l.(StatefulLane); ok != h.State {
				t.Errorf("%s: state %t", h.Name, ok)
			}
			l.Close()
		}
	}
	if _, err := p.Hops()[0].Open(LaneID{Topic: "unknown"}); err == nil {
		t.Error("a topic without a source opens")
	}
	if _, err := p.insert(context.Background(), Range{Topic: "unknown"}); !stages.IsPermanent(err) {
		t.Errorf("a range of an unknown topic: %v", err)
	}
	hash := func(change func(*Config)) uint64 {
		cfg := p.cfg
		change(&cfg)
		q, err := NewPlan(cfg, Deps{Prefix: "interdict"})
		if err != nil {
			t.Fatal(err)
		}
		return q.correlateLane().ConfigHash()
	}
	if hash(func(*Config) {}) != p.hash || hash(func(c *Config) { c.Sources = nil; c.Detect.Heartbeat *= 2 }) != p.hash {
		t.Error("the hash changes with what does not shape the state")
	}
	if hash(func(c *Config) { c.Correlate.Lateness *= 2 }) == p.hash {
		t.Error("the hash does not change with what shapes the state")
	}
	if hash(func(c *Config) { c.Disrupt.MaxSuspects++ }) != p.hash {
		t.Error("a changed policy makes snapshots useless, and with them the leases in force")
	}
}

func TestToken(t *testing.T) {
	a, b := Range{TopicID: "x", Partition: 1, Lo: 2, Hi: 34}.Token(), Range{TopicID: "x", Partition: 12, Lo: 3, Hi: 4}.Token()
	if a == b || a != "x/1/2-34" {
		t.Errorf("%s %s", a, b)
	}
}
