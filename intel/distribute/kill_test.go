package distribute

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/interdict/interdict/schema"
)

const jobEnv = "INTERDICT_TEST_DISTRIBUTE"

// job is what a child process is told: to open a snapshot through a cache, and to die
// when so many bytes have come.
type job struct {
	Dir   string
	Ref   schema.IndicatorSnapshot
	Bytes int64
}

func runJob(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.run()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func (j job) run() error {
	ctx := context.Background()
	left := j.Bytes
	src := sourceFunc(func(ctx context.Context, location string, from int64) (io.ReadCloser, error) {
		in, err := HTTP{}.Open(ctx, location, from)
		if err != nil {
			return nil, err
		}
		return readCloser{readerFunc(func(p []byte) (int, error) {
			if left <= 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // the signal is on its way
			}
			n, err := in.Read(p[:min(int64(len(p)), left)])
			left -= int64(n)
			return n, err
		}), in}, nil
	})
	c, err := openCache(j.Dir, src, 1<<30)
	if err != nil {
		return err
	}
	_, err = c.open(ctx, &j.Ref)
	return err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type readCloser struct {
	io.Reader
	io.Closer
}

// die runs a job until it has killed itself.
func die(t *testing.T, j job) {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), jobEnv+"="+string(text))
	out, err := cmd.CombinedOutput()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("the child did not die as told: %v\n%s", err, out)
	}
}

// lastReference gives the newest reference of a log.
func lastReference(t *testing.T, l *memLog) schema.IndicatorSnapshot {
	t.Helper()
	for i := len(l.recs) - 1; i >= 0; i-- {
		kind, body, err := schema.DecodeIndicatorEntry(l.recs[i].value)
		if err != nil || kind != schema.IndicatorEntrySnapshot {
			continue
		}
		var s schema.IndicatorSnapshot
		if err := s.DecodeWire(body); err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Fatal("no reference")
	return schema.IndicatorSnapshot{}
}

// TestKillDownload kills a worker in the middle of a download, again and again. What
// was good stays, what has come is not asked for again, and a start finds all.
func TestKillDownload(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(Handler(w.store.Dir))
	defer srv.Close()
	w.store.URL = srv.URL + "/intel/snapshots/"
	w.lib.put(indicator(1, 0))
	w.publish()
	dir := filepath.Join(t.TempDir(), "cache")
	v := w.worker(dir, nil)
	v.settle()
	first := w.lib.id(t)
	v.has(first)
	v.stop()

	var more []schema.Indicator
	for n := range 500 {
		more = append(more, indicator(3*n, 1))
	}
	w.lib.put(more...)
	w.cfg.MaxChanges = 10
	w.start()
	w.publish()
	ref := lastReference(t, w.log)
	ref.Locations = ref.Locations[1:] // over HTTP
	for range 3 {
		die(t, job{dir, ref, ref.Size / 5})
	}
	part := filepath.Join(dir, nameOf(ref.Hash)+".part")
	info, err := os.Stat(part)
	if err != nil || info.Size() != 3*(ref.Size/5) {
		t.Fatalf("after three kills: %v, %v; want three fifths of %d bytes", info, err, ref.Size)
	}

	// The manager is away: what was there last is used.
	away := sourceFunc(func(context.Context, string, int64) (io.ReadCloser, error) {
		return nil, fmt.Errorf("the manager is away")
	})
	v = newWorker(t, dir, w.log, away, w.clock, nil)
	v.settle()
	v.has(first)
	if s := v.f.Status(); s.State != StateOutOfStep || s.BadSnapshots == 0 || s.LastError == "" {
		t.Errorf("status %+v", s)
	}
	v.stop()

	// It is back: the rest is asked for, and only that.
	var ranges []string
	counted := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		Handler(w.store.Dir).ServeHTTP(rw, r)
	}))
	defer counted.Close()
	moved := sourceFunc(func(ctx context.Context, location string, from int64) (io.ReadCloser, error) {
		if !strings.HasPrefix(location, "http") {
			return nil, fmt.Errorf("no folder is shared")
		}
		return HTTP{Client: counted.Client()}.Open(ctx, counted.URL+location[strings.LastIndexByte(location, '/'):], from)
	})
	v = newWorker(t, dir, w.log, moved, w.clock, nil)
	v.settle()
	v.has(w.lib.id(t))
	if want := fmt.Sprintf("bytes=%d-", info.Size()); len(ranges) != 1 || ranges[0] != want {
		t.Errorf("asked for %q, want %q", ranges, want)
	}
}
