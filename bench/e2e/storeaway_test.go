package e2e

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
)

// TestStoreAway takes ClickHouse away for half a minute under load: first it
// hangs, then it crashes with what it was doing and stays away. Nothing is lost
// or doubled, the worker's memory stays bounded, and it catches up.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	notOnKafka(t)
	notShort(t)
	const (
		away = 30 * time.Second
		// Four clients of the alerts log, among them persist and seen, each with its own
		// buffers; how much garbage lies about between two collections is chance.
		maxRSS  = 1400 << 20
		buffer  = 16 << 20 // of persist: far less than what comes in meanwhile
		records = 90_000   // some 110 MB
	)
	store, err := startEngine(t.Context(), filepath.Join(t.TempDir(), "clickhouse"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	l := newLab(t, labConfig{feeds: []string{"ids"}, dsn: store.DSN(), settings: map[string]any{
		"kafka": map[string]any{"max_buffered": buffer},
		"sink":  map[string]any{"rows": 2000, "bytes": 4 << 20},
	}})
	s := l.source("acme", "ids")
	alert := gen.Suricata(5)
	sent := 0
	send := func(n int) {
		var msgs []message
		for range n {
			msgs = append(msgs, message{s, int32(sent % 2), alert(nil, sent), at(0) + schema.Millis(sent)})
			sent++
		}
		l.produce(msgs)
	}
	w := l.worker("one", "")
	send(5000)
	l.settle()
	before, most, held := l.number("SELECT count() FROM alerts"), int64(0), int64(0)
	if before != 5000 {
		t.Fatalf("%d alerts are in the store before it goes away, want 5000", before)
	}
	began := time.Now()
	pid := store.Pid()
	freeze(t, pid)
	for time.Since(began) < away {
		if sent < records {
			send(2500)
		}
		most = max(most, w.rss())
		if st, err := w.status(t.Context()); err == nil && st.Sink != nil {
			held = max(held, st.Sink.Buffered)
		}
		time.Sleep(200 * time.Millisecond)
		switch now := store.Pid(); {
		case now != pid: // the next one: not yet
			pid = now
			freeze(t, pid)
		case time.Since(began) > away/2 && store.Restarts() == 0:
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	eventually(t, "persist notices that the store is away", func() bool {
		st, err := w.status(t.Context())
		return err == nil && st.Sink != nil && st.Sink.Totals.Failures > 0
	}, l.dump)
	eventually(t, "the engine has crashed and is back", func() bool { return store.Restarts() > 0 }, l.dump)
	if err := syscall.Kill(store.Pid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	l.settle()
	t.Logf("caught up with %d records in %s, at most %d MB resident, %d MB buffered by persist", sent-5000, time.Since(back).Round(100*time.Millisecond), most>>20, held>>20)
	if held < buffer/2 || held > 2*buffer {
		t.Errorf("persist buffered %d MB, want at most %d and one poll more", held>>20, buffer>>20)
	}
	if most > maxRSS {
		t.Errorf("the worker took %d MB, want at most %d", most>>20, maxRSS>>20)
	}
	w.stop(t)
	l.checkAccounting()
}

// freeze stops a process until it is told to go on.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}
