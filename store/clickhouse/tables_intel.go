package clickhouse

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

func indicatorsTable() *tableOf[persist.Indicator] {
	type row = persist.Indicator
	t := &tableOf[row]{name: "indicators_history"}
	t.word("tenant", func(r *row) *string { return &r.Indicator.Tenant })
	name(t, "observable_type", func(r *row) *schema.ObservableType { return &r.Indicator.Type })
	t.str("value", func(r *row) *string { return &r.Indicator.Value })
	t.word("feed", func(r *row) *string { return &r.Indicator.Feed })
	t.str("indicator", func(r *row) *string { return &r.Indicator.ID })
	num(t, "snapshot", func(r *row) *uint64 { return &r.Snapshot })
	name(t, "verdict", func(r *row) *schema.Verdict { return &r.Indicator.Verdict })
	t.severity("severity", func(r *row) *schema.Severity { return &r.Indicator.Severity })
	num(t, "confidence", func(r *row) *uint8 { return &r.Indicator.Confidence })
	name(t, "tlp", func(r *row) *schema.TLP { return &r.Indicator.TLP })
	t.time("valid_from", func(r *row) *schema.Millis { return &r.Indicator.ValidFrom })
	t.time("valid_until", func(r *row) *schema.Millis { return &r.Indicator.ValidUntil })
	t.words("labels", func(r *row, s []string) []string { return append(s, r.Indicator.Labels...) },
		func(r *row, v []string) error { r.Indicator.Labels = orNil(v); return nil })
	t.time("written", func(r *row) *schema.Millis { return &r.Made })
	num(t, "seq", func(r *row) *uint64 { return &r.Seq })
	t.wordOf("op", func(r *row) string {
		switch r.Op {
		case schema.IndicatorAdd:
			return "add"
		case schema.IndicatorRemove:
			return "remove"
		}
		return "unknown"
	})
	name(t, "wish", func(r *row) *schema.Wish { return &r.Indicator.Wish })
	t.position(func(r *row) *persist.Position { return &r.Position })
	return t
}
