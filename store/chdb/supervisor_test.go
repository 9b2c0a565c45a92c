package chdb_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/interdict/interdict/store/chdb"
)

// TestKillDuringInserts kills the engine with signal 9 while writers insert,
// several times. Every batch that was acknowledged must be there, whole and
// once; batches that failed are retried with their deduplication token.
func TestKillDuringInserts(t *testing.T) {
	const writers, perBatch = 3, 500
	kills := 4
	if testing.Short() {
		kills = 2
	}
	s := start(t, t.TempDir())
	c := open(t, parse(t, s.DSN()))
	run(t, c, `CREATE TABLE k (writer UInt8, batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY (writer, batch, row)
		SETTINGS non_replicated_deduplication_window = 1000`)
	run(t, c, `CREATE MATERIALIZED VIEW k_mv (writer UInt8, batch UInt32, rows UInt64) ENGINE = MergeTree ORDER BY (writer, batch)
		SETTINGS non_replicated_deduplication_window = 1000
		AS SELECT writer, batch, count() AS rows FROM k GROUP BY writer, batch`)
	var acked, failed atomic.Int64
	var stop atomic.Bool
	g, ctx := errgroup.WithContext(t.Context())
	for w := range writers {
		g.Go(func() error {
			for b := 0; !stop.Load(); b++ {
				for {
					err := insertBatch(ctx, c, uint8(w), uint32(b), perBatch)
					if err == nil {
						acked.Add(1)
						break
					}
					if ctx.Err() != nil {
						return err
					}
					failed.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
			}
			return nil
		})
	}
	for range kills {
		before, pid := acked.Load(), s.Pid()
		await(t, "inserts run", func() bool { return acked.Load() > before+20 })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		at := acked.Load()
		await(t, "the child is replaced", func() bool { return s.Pid() != pid })
		ready := time.Since(killed)
		await(t, "inserts go on", func() bool { return acked.Load() > at+2 })
		t.Logf("killed: ready after %v, inserting after %v", ready.Round(time.Millisecond), time.Since(killed).Round(time.Millisecond))
	}
	stop.Store(true)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if failed.Load() == 0 {
		t.Fatal("no insert failed: the kills hit nothing")
	}
	t.Logf("%d batches acknowledged, %d attempts failed", acked.Load(), failed.Load())
	equal(t, "restarts", s.Restarts(), kills)
	equal(t, "rows", scalar[uint64](t, c, "SELECT count() FROM k"), uint64(acked.Load())*perBatch)
	equal(t, "distinct rows", scalar[uint64](t, c, "SELECT uniqExact(writer, batch, row) FROM k"), uint64(acked.Load())*perBatch)
	equal(t, "rows by view", scalar[uint64](t, c, "SELECT sum(rows) FROM k_mv"), uint64(acked.Load())*perBatch)
	equal(t, "torn batches", scalar[uint64](t, c, fmt.Sprintf("SELECT count() FROM (SELECT writer, batch FROM k GROUP BY ALL HAVING count() != %d)", perBatch)), 0)
}

func TestDataSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	closing := time.Hour // the shortest: any one may be held up by the machine
	for i := range 3 {
		s, err := chdb.Start(t.Context(), testConfig(dir))
		if err != nil {
			t.Fatal(err)
		}
		c := open(t, parse(t, s.DSN()))
		run(t, c, "CREATE TABLE IF NOT EXISTS d (n UInt32) ENGINE = MergeTree ORDER BY n")
		equal(t, "rows", scalar[uint64](t, c, "SELECT count() FROM d"), uint64(i))
		run(t, c, "INSERT INTO d VALUES (1)")
		_ = c.Close()
		began := time.Now()
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		closing = min(closing, time.Since(began))
		if err := s.Close(t.Context()); err != nil {
			t.Fatalf("second Close: %v", err)
		}
	}
	if closing > 4*time.Second {
		t.Errorf("closing took %v", closing)
	}
}

