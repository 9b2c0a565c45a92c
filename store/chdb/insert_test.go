package chdb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// insertBatch inserts one batch under a token of its own, so that a retry after
// an unknown outcome changes nothing, in the table or its views.
func insertBatch(ctx context.Context, c clickhouse.Conn, writer uint8, batch, rows uint32) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(dedup(fmt.Sprintf("%d-%d", writer, batch))))
	b, err := c.PrepareBatch(ctx, "INSERT INTO k")
	if err != nil {
		return err
	}
	for i := range rows {
		if err := b.Append(writer, batch, i); err != nil {
			return err
		}
	}
	return b.Send()
}

func dedup(token string) clickhouse.Settings {
	return clickhouse.Settings{
		"insert_deduplication_token":                         token,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
	}
}

func TestDeduplicationToken(t *testing.T) {
	c := connect(t)
	run(t, c, `CREATE TABLE k (writer UInt8, batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY row
		SETTINGS non_replicated_deduplication_window = 100`)
	run(t, c, `CREATE TABLE sums (batch UInt32, n UInt64) ENGINE = SummingMergeTree ORDER BY batch
		SETTINGS non_replicated_deduplication_window = 100`)
	run(t, c, "CREATE MATERIALIZED VIEW mv TO sums AS SELECT batch, count() AS n FROM k GROUP BY batch")
	for range 3 {
		for batch := range uint32(4) {
			if err := insertBatch(t.Context(), c, 0, batch, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	equal(t, "rows", scalar[uint64](t, c, "SELECT count() FROM k"), 4000)
	equal(t, "rows by view", scalar[uint64](t, c, "SELECT sum(n) FROM sums"), 4000)
	// The token decides, not the content.
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(dedup("other")))
	if err := c.Exec(ctx, "INSERT INTO k SELECT 0, 0, number FROM numbers(1000)"); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", scalar[uint64](t, c, "SELECT count() FROM k"), 5000)
	equal(t, "parts of one insert", scalar[uint64](t, c, "SELECT uniqExact(_part) FROM k WHERE batch = 1"), 1)
}

type alert struct {
	ID   uint64    `ch:"id"`
	Name string    `ch:"name"`
	Tags []string  `ch:"tags"`
	At   time.Time `ch:"at"`
}

func TestBatchInserts(t *testing.T) {
	for _, method := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD,
		clickhouse.CompressionGZIP, clickhouse.CompressionDeflate,
	} {
		t.Run(method.String(), func(t *testing.T) {
			o := options(t)
			o.Compression = &clickhouse.Compression{Method: method, Level: 1}
			c := open(t, o)
			run(t, c, "CREATE TABLE a (id UInt64, name String, tags Array(String), at DateTime64(6)) ENGINE = MergeTree ORDER BY id")
			at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
			send := func(fill func(driver.Batch) error) {
				t.Helper()
				b, err := c.PrepareBatch(t.Context(), "INSERT INTO a (id, name, tags, at)")
				if err != nil {
					t.Fatal(err)
				}
				if err := fill(b); err != nil {
					t.Fatal(err)
				}
				if err := b.Send(); err != nil {
					t.Fatal(err)
				}
			}
			send(func(b driver.Batch) error {
				return b.AppendStruct(&alert{1, "struct\n\nwith empty line", []string{"a", "b"}, at})
			})
			send(func(b driver.Batch) error { return b.Append(uint64(2), "append", []string{}, at) })
			send(func(b driver.Batch) error {
				for i, v := range []any{[]uint64{3, 4}, []string{"col", "umn"}, [][]string{{"x"}, nil}, []time.Time{at, at}} {
					if err := b.Column(i).Append(v); err != nil {
						return err
					}
				}
				return nil
			})
			rows, err := c.Query(t.Context(), "SELECT id, name, tags, at FROM a ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var got []string
			for rows.Next() {
				var a alert
				if err := rows.ScanStruct(&a); err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%d %q %v %v", a.ID, a.Name, a.Tags, a.At.UTC().Equal(at)))
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			equal(t, "rows", strings.Join(got, "; "),
				`1 "struct\n\nwith empty line" [a b] true; 2 "append" [] true; 3 "col" [x] true; 4 "umn" [] true`)
		})
	}
}

// TestLargeInsert sends more than the endpoint's buffer, and more than the
// client puts into one compressed frame.
func TestLargeInsert(t *testing.T) {
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
		t.Run(method.String(), func(t *testing.T) {
			o := options(t)
			o.Compression = &clickhouse.Compression{Method: method}
			c := open(t, o)
			run(t, c, "CREATE TABLE l (n UInt32, s String) ENGINE = MergeTree ORDER BY n")
			b, err := c.PrepareBatch(t.Context(), "INSERT INTO l")
			if err != nil {
				t.Fatal(err)
			}
			const rows = 20000
			for i := range rows {
				if err := b.Append(uint32(i), strings.Repeat(fmt.Sprintf("%d\n\n;", i), 50)); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Send(); err != nil {
				t.Fatal(err)
			}
			equal(t, "bytes over 1 MB", scalar[bool](t, c, "SELECT sum(length(s)) > 5000000 FROM l"), true)
			equal(t, "whole rows", scalar[uint64](t, c, "SELECT countIf(s = repeat(concat(toString(n), '\\n\\n;'), 50)) FROM l"), rows)
			equal(t, "one big value", len(scalar[string](t, c, "SELECT concat(repeat('x', 1000000), repeat('y', 1000000), repeat('z', 1000000))")), 3000000)
		})
	}
}

// TestInlineInserts puts data into the query's text, with empty lines in it.
func TestInlineInserts(t *testing.T) {
	c := connect(t)
	run(t, c, "CREATE TABLE i (n UInt32, s String) ENGINE = MergeTree ORDER BY n")
	run(t, c, "INSERT INTO i VALUES (1, 'a\n\nb'), (2, 'VALUES FORMAT; -- ')")
	run(t, c, "INSERT INTO i (s, n) SETTINGS async_insert = 0 VALUES\n\n('c', 3),\n\n('d', 4)")
	run(t, c, "INSERT INTO i FORMAT JSONEachRow\n{\"n\": 5, \"s\": \"e\"}\n\n{\"n\": 6, \"s\": \"f\"}")
	run(t, c, "INSERT INTO i SELECT number + 7, 'g' FROM numbers(2)")
	run(t, c, "INSERT INTO `i` FORMAT CSV 9,\"h\n\nh\"\n")
	got := scalar[string](t, c, "SELECT arrayStringConcat(groupArray(concat(toString(n), s)), '|') FROM (SELECT * FROM i ORDER BY n)")
	equal(t, "rows", got, "1a\n\nb|2VALUES FORMAT; -- |3c|4d|5e|6f|7g|8g|9h\n\nh")
	for _, wait := range []bool{true, false} {
		if err := c.AsyncInsert(t.Context(), "INSERT INTO i VALUES (10, 'async')", wait); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "async inserts arrive", func() bool {
		return scalar[uint64](t, c, "SELECT count() FROM i WHERE n = 10") == 2
	})
	wantCode(t, c.Exec(t.Context(), "INSERT INTO i VALUES (1, "), 62)
	equal(t, "nothing of the bad one", scalar[uint64](t, c, "SELECT count() FROM i WHERE n = 1"), 1)
}
