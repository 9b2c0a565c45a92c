package intel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memLog is an indicators log.
type memLog struct {
	mu     sync.Mutex
	values [][]byte
	owner  *memWriter
	away   bool // nothing can be reached
	fences bool // it keeps out writers that were replaced, as Kafka does
}

// memWriter is one who writes it.
type memWriter struct{ *memLog }

var errAway = errors.New("no broker")

func (l *memLog) Bounds(context.Context) (int64, int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return 0, 0, errAway
	}
	return 0, int64(len(l.values)), nil
}

func (l *memLog) OffsetAt(context.Context, schema.Millis) (int64, error) { return 0, nil }

func (l *memLog) Poll(ctx context.Context, from int64, yield func(int64, []byte) error) (int64, int64, error) {
	l.mu.Lock()
	values, away := l.values, l.away
	l.mu.Unlock()
	if away {
		return from, from, errAway
	}
	if from >= int64(len(values)) {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
		return from, int64(len(values)), ctx.Err()
	}
	for ; from < int64(len(values)); from++ {
		if err := yield(from, values[from]); err != nil {
			return from, int64(len(values)), err
		}
	}
	return from, from, nil
}

func (w *memWriter) Fence(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		return errAway
	}
	w.owner = w
	return nil
}

func (w *memWriter) Append(_ context.Context, values [][]byte) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.away:
		return 0, errAway
	case w.fences && w.owner != w:
		return 0, stages.Permanent(errors.New("fenced"))
	}
	w.values = append(w.values, values...)
	return int64(len(w.values)) - 1, nil
}

// node is a process with a manager and a follower.
type node struct {
	t        *testing.T
	dir      string
	lib      *library.Library
	manager  *Manager
	follower *Follower
	holder   *match.Holder
	log      *buffer
	cancel   context.CancelFunc
	ended    chan error
}

// buffer is a log that is written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.b.String(), text)
}

func startNode(t *testing.T, log *memLog, dir string, change func(*Config, *Parts)) *node {
	t.Helper()
	n := &node{t: t, dir: dir, holder: &match.Holder{}, log: &buffer{}, ended: make(chan error, 2)}
	cfg := DefaultConfig()
	n.lib = library.Open(filepath.Join(dir, "indicators"), cfg.Library)
	logger := slog.New(slog.NewTextHandler(n.log, nil))
	p := Parts{Library: n.lib, Writer: &memWriter{log}, Match: match.DefaultConfig(), Registry: prometheus.NewPedanticRegistry(), Logger: logger}
	if change != nil {
		change(&cfg, &p)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	var err error
	if n.manager, err = NewManager(cfg, dir, p); err != nil {
		t.Fatal(err)
	}
	if n.follower, err = NewFollower(cfg, dir, log, n.holder, nil, logger); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n.cancel = cancel
	go func() { n.ended <- n.manager.Run(ctx) }()
	go func() { n.ended <- n.follower.Run(ctx) }()
	return n
}

func (n *node) stop() {
	n.t.Helper()
	n.cancel()
	for range 2 {
		if err := <-n.ended; err != nil {
			n.t.Error(err)
		}
	}
	if err := n.follower.Close(); err != nil {
		n.t.Error(err)
	}
}

func (n *node) take(feed, values string) {
	n.t.Helper()
	f := fact.DefaultFeed()
	f.Name, f.Transport = feed, fact.TransportUpload
	if err := f.Validate(); err != nil {
		n.t.Fatal(err)
	}
	if _, err := Take(n.t.Context(), n.lib, &f, "test", strings.NewReader(values), time.Now(), nil); err != nil {
		n.t.Fatal(err)
	}
}

// want fails unless the node is so.
func (n *node) want(what string, state ManagerState, indicators int) {
	n.t.Helper()
	st, f := n.manager.Status(), n.follower.Status()
	if st.State != state || f.Indicators != indicators {
		n.t.Errorf("%s: %s (%s) with %d indicators (%s), want %s with %d", what, st.State, st.Why, f.Indicators, f.State, state, indicators)
	}
}

// TestStandby: of two processes with one data folder the second waits, follows all the
// same, and manages when the first is gone.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := &memLog{fences: true}, t.TempDir()
		first := startNode(t, log, dir, nil)
		first.take("a", "192.0.2.1\n")
		time.Sleep(5 * time.Second)
		second := startNode(t, log, dir, nil)
		time.Sleep(5 * time.Second)
		first.want("the first", StateManaging, 1)
		second.want("the second", StateStandby, 1)
		first.take("b", "192.0.2.2\n")
		time.Sleep(5 * time.Second)
		second.want("the second, after a change", StateStandby, 2)
		if second.follower.Holds(second.manager, time.Now().Add(-time.Hour)) || !first.follower.Holds(first.manager, time.Now().Add(-2*time.Second)) {
			t.Error("who manages knows what is covered, nobody else")
		}
		first.stop()
		time.Sleep(5 * time.Second)
		second.take("c", "192.0.2.3\n")
		time.Sleep(5 * time.Second)
		second.want("alone", StateManaging, 3)
		if n := second.log.count("building the published indicators anew"); n != 0 {
			t.Error("the second built anew what the first had published")
		}
		second.stop()
	})
}