func TestSecondProcessOnTheSameFolder(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	_, err := chdb.Start(t.Context(), testConfig(dir))
	if err == nil {
		t.Fatal("a second engine started on the same folder")
	}
	for _, part := range []string{"in use by process " + fmt.Sprint(s.Pid()), dir} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
}

// parentRole starts an engine as the product would and waits to be killed.
func parentRole() int {
	s, err := chdb.Start(context.Background(), testConfig(os.Getenv("CHDB_TEST_DIR")))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = json.NewEncoder(os.Stdout).Encode(s.Pid())
	select {}
}

// TestChildEndsWithItsParent kills the parent in a way it cannot notice.
func TestChildEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), roleEnv+"=parent", "CHDB_TEST_DIR="+dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if err := json.Unmarshal([]byte(line), &pid); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	await(t, "the child has ended", func() bool { return !alive(pid) })
	start(t, dir) // and the folder is free again
}

// alive reports whether a process runs; an unreaped orphan does not count.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestWrongKeyIsRefused(t *testing.T) {
	u, err := url.Parse(shared.DSN())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"wrong": func() { u.User = url.UserPassword("default", strings.Repeat("0", 64)) },
		"none":  func() { u.User = nil },
		"empty": func() { u.User = url.UserPassword("default", "") },
	} {
		change()
		t.Run(name, func(t *testing.T) {
			err := open(t, parse(t, u.String())).Ping(t.Context())
			wantCode(t, err, 516)
		})
	}
	key, _ := parse(t, shared.DSN()), 0
	for name, set := range map[string]func(*http.Request){
		"bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key.Auth.Password) },
		"header": func(r *http.Request) { r.Header.Set("X-ClickHouse-Key", key.Auth.Password) },
		"basic":  func(r *http.Request) { r.SetBasicAuth("any", key.Auth.Password) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+shared.Addr()+"/", strings.NewReader("SELECT 42"))
			set(r)
			equal(t, "answer", do(t, r, http.StatusOK), "42\n")
		})
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+shared.Addr()+"/ping", nil)
	equal(t, "ping", do(t, r, http.StatusOK), "Ok.\n")
}

func do(t testing.TB, r *http.Request, status int) string {
	t.Helper()
	resp, err := plainHTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, status, body)
	}
	return string(body)
}

var plainHTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func TestStartFailures(t *testing.T) {
	t.Run("missing library", func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Library = filepath.Join(t.TempDir(), "libchdb.so")
		wantError(t, cfg, "make clickhouse-lib")
	})
	t.Run("not a library", func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Library = filepath.Join(t.TempDir(), "libchdb.so")
		if err := os.WriteFile(cfg.Library, []byte("no"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantError(t, cfg, "loading the ClickHouse library")
	})
	t.Run("command that ends", func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Command = []string{"/bin/sh", "-c", "echo some reason >&2; exit 3"}
		wantError(t, cfg, "some reason")
	})
	t.Run("command that never answers", func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Command = []string{"/bin/sh", "-c", "exec sleep 60"}
		cfg.StartTimeout = 200 * time.Millisecond
		wantError(t, cfg, "not ready after 200ms")
	})
	t.Run("canceled", func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Command = []string{"/bin/sh", "-c", "exec sleep 60"}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := chdb.Start(ctx, cfg); err == nil || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("bad config", func(t *testing.T) {
		wantError(t, chdb.Config{}, "data_dir must be set")
	})
	t.Run("unusable folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		wantError(t, testConfig(filepath.Join(file, "x")), "data folder")
	})
}

func wantError(t *testing.T, cfg chdb.Config, part string) {
	t.Helper()
	s, err := chdb.Start(t.Context(), cfg)
	if err == nil {
		_ = s.Close(t.Context())
		t.Fatal("it started")
	}
	if !strings.Contains(err.Error(), part) {
		t.Fatalf("the error does not say %q: %v", part, err)
	}
}
