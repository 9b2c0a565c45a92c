package pipeline

import "github.com/interdict/interdict/schema"

// emitter puts what a hop caused onto topics. They are all sharded like the
// alerts log, so that one tenant's records keep their order.
type emitter struct {
	buf   *[]byte // of the lane: what the messages alias
	shard schema.Shard
	out   *Outbox
}

func (e *emitter) batch(b *schema.Batch) {
	for i := range b.Incidents {
		x := &b.Incidents[i]
		e.put(TopicIncidents, x.AppendWire, x.Tenant, x.ID[:])
	}
	for i := range b.Members {
		x := &b.Members[i]
		e.put(TopicMembers, x.AppendWire, x.Tenant, x.Alert[:])
	}
	for i := range b.Paths {
		x := &b.Paths[i]
		e.put(TopicPaths, x.AppendWire, x.Tenant, x.ID[:])
	}
	for i := range b.Links {
		x := &b.Links[i]
		e.put(TopicLinks, x.AppendWire, x.Tenant, x.A[:])
	}
	for i := range b.Decisions {
		x := &b.Decisions[i]
		e.put(TopicDecisions, x.AppendWire, x.Tenant, []byte(x.Target.String()))
	}
	for i := range b.Leases {
		x := &b.Leases[i]
		e.put(TopicLeases, x.AppendWire, x.Tenant, x.ID[:])
	}
	for i := range b.Actions {
		x := &b.Actions[i]
		e.put(TopicActions, x.AppendWire, x.Tenant, []byte(x.Target.String()))
		e.out.Urgent = true
	}
	for i := range b.Ledger {
		x := &b.Ledger[i]
		e.put(TopicLedger, x.AppendWire, x.Tenant, []byte(x.Object))
	}
}

// put encodes one noun; its key is the tenant, a zero byte and the object.
func (e *emitter) put(t Topic, wire func([]byte) []byte, tenant string, object []byte) {
	b := *e.buf
	start := len(b)
	b = append(b, tenant...)
	b = append(b, 0)
	b = append(b, object...)
	mid := len(b)
	b = wire(b)
	end := len(b)
	*e.buf = b
	e.out.Msgs = append(e.out.Msgs, Out{Topic: t, Shard: e.shard, Sharded: true, Key: b[start:mid:mid], Value: b[mid:end:end]})
}
