package main

import (
	"context"

	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// retroStore is the store as retro-match asks it.
type retroStore struct{ st *clickhouse.Store }

var _ retro.Store = retroStore{}

func (r retroStore) Entities(ctx context.Context, q retro.Query) ([]retro.Row, error) {
	list, err := r.st.Seen(ctx, clickhouse.SeenFilter{Tenants: q.Tenants, Field: q.Field.String(), Values: q.Values, Since: q.From, Till: q.To, Limit: q.Limit,
		Matched: q.Matched})
	rows := make([]retro.Row, len(list))
	for i, e := range list {
		rows[i] = retro.Row(e)
	}
	return rows, err
}

func (r retroStore) Alerts(ctx context.Context, tenant string, ids []schema.AlertID, values []string) ([]retro.Alert, error) {
	list, err := r.st.SeenAlerts(ctx, tenant, ids, values)
	out := make([]retro.Alert, len(list))
	for i, a := range list {
		out[i] = retro.Alert{ID: a.ID, Severity: a.Severity, Blocked: a.Blocked, Incident: a.Incident}
		for _, m := range a.Matches {
			out[i].Matched = append(out[i].Matched, retro.Matched(m))
		}
	}
	return out, err
}