// TestTakeover: of two managers with a library each the second takes over; the first
// gives up, says so once, and follows the second, whose snapshots it can read.
func TestTakeover(t *testing.T) {
	for name, fences := range map[string]bool{"fenced": true, "seen on the log": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, shared := &memLog{fences: fences}, t.TempDir()
				beside := 0
				first := startNode(t, log, t.TempDir(), func(c *Config, p *Parts) {
					c.Snapshots.Dir = shared
					p.Beside = func(ctx context.Context) error { beside++; <-ctx.Done(); beside--; return nil }
				})
				first.take("a", "192.0.2.1\n")
				time.Sleep(5 * time.Second)
				first.want("the first", StateManaging, 1)
				second := startNode(t, log, t.TempDir(), func(c *Config, _ *Parts) { c.Snapshots.Dir = shared })
				second.take("b", "192.0.2.2\n192.0.2.3\n")
				time.Sleep(15 * time.Second)
				first.take("a", "192.0.2.1\n192.0.2.4\n") // for nobody
				time.Sleep(15 * time.Second)
				first.want("the first", StateStopped, 2)
				second.want("the second", StateManaging, 2)
				if n := first.log.count("not managed here any more"); n != 1 || beside != 0 {
					t.Errorf("the first said so %d times, %d run beside it still", n, beside)
				}
				if first.follower.Status().Content != second.follower.Status().Content {
					t.Error("they have different indexes")
				}
				first.stop()
				second.stop()
			})
		})
	}
}

// TestAway: a broker that cannot be reached at the start, or later, is waited for.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memLog{fences: true, away: true}
		n := startNode(t, log, t.TempDir(), nil)
		n.take("a", "192.0.2.1\n")
		time.Sleep(30 * time.Second)
		n.want("without a broker", StateManaging, 0)
		if st := n.manager.Status(); !strings.Contains(st.Publisher.LastError, errAway.Error()) {
			t.Errorf("status %+v", st.Publisher)
		}
		set := func(away bool) {
			log.mu.Lock()
			defer log.mu.Unlock()
			log.away = away
		}
		set(false)
		time.Sleep(15 * time.Second)
		n.want("with one", StateManaging, 1)
		set(true)
		n.take("a", "192.0.2.1\n192.0.2.2\n")
		time.Sleep(30 * time.Second)
		n.want("without it again", StateManaging, 1)
		set(false)
		time.Sleep(15 * time.Second)
		n.want("at last", StateManaging, 2)
		n.stop()
	})
}

// TestDamagedLibrary: a library that cannot be read is told, and what was published
// goes on to serve.
func TestDamagedLibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, &memLog{fences: true}, t.TempDir(), nil)
		n.take("a", "192.0.2.1\n")
		time.Sleep(5 * time.Second)
		path := filepath.Join(n.dir, "indicators", "feeds", "a", "feed.json")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		n.want("with a damaged library", StateManaging, 1)
		if n.log.count("a feed is damaged") != 1 {
			t.Errorf("%d tellings of the damage", n.log.count("a feed is damaged"))
		}
		if st := n.manager.Status(); st.Error != "" || len(st.Feeds.Feeds) != 1 || len(st.Feeds.Feeds[0].Damaged) != 1 {
			t.Errorf("status %+v %+v", st, st.Feeds)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		n.take("b", "192.0.2.2\n")
		time.Sleep(30 * time.Second)
		n.want("when it is whole again", StateManaging, 2)
		n.stop()
	})
}

// TestBesideFails: an error beside the managing ends Run, but one that is permanent
// only the managing.
func TestBesideFails(t *testing.T) {
	for _, x := range []struct {
		err  error
		want string
	}{{errors.New("disk"), "disk"}, {stages.Permanent(errors.New("fenced")), ""}} {
		synctest.Test(t, func(t *testing.T) {
			lib := library.Open(t.TempDir(), library.DefaultConfig())
			m, err := NewManager(DefaultConfig(), t.TempDir(), Parts{Library: lib, Writer: &memWriter{&memLog{}}, Match: match.DefaultConfig(),
				Beside: func(context.Context) error { return x.err }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Run(t.Context())
			if x.want == "" && (err != nil || m.Status().State != StateStopped) || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
				t.Errorf("Run: %v, state %s", err, m.Status().State)
			}
		})
	}
}

// TestFollowersShare: every follower of a data folder has a folder of its own, and one
// that was closed is taken again.
func TestFollowersShare(t *testing.T) {
	dir, log := t.TempDir(), &memLog{}
	logger := slog.New(slog.DiscardHandler)
	open := func() (*Follower, error) {
		return NewFollower(DefaultConfig(), dir, log, &match.Holder{}, nil, logger)
	}
	var all []*Follower
	for range maxFollowers {
		f, err := open()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("one too many: %v", err)
	}
	if err := all[3].Close(); err != nil {
		t.Fatal(err)
	}
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	all[3] = f
	for _, f := range all {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

var _ distribute.Writer = (*memWriter)(nil)
