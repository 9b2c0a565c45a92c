package chdb_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/goleak"

	"github.com/interdict/interdict/store/chdb"
)

// roleEnv makes the test binary play a child process instead of running tests.
const roleEnv = "CHDB_TEST_ROLE"

// shared is the engine that most tests use, each in its own database. A missing
// library fails the whole package: a skipped store test would hide that nothing
// of the store was tested.
var shared *chdb.Supervisor

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "engine":
		os.Exit(engineRole())
	case "signals":
		os.Exit(signalsRole())
	case "parent":
		os.Exit(parentRole())
	}
	os.Exit(runTests(m))
}

// engineRole is what the product's hidden subcommand does.
func engineRole() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := chdb.ServeChild(ctx, os.Stdin, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chdb-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	shared, err = chdb.Start(context.Background(), testConfig(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	fmt.Printf("engine %s ready in %v\n", shared.Version(), time.Since(began).Round(time.Millisecond))
	code := m.Run()
	if n := shared.Restarts(); n != 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the shared engine died %d times\n", n)
		code = 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := shared.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		code = 1
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			code = 1
		}
	}
	return code
}

func testConfig(dir string) chdb.Config {
	cfg := chdb.DefaultConfig()
	cfg.DataDir = dir
	cfg.MaxMemory = 2 << 30
	cfg.Command = []string{os.Args[0]}
	cfg.Env = []string{roleEnv + "=engine"}
	if os.Getenv("CHDB_TEST_LOG") != "" {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg
}

// start runs an engine of the test's own.
func start(t *testing.T, dir string) *chdb.Supervisor {
	t.Helper()
	s, err := chdb.Start(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

var databases atomic.Int64

// options returns client options on a fresh database of the shared engine.
func options(t testing.TB) *clickhouse.Options {
	t.Helper()
	o := parse(t, shared.DSN())
	db := fmt.Sprintf("t%d", databases.Add(1))
	admin := open(t, o)
	run(t, admin, "CREATE DATABASE "+db)
	t.Cleanup(func() {
		if err := admin.Exec(context.Background(), "DROP DATABASE "+db+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	fresh := parse(t, shared.DSN())
	fresh.Auth.Database = db
	return fresh
}

func parse(t testing.TB, dsn string) *clickhouse.Options {
	t.Helper()
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func open(t testing.TB, o *clickhouse.Options) clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// connect opens a client on a fresh database.
func connect(t testing.TB) clickhouse.Conn {
	t.Helper()
	return open(t, options(t))
}

func run(t testing.TB, c clickhouse.Conn, sql string, args ...any) {
	t.Helper()
	if err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", strings.SplitN(sql, "\n", 2)[0], err)
	}
}

// scalar runs a query of one value.
func scalar[T any](t testing.TB, c clickhouse.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := c.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
