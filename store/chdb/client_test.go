package chdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestPingAndVersion(t *testing.T) {
	c := connect(t)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := c.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "version", fmt.Sprintf("%d.%d", v.Version.Major, v.Version.Minor), "26.7")
	equal(t, "SELECT version()", scalar[string](t, c, "SELECT version()"), shared.Version())
	equal(t, "revision", v.Revision, uint64(0))
}

func TestDDLAndDatabaseSelection(t *testing.T) {
	a, b := connect(t), connect(t)
	for i, c := range []clickhouse.Conn{a, b} {
		run(t, c, "CREATE TABLE t (n UInt32) ENGINE = MergeTree ORDER BY n")
		run(t, c, fmt.Sprintf("INSERT INTO t VALUES (%d)", i+1))
		run(t, c, "ALTER TABLE t ADD COLUMN m String DEFAULT 'x'")
	}
	equal(t, "rows in a", scalar[uint64](t, a, "SELECT sum(n) FROM t"), 1)
	equal(t, "rows in b", scalar[uint64](t, b, "SELECT sum(n) FROM t"), 2)
	run(t, a, "DROP TABLE t SYNC")
	equal(t, "b keeps its table", scalar[string](t, b, "SELECT m FROM t"), "x")
	equal(t, "exists in a", scalar[uint8](t, a, "EXISTS TABLE t"), 0)
}

func TestUnknownDatabase(t *testing.T) {
	o := parse(t, shared.DSN())
	o.Auth.Database = "no_such_database"
	err := open(t, o).Exec(t.Context(), "SELECT 1")
	wantCode(t, err, 81)
}

func wantCode(t *testing.T, err error, code int32) {
	t.Helper()
	var ex *clickhouse.Exception
	if !errors.As(err, &ex) {
		t.Fatalf("want exception %d, got %v", code, err)
	}
	if ex.Code != code {
		t.Fatalf("want exception %d, got %d: %v", code, ex.Code, err)
	}
}

func TestExceptionCodes(t *testing.T) {
	c := connect(t)
	for sql, code := range map[string]int32{
		"SELEC 1":                            62,
		"SELECT * FROM missing":              60,
		"SELECT missing":                     47,
		"SELECT throwIf(1, 'on purpose')":    395,
		"SELECT toUInt8('x')":                6,
		"DROP TABLE missing":                 60,
		"INSERT INTO missing VALUES (1)":     60,
		"CREATE TABLE t (a Nope) ENGINE=Log": 50,
		"SELECT {absent:UInt8}":              456,
	} {
		t.Run(sql, func(t *testing.T) {
			wantCode(t, c.Exec(t.Context(), sql), code)
		})
	}
	// implicit_select is off: a bare expression is an error, not a query.
	wantCode(t, c.Exec(t.Context(), "1 + 1"), 62)
	// The connection's pool is still good.
	equal(t, "afterwards", scalar[uint8](t, c, "SELECT 1"), 1)
}

// TestExceptionMidStream fails after rows were already sent with status 200.
func TestExceptionMidStream(t *testing.T) {
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
		t.Run(method.String(), func(t *testing.T) {
			o := options(t)
			o.Compression = &clickhouse.Compression{Method: method}
			rows, err := open(t, o).Query(t.Context(), "SELECT number, throwIf(number = 400000) FROM numbers(1000000) SETTINGS max_threads = 1")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				n++
			}
			if n == 0 {
				t.Fatal("no rows before the exception: this tested something else")
			}
			wantCode(t, rows.Err(), 395)
		})
	}
}

func TestParameters(t *testing.T) {
	c := connect(t)
	run(t, c, "CREATE TABLE p (s String, n Int64, a Array(String)) ENGINE = Memory")
	awkward := "it's \\ a `test`\twith\nlines; DROP TABLE p -- \x00 ü"
	ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"n": "-5"}))
	if err := c.Exec(ctx, "INSERT INTO p SELECT 'x', {n:Int64}, []"); err != nil {
		t.Fatal(err)
	}
	equal(t, "number", scalar[int64](t, c, "SELECT n FROM p WHERE n = {n:Int64}", clickhouse.Named("n", -5)), -5)
	run(t, c, "INSERT INTO p SELECT {s:String}, 1, {a:Array(String)}",
		clickhouse.Named("s", "plain"), clickhouse.Named("a", []string{"b", "c"}))
	equal(t, "array", scalar[string](t, c, "SELECT a[2] FROM p WHERE s = {s:String}", clickhouse.Named("s", "plain")), "c")
	// Positional arguments are put into the text by the client.
	equal(t, "awkward", scalar[string](t, c, "SELECT ?", awkward), awkward)
	equal(t, "table kept", scalar[uint64](t, c, "SELECT count() FROM p"), 2)
	// {x:Identifier}, and parameters of a query without rows.
	rows, err := c.Query(t.Context(), "SELECT s FROM {t:Identifier} WHERE n = {n:Int64}", clickhouse.Named("t", "p"), clickhouse.Named("n", 77))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "columns", strings.Join(rows.Columns(), ","), "s")
	_ = rows.Close()
}

