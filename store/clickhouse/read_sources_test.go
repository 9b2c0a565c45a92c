package clickhouse_test

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

func TestSourceActivity(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	mark := func(tenant, source string, ago schema.Millis, st schema.SourceStats) {
		x.watermarks(schema.Watermark{Tenant: tenant, Source: source, Topic: "raw-" + source, Partitions: 1, Now: noon - ago, Stats: st})
	}
	mark("acme", "edr-1", 10*schema.Minute, schema.SourceStats{Records: 10, Accepted: 6, Rejected: 3, Ignored: 1, Bytes: 100})
	mark("acme", "edr-1", 2*schema.Hour, schema.SourceStats{Records: 5, Accepted: 5, Bytes: 50})
	mark("acme", "ids-1", 0, schema.SourceStats{Records: 1, Ignored: 1})
	mark("globex", "edr-1", 0, schema.SourceStats{Records: 1000})
	for doc, reason := range []schema.Reason{schema.ReasonInvalidJSON, schema.ReasonInvalidJSON, schema.ReasonUnknownFormat} {
		x.reject("acme", "edr-1", doc, reason, "{")
	}
	x.reject("globex", "edr-1", 0, schema.ReasonEmpty, "{")
	got := must(s.SourceActivity(t.Context(), "acme", noon-schema.Hour))(t)
	same(t, "last hour", got, map[string]clickhouse.SourceActivity{
		"edr-1": {SourceStats: schema.SourceStats{Records: 10, Accepted: 6, Rejected: 3, Ignored: 1, Bytes: 100}, Reasons: map[string]uint64{"invalid_json": 2, "unknown_format": 1}},
		"ids-1": {SourceStats: schema.SourceStats{Records: 1, Ignored: 1}, Reasons: map[string]uint64{}},
	})
	day := must(s.SourceActivity(t.Context(), "acme", noon-24*schema.Hour))(t)
	equal(t, "last day", day["edr-1"].Records, 15)
	equal(t, "nobody", len(must(s.SourceActivity(t.Context(), "nobody", noon-schema.Hour))(t)), 0)
	if _, err := s.SourceActivity(t.Context(), "", noon); err == nil {
		t.Error("sources of all tenants at once")
	}
}
