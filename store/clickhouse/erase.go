package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// eraseTimeout bounds the rewriting of one table.
const eraseTimeout = time.Hour

// EraseTenant removes every row of a tenant from every table, from the disk and
// not only from sight, and checks that none is left. It takes as long as
// rewriting the parts that hold any takes. Stop what writes the tenant before:
// its records in Kafka are not touched, and rows that arrive meanwhile fail the
// check. It may be run again. Rows of Kafka ranges that were erased do not come
// back when the same ranges are inserted again.
func (s *Store) EraseTenant(ctx context.Context, tenant string) error {
	if tenant == "" {
		return ErrTenant
	}
	tables, err := s.tenantTables(ctx)
	if err != nil {
		return fmt.Errorf("erasing a tenant: %w", err)
	}
	for _, table := range tables {
		// Mutations take no parameters: the condition is kept and shown as text.
		sql := fmt.Sprintf("ALTER TABLE %s %s DELETE WHERE tenant = %s", table, s.onCluster(), literal(tenant))
		if err := s.mutate(ctx, sql); err != nil {
			return fmt.Errorf("erasing a tenant from %s: %w", table, err)
		}
	}
	for _, table := range tables {
		var left uint64
		if err := s.scalar(ctx, &left, "SELECT count() FROM "+table+" WHERE tenant = {tenant:String}", params{"tenant": text(tenant)}); err != nil {
			return fmt.Errorf("checking the erasure from %s: %w", table, err)
		}
		if left > 0 {
			return fmt.Errorf("erasing a tenant: %d rows arrived in %s meanwhile", left, table)
		}
	}
	return nil
}

func (s *Store) mutate(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, eraseTimeout)
	defer cancel()
	return s.conn.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2})), sql)
}

// tenantTables asks the database which tables have tenants, so that no table can
// be forgotten here.
func (s *Store) tenantTables(ctx context.Context) (tables []string, err error) {
	err = s.each(ctx, `SELECT c.table FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
		WHERE c.database = {db:String} AND c.name = 'tenant' AND t.engine LIKE '%MergeTree' ORDER BY c.table`,
		params{"db": text(s.opts.Auth.Database)}, func(r driver.Rows) error {
			var name string
			if err := r.Scan(&name); err != nil {
				return err
			}
			tables = append(tables, name)
			return nil
		})
	return tables, err
}

// literal quotes a string for SQL.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
