package persist_test

import (
	"testing"

	"github.com/interdict/interdict/stages/persist"
)

// FuzzDecode: any bytes on any topic either fail as a whole or give rows that all
// have a tenant (but indicators, which all tenants may share), at most one head row per record, and exactly one completeness
// row that counts the records.
func FuzzDecode(f *testing.F) {
	for _, in := range samples() {
		for _, r := range in.Records {
			name, value := "", []byte(nil)
			if len(r.Headers) > 0 {
				name, value = r.Headers[0].Key, r.Headers[0].Value
			}
			f.Add(uint8(in.Kind), r.Key, r.Value, name, value)
		}
	}
	var rows persist.Rows
	f.Fuzz(func(t *testing.T, kind uint8, key, value []byte, header string, text []byte) {
		headers := append(deadLetterHeaders(0), persist.Header{Key: header, Value: text})
		in := persist.Input{Kind: persist.Kind(kind), Topic: "t", Records: []persist.Record{{Key: key, Value: value, Headers: headers}}}
		if persist.Decode(in, persist.DefaultConfig(), &rows) != nil {
			return
		}
		if len(rows.Completeness) != 1 || rows.Completeness[0].Records != 1 {
			t.Fatalf("completeness: %+v", rows.Completeness)
		}
		heads := len(rows.Alerts) + len(rows.SourceStats) + len(rows.Incidents) + len(rows.Members) + len(rows.Paths) + len(rows.Decisions) +
			len(rows.Leases) + len(rows.Actions) + len(rows.Ledger) + len(rows.Rejects) + len(rows.Assets) + min(1, len(rows.Indicators))
		if len(rows.Alerts) == 0 {
			heads += len(rows.Matches) // of a retro-match
		}
		if heads+int(rows.Completeness[0].Skipped) != 1 {
			t.Fatalf("%d rows and %d skipped of one record", heads, rows.Completeness[0].Skipped)
		}
		for _, tenant := range tenants(&rows) {
			if tenant == "" {
				t.Fatal("a row without a tenant")
			}
		}
	})
}

func tenants(r *persist.Rows) (all []string) {
	for i := range r.Alerts {
		all = append(all, r.Alerts[i].Tenant)
	}
	for i := range r.AlertEntities {
		all = append(all, r.AlertEntities[i].Tenant)
	}
	for i := range r.Entities {
		all = append(all, r.Entities[i].Tenant)
	}
	for i := range r.Aliases {
		all = append(all, r.Aliases[i].Tenant)
	}
	for i := range r.Edges {
		all = append(all, r.Edges[i].Tenant)
	}
	for i := range r.Matches {
		all = append(all, r.Matches[i].Tenant)
	}
	for i := range r.Incidents {
		all = append(all, r.Incidents[i].Tenant)
	}
	for i := range r.Redirects {
		all = append(all, r.Redirects[i].Tenant)
	}
	for i := range r.Members {
		all = append(all, r.Members[i].Member.Tenant)
	}
	for i := range r.PathEdges {
		all = append(all, r.PathEdges[i].Tenant)
	}
	for i := range r.Evidence {
		all = append(all, r.Evidence[i].Tenant)
	}
	for i := range r.Rejects {
		all = append(all, r.Rejects[i].Tenant)
	}
	return all
}
