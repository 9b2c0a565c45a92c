package chdb_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/interdict/interdict/store/chdb"
)

// signalsRole runs in a process of its own: without the guard it dies.
func signalsRole() int {
	lib, err := chdb.Locate("")
	if err == nil {
		err = chdb.ProbeSignals(lib, os.Getenv("CHDB_TEST_DIR"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("panics work")
	return 0
}

func TestRuntimeKeepsItsSignals(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=signals", "CHDB_TEST_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "panics work") {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestGuardRestoresHandlers checks the guard itself, since the pinned engine
// happens to leave deadly signals alone and a later one may not.
func TestGuardRestoresHandlers(t *testing.T) {
	const firstRealTime = 34
	kept, left, err := chdb.LoseSignal(int(syscall.SIGSYS), firstRealTime)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Go's handler is back", kept, true)
	equal(t, "a signal Go does not use is left alone", left, true)
}

// TestStackTraces makes the engine interrupt every thread of its process, those
// that run Go code included, while requests keep these busy.
func TestStackTraces(t *testing.T) {
	c := connect(t)
	g, ctx := errgroup.WithContext(t.Context())
	var stop atomic.Bool
	for range 4 {
		g.Go(func() error {
			for !stop.Load() {
				if err := c.Ping(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 10 {
		if n := scalar[uint64](t, c, "SELECT count() FROM system.stack_trace WHERE length(trace) > 0"); n == 0 {
			t.Fatal("no stack traces")
		}
	}
	stop.Store(true)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "restarts", shared.Restarts(), 0)
}