func TestSettings(t *testing.T) {
	c := connect(t)
	with := func(s clickhouse.Settings) context.Context {
		return clickhouse.Context(t.Context(), clickhouse.WithSettings(s))
	}
	var v string
	const get = "SELECT toString(getSetting('max_block_size')), toString(getSetting('max_threads'))"
	var threads string
	if err := c.QueryRow(with(clickhouse.Settings{"max_block_size": 777, "max_threads": "3"}), get).Scan(&v, &threads); err != nil {
		t.Fatal(err)
	}
	equal(t, "max_block_size", v, "777")
	equal(t, "max_threads", threads, "3")
	// Settings end with their request.
	for range 20 {
		if err := c.QueryRow(t.Context(), get).Scan(&v, &threads); err != nil {
			t.Fatal(err)
		}
		if v == "777" {
			t.Fatal("a setting leaked into the next request")
		}
	}
	// SET and USE have no session to act on either.
	run(t, c, "SET max_block_size = 778")
	run(t, c, "USE system")
	run(t, c, "CREATE TEMPORARY TABLE leak (n UInt8)")
	for range 20 {
		if got := scalar[string](t, c, "SELECT toString(getSetting('max_block_size'))"); got == "778" {
			t.Fatal("SET leaked into the next request")
		}
		equal(t, "database", scalar[bool](t, c, "SELECT currentDatabase() = 'system'"), false)
	}
	wantCode(t, c.Exec(t.Context(), "SELECT * FROM leak"), 60)
	wantCode(t, c.Exec(with(clickhouse.Settings{"no_such_setting": 1}), "SELECT 1"), 115)
	wantCode(t, c.Exec(with(clickhouse.Settings{"max_execution_time": 0.2}), "SELECT sum(sleepEachRow(0.05)) FROM numbers(100) SETTINGS max_block_size = 1"), 159)
	wantCode(t, c.Exec(with(clickhouse.Settings{"session_id": "s"}), "SELECT 1"), 48)
	wantCode(t, c.Exec(with(clickhouse.Settings{"x = 1, max_threads": 1}), "SELECT 1"), 36)
}

// TestServerDefaults checks that the engine took the configured limits.
func TestServerDefaults(t *testing.T) {
	c := connect(t)
	for name, want := range map[string]string{"max_server_memory_usage": "2147483648", "mark_cache_size": "134217728"} {
		equal(t, name, scalar[string](t, c, "SELECT value FROM system.server_settings WHERE name = {n:String}", clickhouse.Named("n", name)), want)
	}
}

func TestEmptyResultsKeepColumns(t *testing.T) {
	c := connect(t)
	run(t, c, "CREATE TABLE e (a UInt8, b LowCardinality(String), c Map(String, Array(Nullable(Int64)))) ENGINE = Memory")
	for _, sql := range []string{
		"SELECT a, b, c FROM e",
		"SELECT a, b, c FROM e WHERE a = 1 -- and a comment",
		"WITH x AS (SELECT * FROM e) SELECT a, b, c FROM x;",
		"SELECT a, b, c FROM e ORDER BY a LIMIT 1 SETTINGS max_threads = 1",
		"SELECT a, b, c FROM e FORMAT Native",
	} {
		for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
			o := parse(t, shared.DSN())
			o.Auth.Database = scalar[string](t, c, "SELECT currentDatabase()")
			o.Compression = &clickhouse.Compression{Method: method}
			rows, err := open(t, o).Query(t.Context(), sql)
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			equal(t, sql, strings.Join(rows.Columns(), ","), "a,b,c")
			if rows.Next() {
				t.Fatalf("%s: a row", sql)
			}
			if err := rows.Err(); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			_ = rows.Close()
		}
	}
}
