package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// life adds the last columns of tables of compacted topics.
func (t *tableOf[R]) life(at func(*R) *persist.Life) {
	t.time("written", func(r *R) *schema.Millis { return &at(r).Written })
	t.position(func(r *R) *persist.Position { return &at(r).Position })
}

func incidentsTable() *tableOf[persist.Incident] {
	type row = persist.Incident
	t := &tableOf[row]{name: "incidents"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.ID })
	t.strOf("number", func(r *row) string { return r.ID.Number() })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	t.str("title", func(r *row) *string { return &r.Title })
	name(t, "disposition", func(r *row) *schema.Disposition { return &r.Disposition })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Severity })
	num(t, "priority", func(r *row) *uint8 { return &r.Priority })
	t.words("factors", func(r *row, s []string) []string {
		for _, f := range r.Factors {
			s = append(s, f.Name)
		}
		return s
	}, func(r *row, v []string) error {
		r.Factors = nil
		for _, s := range v {
			r.Factors = append(r.Factors, schema.Factor{Name: s})
		}
		return nil
	})
	array(t, "factor_points", proto.NewArray[int32](new(proto.ColInt32)), func(r *row, s []int32) []int32 {
		for _, f := range r.Factors {
			s = append(s, f.Points)
		}
		return s
	}, func(r *row, v []int32) error {
		return pairUp(r.Factors, v, func(f *schema.Factor, n int32) error { f.Points = n; return nil })
	})
	name(t, "status", func(r *row) *schema.IncidentStatus { return &r.Status })
	t.str("assignee", func(r *row) *string { return &r.Assignee })
	t.str("assignee_group", func(r *row) *string { return &r.Group })
	t.word("classification", func(r *row) *string { return &r.Classification })
	t.strs("tags", func(r *row) *[]string { return &r.Tags })
	t.strs("scopes", func(r *row) *[]string { return &r.Scopes })
	t.strs("tickets", func(r *row) *[]string { return &r.Tickets })
	id(t, "redirect_to", func(r *row) *schema.IncidentID { return &r.RedirectTo })
	id(t, "campaign", func(r *row) *schema.IncidentID { return &r.Campaign })
	id(t, "founder", func(r *row) *schema.AlertID { return &r.Founder })
	num(t, "level", func(r *row) *int8 { return &r.Level })
	num(t, "slice", func(r *row) *int32 { return &r.Slice })
	t.flag("final", func(r *row) *bool { return &r.Final })
	t.flag("touched", func(r *row) *bool { return &r.Touched })
	t.flag("suggested_split", func(r *row) *bool { return &r.Suggested })
	t.time("first_time", func(r *row) *schema.Millis { return &r.First })
	t.time("last_time", func(r *row) *schema.Millis { return &r.Last })
	num(t, "alerts", func(r *row) *uint32 { return &r.Alerts })
	num(t, "routine", func(r *row) *uint32 { return &r.Routine })
	t.words("sources", func(r *row, s []string) []string { return append(s, r.Sources...) },
		func(r *row, v []string) error { r.Sources = orNil(v); return nil })
	t.techniques(func(r *row) *[]schema.Technique { return &r.Techniques })
	t.refs("entities", func(r *row) *[]schema.EntityRef { return &r.Entities })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func incidentVersionsTable() *tableOf[persist.Incident] {
	type row = persist.Incident
	t := &tableOf[row]{name: "incident_versions"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.ID })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	t.str("title", func(r *row) *string { return &r.Title })
	name(t, "disposition", func(r *row) *schema.Disposition { return &r.Disposition })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Severity })
	num(t, "priority", func(r *row) *uint8 { return &r.Priority })
	name(t, "status", func(r *row) *schema.IncidentStatus { return &r.Status })
	t.str("assignee", func(r *row) *string { return &r.Assignee })
	t.word("classification", func(r *row) *string { return &r.Classification })
	id(t, "redirect_to", func(r *row) *schema.IncidentID { return &r.RedirectTo })
	num(t, "level", func(r *row) *int8 { return &r.Level })
	num(t, "alerts", func(r *row) *uint32 { return &r.Alerts })
	t.time("last_time", func(r *row) *schema.Millis { return &r.Last })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func membersTable() *tableOf[persist.Member] {
	type row = persist.Member
	t := &tableOf[row]{name: "incident_members"}
	t.word("tenant", func(r *row) *string { return &r.Member.Tenant })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Member.Alert })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Member.Incident })
	num(t, "version", func(r *row) *uint64 { return &r.Member.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	num(t, "level", func(r *row) *int8 { return &r.Member.Level })
	num(t, "weight", func(r *row) *uint16 { return &r.Member.Weight })
	name(t, "reason", func(r *row) *schema.ReasonKind { return &r.Member.Reason })
	t.str("link_key", func(r *row) *string { return &r.Member.Key })
	id(t, "peer", func(r *row) *schema.AlertID { return &r.Member.Peer })
	num(t, "distance_ms", func(r *row) *int64 { return (*int64)(&r.Member.Distance) })
	t.flag("late", func(r *row) *bool { return &r.Member.Late })
	t.str("vendor_id", func(r *row) *string { return &r.Member.VendorID })
	t.word("source", func(r *row) *string { return &r.Member.Source })
	t.time("created", func(r *row) *schema.Millis { return &r.Member.Created })
	t.str("title", func(r *row) *string { return &r.Member.Title })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Member.Severity })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func redirectsTable() *tableOf[persist.Redirect] {
	type row = persist.Redirect
	t := &tableOf[row]{name: "incident_redirects"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	id(t, "redirect_to", func(r *row) *schema.IncidentID { return &r.To })
	t.time("written", func(r *row) *schema.Millis { return &r.Written })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func pathsTable() *tableOf[persist.Path] {
	type row = persist.Path
	t := &tableOf[row]{name: "attack_paths"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "path_id", func(r *row) *schema.ID { return &r.ID })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	name(t, "kind", func(r *row) *schema.PathKind { return &r.Kind })
	t.word("status", func(r *row) *string { return &r.Status })
	t.ref("entry_type", "entry_key", func(r *row) *schema.EntityRef { return &r.Entry })
	t.ref("foothold_type", "foothold_key", func(r *row) *schema.EntityRef { return &r.Foothold })
	numOf(t, "edges", func(r *row) uint32 { return uint32(len(r.Edges)) })
	num(t, "reach", func(r *row) *uint32 { return &r.Reach })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func pathEdgesTable() *tableOf[persist.PathEdge] {
	type row = persist.PathEdge
	t := &tableOf[row]{name: "attack_path_edges"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "path_id", func(r *row) *schema.ID { return &r.Path })
	num(t, "seq", func(r *row) *uint32 { return &r.Seq })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	t.ref("from_type", "from_key", func(r *row) *schema.EntityRef { return &r.From })
	t.ref("to_type", "to_key", func(r *row) *schema.EntityRef { return &r.To })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	t.word("technique", func(r *row) *string { return &r.Technique })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Alert })
	t.flag("observed", func(r *row) *bool { return &r.Observed })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}
