package clickhouse

import (
	"context"
	"io/fs"
	"reflect"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/interdict/interdict/stages/persist"
)

// WriteByBatches makes a store that speaks HTTP insert the way one over native
// TCP does.
func (s *Store) WriteByBatches() { s.sender = &batcher{conn: s.conn} }

// MigrateFiles migrates from other files.
func (s *Store) MigrateFiles(ctx context.Context, files fs.FS) ([]Migration, error) {
	return s.migrate(ctx, files)
}

// Migrations gives the statements for a cluster, or for one server.
func Migrations(cluster string) ([]Migration, error) { return migrations(migrationFiles, cluster) }

// WrittenColumns gives name and type of the columns of every table that is
// written, by table.
func WrittenColumns() map[string][][2]string {
	rows := new(persist.Rows)
	v := reflect.ValueOf(rows).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			v.Field(i).Set(reflect.MakeSlice(v.Field(i).Type(), 1, 1)) // a zero row: it has columns too
		}
	}
	e := newEncoder()
	blocks := []block{e.sources.block(make([]sourceRow, 1))}
	for _, table := range e.tables {
		blocks = append(blocks, table(rows))
	}
	all := map[string][][2]string{}
	for _, b := range blocks {
		for _, c := range b.columns {
			all[b.table] = append(all[b.table], [2]string{c.Name, string(c.Data.Type())})
		}
	}
	return all
}

// RetentionTables lists the tables that have a retention.
func RetentionTables() (names []string) {
	for _, c := range classes() {
		for table := range c.from {
			names = append(names, table)
		}
	}
	return names
}

// TestDSN gives the DSN the store was opened with.
func (s *Store) TestDSN() string { return s.cfg.DSN }

// Encode gives what turns rows into blocks, and reports their bytes.
func Encode() func(*persist.Rows) int {
	e := newEncoder()
	return func(rows *persist.Rows) (n int) {
		for _, table := range e.tables {
			b := table(rows)
			if b.rows == 0 {
				continue
			}
			e.buf.Reset()
			if err := (proto.Block{Columns: len(b.columns), Rows: b.rows}).EncodeRawBlock(&e.buf, 0, b.columns); err != nil {
				panic(err)
			}
			n += len(e.buf.Buf)
		}
		return n
	}
}
