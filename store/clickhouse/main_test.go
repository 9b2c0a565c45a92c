package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

// roleEnv makes the test binary play the engine's process.
const roleEnv = "CLICKHOUSE_TEST_ROLE"

// shared is the engine of most tests, each in its own database. A missing library
// fails the package: a skipped store test would hide that nothing was tested.
var shared *chdb.Supervisor

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "engine" {
		os.Exit(engineRole())
	}
	os.Exit(runTests(m))
}

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
	dir, err := os.MkdirTemp("", "clickhouse-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if shared, err = chdb.Start(context.Background(), engineConfig(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	code := m.Run()
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

func engineConfig(dir string) chdb.Config {
	cfg := chdb.DefaultConfig()
	cfg.DataDir = dir
	cfg.MaxMemory = 2 << 30
	cfg.Command = []string{os.Args[0]}
	cfg.Env = []string{roleEnv + "=engine"}
	return cfg
}

var databases atomic.Int64

// open opens a store on a database of its own, with the tables made.
func open(t testing.TB, change ...func(*clickhouse.Config)) *clickhouse.Store {
	t.Helper()
	s := openEmpty(t, append([]func(*clickhouse.Config){func(c *clickhouse.Config) {
		c.Database = fmt.Sprintf("t%d", databases.Add(1))
	}}, change...)...)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func openEmpty(t testing.TB, change ...func(*clickhouse.Config)) *clickhouse.Store {
	t.Helper()
	cfg := clickhouse.DefaultConfig()
	cfg.DSN = shared.DSN()
	cfg.Retention = clickhouse.Retention{} // rows of tests are dated as they like
	for _, f := range change {
		f(&cfg)
	}
	s, err := clickhouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// value runs a query of one value.
func value(t testing.TB, s *clickhouse.Store, sql string) string {
	t.Helper()
	table, err := s.Query(t.Context(), sql, nil)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if len(table.Rows) != 1 || len(table.Columns) != 1 {
		t.Fatalf("%s: want one value, got %v", sql, table.Rows)
	}
	return table.Rows[0][0]
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
