package clickhouse

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

func assetsTable() *tableOf[persist.Asset] {
	type row = persist.Asset
	t := &tableOf[row]{name: "assets"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.ref("entity_type", "key", func(r *row) *schema.EntityRef { return &r.Entity })
	num(t, "version", func(r *row) *uint64 { return &r.Version })
	t.mark("deleted", func(r *row) *bool { return &r.Deleted })
	t.word("class", func(r *row) *string { return &r.Class })
	num(t, "criticality", func(r *row) *uint8 { return &r.Criticality })
	t.word("asset_group", func(r *row) *string { return &r.Group })
	t.word("scope", func(r *row) *string { return &r.Scope })
	t.str("owner", func(r *row) *string { return &r.Owner })
	t.time("fresh", func(r *row) *schema.Millis { return &r.Fresh })
	t.life(func(r *row) *persist.Life { return &r.Life })
	return t
}

func rejectsTable() *tableOf[persist.Reject] {
	type row = persist.Reject
	t := &tableOf[row]{name: "rejects"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.word("source", func(r *row) *string { return &r.Source })
	t.word("raw_topic", func(r *row) *string { return &r.Topic })
	num(t, "raw_partition", func(r *row) *int32 { return &r.Partition })
	num(t, "raw_offset", func(r *row) *int64 { return &r.Offset })
	num(t, "raw_doc", func(r *row) *int32 { return &r.Doc })
	num(t, "chunk", func(r *row) *int32 { return &r.Chunk })
	num(t, "chunks", func(r *row) *int32 { return &r.Chunks })
	t.time("time", func(r *row) *schema.Millis { return &r.Time })
	name(t, "reason", func(r *row) *schema.Reason { return &r.Reason })
	t.str("detail", func(r *row) *string { return &r.Detail })
	num(t, "size", func(r *row) *uint64 { return &r.Size })
	t.blob("bytes", func(r *row) *[]byte { return &r.Bytes })
	t.time("written", func(r *row) *schema.Millis { return &r.Written })
	t.position(func(r *row) *persist.Position { return &r.At })
	return t
}

func sourceStatsTable() *tableOf[persist.SourceStats] {
	type row = persist.SourceStats
	t := &tableOf[row]{name: "source_stats"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.word("source", func(r *row) *string { return &r.Source })
	t.word("raw_topic", func(r *row) *string { return &r.Watermark.Topic })
	num(t, "raw_partition", func(r *row) *int32 { return &r.Watermark.Partition })
	num(t, "raw_partitions", func(r *row) *int32 { return &r.Partitions })
	num(t, "raw_offset", func(r *row) *int64 { return &r.Watermark.Offset })
	t.time("max_created", func(r *row) *schema.Millis { return &r.MaxCreated })
	t.flag("idle", func(r *row) *bool { return &r.Idle })
	t.time("time", func(r *row) *schema.Millis { return &r.Now })
	num(t, "records", func(r *row) *uint64 { return &r.Stats.Records })
	num(t, "accepted", func(r *row) *uint64 { return &r.Stats.Accepted })
	num(t, "rejected", func(r *row) *uint64 { return &r.Stats.Rejected })
	num(t, "ignored", func(r *row) *uint64 { return &r.Stats.Ignored })
	num(t, "bytes", func(r *row) *uint64 { return &r.Stats.Bytes })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}

func completenessTable() *tableOf[persist.Completeness] {
	type row = persist.Completeness
	t := &tableOf[row]{name: "completeness"}
	t.word("topic", func(r *row) *string { return &r.Topic })
	num(t, "partition", func(r *row) *int32 { return &r.Partition })
	num(t, "lo", func(r *row) *int64 { return &r.Lo })
	num(t, "hi", func(r *row) *int64 { return &r.Hi })
	t.str("token", func(r *row) *string { return &r.Token })
	num(t, "records", func(r *row) *uint64 { return &r.Records })
	num(t, "alerts", func(r *row) *uint64 { return &r.Alerts })
	num(t, "skipped", func(r *row) *uint64 { return &r.Skipped })
	t.time("watermark", func(r *row) *schema.Millis { return &r.Watermark })
	return t
}

// sourceRow is a version of a source's configuration.
type sourceRow struct {
	schema.Source
	version uint64
}

func sourcesTable() *tableOf[sourceRow] {
	type row = sourceRow
	t := &tableOf[row]{name: "sources"}
	t.word("tenant", func(r *row) *string { return &r.Tenant })
	t.word("source", func(r *row) *string { return &r.ID })
	t.word("topic", func(r *row) *string { return &r.Topic })
	num(t, "version", func(r *row) *uint64 { return &r.version })
	t.words("formats", func(r *row, s []string) []string { return append(s, r.Formats...) },
		func(r *row, v []string) error { r.Formats = orNil(v); return nil })
	t.words("attests", func(r *row, s []string) []string { return append(s, r.Attests...) },
		func(r *row, v []string) error { r.Attests = orNil(v); return nil })
	num(t, "silence_ms", func(r *row) *int64 { return (*int64)(&r.Silence) })
	return t
}
