package pipeline

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestPolicyChangeKeepsLeases: a snapshot taken under one policy is read under
// another, and what is contained can still be released.
func TestPolicyChangeKeepsLeases(t *testing.T) {
	p := armedPlan(t)
	log := alertsLog(t, p, smallWorld(t))
	l := p.correlateLane()
	var out Outbox
	at, active := 0, false
	for !active {
		if at == len(log) {
			t.Fatal("the world makes no leases")
		}
		to := min(len(log), at+20)
		out.Reset()
		if err := l.Process(context.Background(), log[at:to], &out); err != nil {
			t.Fatal(err)
		}
		active = slices.ContainsFunc(out.Msgs, func(m Out) bool { return m.Topic == TopicLeases })
		l.Commit()
		at = to
	}
	// Not yet ended: leases last for hours.
	var snap bytes.Buffer
	if err := l.Snapshot(&snap); err != nil {
		t.Fatal(err)
	}
	cfg := p.cfg
	cfg.Disrupt.Policies = slices.Clone(cfg.Disrupt.Policies)
	for i := range cfg.Disrupt.Policies {
		cfg.Disrupt.Policies[i].Mode = "shadow"
	}
	q, err := NewPlan(cfg, p.deps)
	if err != nil {
		t.Fatal(err)
	}
	n := q.correlateLane()
	if n.ConfigHash() != l.ConfigHash() {
		t.Fatal("the snapshot would be refused")
	}
	if err := n.Restore(&snap); err != nil {
		t.Fatal(err)
	}
	last := log[at-1]
	c := schema.Control{Kind: schema.ControlReleaseAll, Object: "all", Actor: "test"}
	out.Reset()
	rec := Record{Offset: last.Offset + 1, Key: last.Key, Value: schema.AppendControlEntry(nil, &c)}
	if err := n.Process(context.Background(), []Record{rec}, &out); err != nil {
		t.Fatal(err)
	}
	released := 0
	for _, m := range out.Msgs {
		var x schema.Lease
		if m.Topic == TopicLeases && x.DecodeWire(m.Value) == nil && x.State == schema.LeaseReleased {
			released++
		}
	}
	if released == 0 {
		t.Error("nothing was released after the policy had changed")
	}
}
