package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/schema"
)

// SourceActivity is what hop 1 made of one source's records within a time.
type SourceActivity struct {
	schema.SourceStats
	Reasons map[string]uint64 // rejected documents, by reason
}

// SourceActivity gives a tenant's sources by name. Counts are those of watermark
// records written at or after since; documents are counted where they were
// rejected since then.
func (s *Store) SourceActivity(ctx context.Context, tenant string, since schema.Millis) (map[string]SourceActivity, error) {
	if tenant == "" {
		return nil, ErrTenant
	}
	all := map[string]SourceActivity{}
	err := s.each(ctx, `SELECT toString(source), sum(records), sum(accepted), sum(rejected), sum(ignored), sum(bytes) FROM source_stats FINAL
		WHERE tenant = {tenant:String} AND time >= {since:DateTime64(3, 'UTC')} GROUP BY source`,
		of(tenant).with(since).params, func(r driver.Rows) error {
			var name string
			var a SourceActivity
			if err := r.Scan(&name, &a.Records, &a.Accepted, &a.Rejected, &a.Ignored, &a.Bytes); err != nil {
				return err
			}
			a.Reasons = map[string]uint64{}
			all[name] = a
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("reading source_stats: %w", err)
	}
	err = s.each(ctx, `SELECT toString(source), toString(reason), count() FROM rejects FINAL
		WHERE tenant = {tenant:String} AND written >= {since:DateTime64(3, 'UTC')} AND chunk = 0 GROUP BY source, reason`,
		of(tenant).with(since).params, func(r driver.Rows) error {
			var name, reason string
			var n uint64
			if err := r.Scan(&name, &reason, &n); err != nil {
				return err
			}
			a := all[name]
			if a.Reasons == nil {
				a.Reasons = map[string]uint64{}
			}
			a.Reasons[reason] = n
			all[name] = a
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("reading rejects: %w", err)
	}
	return all, nil
}

// with adds the parameter since.
func (w *where) with(since schema.Millis) *where {
	w.params["since"] = millis(since)
	return w
}
