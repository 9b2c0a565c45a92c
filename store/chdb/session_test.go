package chdb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"golang.org/x/sync/errgroup"
)

func TestCancel(t *testing.T) {
	c := connect(t)
	running := func() uint64 {
		return scalar[uint64](t, c, "SELECT count() FROM system.processes WHERE query LIKE '%marker_to_cancel%' AND query NOT LIKE '%system.processes%'")
	}
	for _, sql := range []string{
		"SELECT sum(sleepEachRow(0.1)) AS marker_to_cancel FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0",
		"SELECT number, sleepEachRow(0.1) AS marker_to_cancel FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		g := errgroup.Group{}
		g.Go(func() error {
			rows, err := c.Query(ctx, sql)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		})
		await(t, "the query runs", func() bool { return running() == 1 })
		cancel()
		if err := g.Wait(); err == nil {
			t.Fatal("the canceled query succeeded")
		}
		await(t, "the query is gone", func() bool { return running() == 0 })
	}
}

// patience is how long a test waits for what must come: only what never comes takes
// so long, and a machine that stands still for a while fails nothing.
const patience = 2 * time.Minute

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func TestExternalTables(t *testing.T) {
	c := connect(t)
	table := func(n int) *ext.Table {
		x, err := ext.NewTable("ids", ext.Column("id", "UInt64"), ext.Column("name", "String"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := x.Append(uint64(i), fmt.Sprintf("n%d\n\n", i)); err != nil {
				t.Fatal(err)
			}
		}
		return x
	}
	for _, n := range []int{1, 1000, 50000} {
		ctx := clickhouse.Context(t.Context(), clickhouse.WithExternalTable(table(n)))
		var count, sum uint64
		if err := c.QueryRow(ctx, "SELECT count(), sum(id) FROM ids WHERE name = concat('n', toString(id), '\\n\\n') AND id < {max:UInt64}", clickhouse.Named("max", 1<<40)).Scan(&count, &sum); err != nil {
			t.Fatal(err)
		}
		equal(t, "rows", count, uint64(n))
		equal(t, "sum", sum, uint64(n*(n-1)/2))
	}
	wantCode(t, c.Exec(t.Context(), "SELECT * FROM ids"), 60)
}

func TestDatabaseSQL(t *testing.T) {
	db := clickhouse.OpenDB(options(t))
	defer db.Close()
	ctx := t.Context()
	if err := db.PingContext(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE s (n Int64, s Nullable(String)) ENGINE = MergeTree ORDER BY n"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	st, err := tx.PrepareContext(ctx, "INSERT INTO s")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := st.ExecContext(ctx, int64(i), sql.NullString{String: "v", Valid: i%2 == 0}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var n, nulls uint64
	if err := db.QueryRowContext(ctx, "SELECT count(), countIf(s IS NULL) FROM s WHERE n < ?", 50).Scan(&n, &nulls); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", n, uint64(50))
	equal(t, "nulls", nulls, uint64(25))
	err = db.QueryRowContext(ctx, "SELECT n FROM s WHERE n = 1000").Scan(&n)
	if !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("want ErrNoRows, got %v", err)
	}
}

func TestConcurrentMixedSessions(t *testing.T) {
	const workers, rounds = 8, 20
	c := connect(t)
	for w := range workers {
		run(t, c, fmt.Sprintf("CREATE TABLE w%d (k UInt64, v String) ENGINE = MergeTree ORDER BY k", w))
	}
	g, ctx := errgroup.WithContext(t.Context())
	for w := range workers {
		g.Go(func() error {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			table, inserted := fmt.Sprintf("w%d", w), uint64(0)
			for range rounds {
				n := 1 + rnd.IntN(200)
				batch, err := c.PrepareBatch(ctx, "INSERT INTO "+table)
				if err != nil {
					return err
				}
				for i := range n {
					if err := batch.Append(inserted+uint64(i), table); err != nil {
						return err
					}
				}
				if err := batch.Send(); err != nil {
					return err
				}
				inserted += uint64(n)
				block := 1000 + rnd.IntN(1000)
				sctx := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_block_size": block}))
				var count uint64
				var size, own string
				err = c.QueryRow(sctx, "SELECT count(), toString(getSetting('max_block_size')), any(v) FROM "+table).Scan(&count, &size, &own)
				if err != nil {
					return err
				}
				if count != inserted || size != fmt.Sprint(block) || own != table {
					return fmt.Errorf("worker %d saw %d rows (want %d), block size %s (want %d), table %s", w, count, inserted, size, block, own)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}
