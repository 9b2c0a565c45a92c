package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// position adds where a row comes from.
func (t *tableOf[R]) position(at func(*R) *persist.Position) {
	t.word("topic", func(r *R) *string { return &at(r).Topic })
	num(t, "partition", func(r *R) *int32 { return &at(r).Partition })
	num(t, "offset", func(r *R) *int64 { return &at(r).Offset })
}

// ref adds an entity as two columns.
func (t *tableOf[R]) ref(typeColumn, keyColumn string, at func(*R) *schema.EntityRef) {
	name(t, typeColumn, func(r *R) *schema.EntityType { return &at(r).Type })
	t.str(keyColumn, func(r *R) *string { return &at(r).Key })
}

func alertsTable() *tableOf[persist.Alert] {
	type row = persist.Alert
	t := &tableOf[row]{name: "alerts"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.ID })
	num(t, "revision", func(r *row) *uint64 { return &r.Revision })
	t.word("source", func(r *row) *string { return &r.Source })
	t.word("format", func(r *row) *string { return &r.Format })
	t.str("vendor_id", func(r *row) *string { return &r.VendorID })
	num(t, "content", func(r *row) *uint64 { return &r.Content })
	t.word("vendor", func(r *row) *string { return &r.Vendor })
	t.word("product", func(r *row) *string { return &r.Product })
	t.str("title", func(r *row) *string { return &r.Title })
	t.str("description", func(r *row) *string { return &r.Desc })
	t.word("rule_uid", func(r *row) *string { return &r.RuleUID })
	t.word("rule", func(r *row) *string { return &r.Rule })
	t.word("alert_type", func(r *row) *string { return &r.Type })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Severity })
	num(t, "confidence", func(r *row) *uint8 { return &r.Confidence })
	name(t, "verdict", func(r *row) *schema.Verdict { return &r.Verdict })
	name(t, "status", func(r *row) *schema.AlertStatus { return &r.Status })
	t.flag("blocked", func(r *row) *bool { return &r.Blocked })
	t.time("start_time", func(r *row) *schema.Millis { return &r.Start })
	t.time("end_time", func(r *row) *schema.Millis { return &r.End })
	t.time("created", func(r *row) *schema.Millis { return &r.Created })
	t.time("updated", func(r *row) *schema.Millis { return &r.Updated })
	t.time("ingested", func(r *row) *schema.Millis { return &r.Ingested })
	t.techniques(func(r *row) *[]schema.Technique { return &r.Techniques })
	array(t, "entities", proto.NewArray[string](new(proto.ColStr)), func(r *row, s []string) []string {
		for i := range r.Entities {
			s = append(s, r.Entities[i].Ref().String())
		}
		return s
	}, func(r *row, v []string) error {
		r.Entities = nil
		for _, s := range v {
			ref, err := parseRef(s)
			if err != nil {
				return err
			}
			r.Entities = append(r.Entities, schema.Entity{Type: ref.Type, Key: ref.Key})
		}
		return nil
	})
	t.words("roles", func(r *row, s []string) []string {
		for i := range r.Entities {
			s = append(s, r.Entities[i].Role.String())
		}
		return s
	}, func(r *row, v []string) error {
		return pairUp(r.Entities, v, func(e *schema.Entity, s string) error { return e.Role.UnmarshalText([]byte(s)) })
	})
	numOf(t, "matches", func(r *row) uint16 { return uint16(len(r.Matches)) })
	num(t, "snapshot", func(r *row) *uint64 { return &r.Snapshot })
	t.blob("raw", func(r *row) *[]byte { return &r.Raw })
	t.word("raw_topic", func(r *row) *string { return &r.RawRef.Topic })
	num(t, "raw_partition", func(r *row) *int32 { return &r.RawRef.Partition })
	num(t, "raw_offset", func(r *row) *int64 { return &r.RawRef.Offset })
	num(t, "raw_doc", func(r *row) *int32 { return &r.RawRef.Doc })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func alertEntitiesTable() *tableOf[persist.AlertEntity] {
	type row = persist.AlertEntity
	t := &tableOf[row]{name: "alert_entities"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	name(t, "entity_type", func(r *row) *schema.EntityType { return &r.Entity.Type })
	t.str("key", func(r *row) *string { return &r.Entity.Key })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Alert })
	name(t, "role", func(r *row) *schema.Role { return &r.Entity.Role })
	num(t, "revision", func(r *row) *uint64 { return &r.Revision })
	t.flag("attested", func(r *row) *bool { return &r.Entity.Attested })
	t.str("uid", func(r *row) *string { return &r.Entity.UID })
	t.str("name", func(r *row) *string { return &r.Entity.Name })
	num(t, "port", func(r *row) *uint16 { return &r.Entity.Port })
	t.word("source", func(r *row) *string { return &r.Source })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Severity })
	t.str("title", func(r *row) *string { return &r.Title })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func matchesTable() *tableOf[persist.Match] {
	type row = persist.Match
	t := &tableOf[row]{name: "matches"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.str("value", func(r *row) *string { return &r.Match.Value })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Alert })
	t.word("feed", func(r *row) *string { return &r.Match.Feed })
	t.str("indicator", func(r *row) *string { return &r.Match.Indicator })
	num(t, "revision", func(r *row) *uint64 { return &r.Revision })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	t.word("source", func(r *row) *string { return &r.Source })
	t.ref("entity_type", "key", func(r *row) *schema.EntityRef { return &r.On })
	name(t, "observable_type", func(r *row) *schema.ObservableType { return &r.Match.Type })
	name(t, "verdict", func(r *row) *schema.Verdict { return &r.Match.Verdict })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Match.Severity })
	num(t, "confidence", func(r *row) *uint8 { return &r.Match.Confidence })
	name(t, "tlp", func(r *row) *schema.TLP { return &r.Match.TLP })
	num(t, "snapshot", func(r *row) *uint64 { return &r.Match.Snapshot })
	name(t, "wish", func(r *row) *schema.Wish { return &r.Match.Wish })
	t.str("demoted", func(r *row) *string { return &r.Match.Demoted })
	t.flag("retro", func(r *row) *bool { return &r.Match.Retro })
	t.time("withdrawn", func(r *row) *schema.Millis { return &r.Withdrawn })
	t.threats(func(r *row) *[]schema.Threat { return &r.Match.Threats })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func entitiesTable() *tableOf[persist.Entity] {
	type row = persist.Entity
	t := &tableOf[row]{name: "entities"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.ref("entity_type", "key", func(r *row) *schema.EntityRef { return &r.EntityRef })
	id(t, "entity_id", func(r *row) *schema.ID { return &r.UID })
	t.str("name", func(r *row) *string { return &r.Name })
	t.time("first_seen", func(r *row) *schema.Millis { return &r.First })
	t.time("last_seen", func(r *row) *schema.Millis { return &r.Last })
	return t
}

func aliasesTable() *tableOf[schema.EntityAlias] {
	type row = schema.EntityAlias
	t := &tableOf[row]{name: "entity_aliases"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.ref("alias_type", "alias_key", func(r *row) *schema.EntityRef { return &r.Alias })
	t.ref("entity_type", "key", func(r *row) *schema.EntityRef { return &r.Entity })
	t.word("source", func(r *row) *string { return &r.Source })
	t.time("valid_from", func(r *row) *schema.Millis { return &r.ValidFrom })
	t.time("valid_to", func(r *row) *schema.Millis { return &r.ValidTo })
	return t
}

func edgesTable() *tableOf[persist.EntityEdge] {
	type row = persist.EntityEdge
	t := &tableOf[row]{name: "entity_edges"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.ref("from_type", "from_key", func(r *row) *schema.EntityRef { return &r.From })
	t.ref("to_type", "to_key", func(r *row) *schema.EntityRef { return &r.To })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	id(t, "alert_id", func(r *row) *schema.AlertID { return &r.Alert })
	t.word("technique", func(r *row) *string { return &r.Technique })
	t.flag("observed", func(r *row) *bool { return &r.Observed })
	id(t, "incident_id", func(r *row) *schema.IncidentID { return &r.Incident })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func detectionsTable() *tableOf[schema.Detection] {
	type row = schema.Detection
	t := &tableOf[row]{name: "detections"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.word("source", func(r *row) *string { return &r.Source })
	t.str("rule_uid", func(r *row) *string { return &r.RuleUID })
	t.str("name", func(r *row) *string { return &r.Name })
	t.time("first_seen", func(r *row) *schema.Millis { return &r.First })
	t.time("last_seen", func(r *row) *schema.Millis { return &r.Last })
	return t
}
