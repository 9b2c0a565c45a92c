package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/store/chdb"
)

// What all tests share; set once in TestMain. A missing engine library fails the
// package: a skipped fault test would hide that nothing was tested.
var (
	binary string           // the program under test
	engine *chdb.Supervisor // ClickHouse; each test has a database of its own
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "interdict-e2e-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "interdict")
	build := exec.Command("go", "build", "-o", binary, "github.com/interdict/interdict/cmd/interdict")
	if out, err := build.CombinedOutput(); err != nil {
		return failed(fmt.Errorf("building the program: %w\n%s", err, out))
	}
	// Faults are mostly waited for: sessions that time out, ranges that are tried
	// again. More tests than cores keep the cores busy meanwhile.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("4"); err != nil {
			return failed(err)
		}
	}
	if engine, err = startEngine(context.Background(), filepath.Join(dir, "clickhouse")); err != nil {
		return failed(err)
	}
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := engine.Close(ctx); err != nil {
		code = failed(err)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			code = failed(err)
		}
	}
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "FAIL:", err)
	return 1
}

// startEngine starts ClickHouse as a child of the test, so that it outlives
// the workers.
func startEngine(ctx context.Context, dir string) (*chdb.Supervisor, error) {
	cfg := chdb.DefaultConfig()
	cfg.DataDir, cfg.MaxMemory = dir, 2<<30
	cfg.Command = []string{binary, "chdb-serve"}
	return chdb.Start(ctx, cfg)
}

// onKafka gives the cluster to test on; empty: the embedded broker.
func onKafka() []string {
	if addr := os.Getenv("INTERDICT_TEST_KAFKA"); addr != "" {
		return strings.Split(addr, ",")
	}
	return nil
}

// notOnKafka leaves a test to the embedded broker, saying so: make test runs it.
func notOnKafka(t *testing.T) {
	t.Helper()
	if onKafka() != nil {
		t.Skip("SKIPPED: runs on the embedded broker; INTERDICT_TEST_KAFKA is set")
	}
}

// notShort leaves a test out of -short runs, saying so.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: too long for -short")
	}
}
