package clickhouse

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

func decisionsTable() *tableOf[persist.Decision] {
	type row = persist.Decision
	t := &tableOf[row]{name: "decisions"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	id(t, "decision_id", func(r *row) *schema.ID { return &r.ID })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	t.word("policy", func(r *row) *string { return &r.Policy })
	t.word("policy_hash", func(r *row) *string { return &r.PolicyHash })
	t.ref("target_type", "target_key", func(r *row) *schema.EntityRef { return &r.Target })
	name(t, "action", func(r *row) *schema.ActionKind { return &r.Action })
	name(t, "outcome", func(r *row) *schema.Outcome { return &r.Outcome })
	t.str("veto", func(r *row) *string { return &r.Veto })
	t.word("mode", func(r *row) *string { return &r.Mode })
	t.ids("evidence", func(r *row) *[]schema.AlertID { return &r.Evidence })
	id(t, "lease_id", func(r *row) *schema.ID { return &r.Lease })
	t.time("until", func(r *row) *schema.Millis { return &r.Until })
	t.word("cause", func(r *row) *string { return &r.Cause })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func evidenceTable() *tableOf[persist.Evidence] {
	type row = persist.Evidence
	t := &tableOf[row]{name: "evidence"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Alert })
	id(t, "decision_id", func(r *row) *schema.ID { return &r.Decision })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	t.word("policy", func(r *row) *string { return &r.Policy })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func leasesTable() *tableOf[persist.Lease] {
	type row = persist.Lease
	t := &tableOf[row]{name: "leases"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "lease_id", func(r *row) *schema.ID { return &r.ID })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	t.ref("target_type", "target_key", func(r *row) *schema.EntityRef { return &r.Target })
	name(t, "action", func(r *row) *schema.ActionKind { return &r.Action })
	name(t, "state", func(r *row) *schema.LeaseState { return &r.State })
	t.time("from_time", func(r *row) *schema.Millis { return &r.From })
	t.time("until", func(r *row) *schema.Millis { return &r.Until })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	id(t, "decision_id", func(r *row) *schema.ID { return &r.Decision })
	t.word("policy", func(r *row) *string { return &r.Policy })
	t.ids("evidence", func(r *row) *[]schema.AlertID { return &r.Evidence })
	t.str("reason", func(r *row) *string { return &r.Reason })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func actionsTable() *tableOf[persist.Action] {
	type row = persist.Action
	t := &tableOf[row]{name: "actions"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "action_id", func(r *row) *schema.ID { return &r.ID })
	t.word("record", func(r *row) *string { return &r.Record })
	t.time("time", func(r *row) *schema.Millis { return &r.Issued })
	id(t, "lease_id", func(r *row) *schema.ID { return &r.Lease })
	id(t, "decision_id", func(r *row) *schema.ID { return &r.Decision })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	name(t, "verb", func(r *row) *schema.Verb { return &r.Verb })
	name(t, "kind", func(r *row) *schema.ActionKind { return &r.Kind })
	t.ref("target_type", "target_key", func(r *row) *schema.EntityRef { return &r.Target })
	t.time("until", func(r *row) *schema.Millis { return &r.Until })
	t.word("policy", func(r *row) *string { return &r.Policy })
	t.word("policy_hash", func(r *row) *string { return &r.PolicyHash })
	t.ids("evidence", func(r *row) *[]schema.AlertID { return &r.Evidence })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.word("key_id", func(r *row) *string { return &r.KeyID })
	t.blob("signature", func(r *row) *[]byte { return &r.Signature })
	t.word("status", func(r *row) *string { return &r.Status })
	t.str("detail", func(r *row) *string { return &r.Detail })
	t.word("executor", func(r *row) *string { return &r.Executor })
	t.str("prior", func(r *row) *string { return &r.Prior })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func ledgerTable() *tableOf[persist.Ledger] {
	type row = persist.Ledger
	t := &tableOf[row]{name: "ledger"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.str("object", func(r *row) *string { return &r.Object })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	id(t, "event_id", func(r *row) *schema.ID { return &r.ID })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	t.str("actor", func(r *row) *string { return &r.Actor })
	name(t, "origin", func(r *row) *schema.Origin { return &r.Origin })
	t.word("verb", func(r *row) *string { return &r.Verb })
	t.str("before", func(r *row) *string { return &r.Before })
	t.str("after", func(r *row) *string { return &r.After })
	t.str("cause", func(r *row) *string { return &r.Cause })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}
