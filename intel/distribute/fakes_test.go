package distribute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

// memLog is a log in memory. Every append leaves a gap of one offset behind it, where
// Kafka has the marker of a transaction.
type memLog struct {
	mu    sync.Mutex
	recs  []memRecord
	start int64
	end   int64
	now   func() time.Time
	batch int // records a Poll gives at most; zero: all

	epoch int
	fail  error // of the next append
}

type memRecord struct {
	offset int64
	at     schema.Millis
	value  []byte
}

var errOutside = errors.New("offset outside of the log")

func (l *memLog) Bounds(context.Context) (int64, int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start, l.end, nil
}

func (l *memLog) OffsetAt(_ context.Context, at schema.Millis) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.recs {
		if r.at >= at {
			return r.offset, nil
		}
	}
	return l.end, nil
}

func (l *memLog) Poll(ctx context.Context, from int64, yield func(int64, []byte) error) (int64, int64, error) {
	l.mu.Lock()
	recs, start, end := slices.Clone(l.recs), l.start, l.end
	l.mu.Unlock()
	if from < start || from > end {
		return from, end, errOutside
	}
	next, n := end, 0
	for _, r := range recs {
		if r.offset < from {
			continue
		}
		if n++; l.batch > 0 && n > l.batch {
			next = r.offset
			break
		}
		if err := yield(r.offset, slices.Clone(r.value)); err != nil {
			return r.offset, end, err
		}
	}
	if n == 0 {
		pause(ctx, time.Millisecond)
	}
	return next, end, nil
}

func (l *memLog) append(values [][]byte) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range values {
		l.recs = append(l.recs, memRecord{l.end, schema.FromTime(l.now()), slices.Clone(v)})
		l.end++
	}
	l.end++
	return l.end - 2
}

// cut drops the oldest records as retention does.
func (l *memLog) cut(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n = min(n, len(l.recs)); n > 0 {
		l.recs = l.recs[n:]
		l.start = l.end
		if len(l.recs) > 0 {
			l.start = l.recs[0].offset
		}
	}
}

// writer is one that Fence and a later writer shut out.
type memWriter struct {
	*memLog
	epoch int
}

func (l *memLog) writer() *memWriter { return &memWriter{memLog: l} }

func (w *memWriter) Fence(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoch == 0 {
		w.memLog.epoch++
		w.epoch = w.memLog.epoch
	}
	return w.check()
}

func (w *memWriter) check() error {
	if w.epoch != w.memLog.epoch {
		return stages.Permanent(errors.New("fenced"))
	}
	return nil
}

func (w *memWriter) Append(_ context.Context, values [][]byte) (int64, error) {
	w.mu.Lock()
	err := errors.Join(w.check(), w.fail)
	w.fail = nil
	w.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return w.append(values), nil
}

// memLibrary remembers its last versions.
type memLibrary struct {
	mu       sync.Mutex
	now      map[string]schema.Indicator
	old      map[int]map[string]schema.Indicator
	version  int
	remember int // versions
	builds   int
}

func newLibrary() *memLibrary {
	return &memLibrary{now: map[string]schema.Indicator{}, old: map[int]map[string]schema.Indicator{0: {}}, remember: 4}
}

func indicator(n, variant int) schema.Indicator {
	i := schema.Indicator{ID: fmt.Sprintf("indicator--%d", n), Feed: fmt.Sprintf("feed-%d", n%3), Verdict: schema.VerdictMalicious, Confidence: uint8(variant % 100)}
	switch n % 3 {
	case 0:
		i.Type, i.Value = schema.ObservableDomain, fmt.Sprintf("h%d.bad.example", n)
	case 1:
		i.Type, i.Value = schema.ObservableIP, fmt.Sprintf("192.0.2.%d", n%256)
	default:
		i.Type, i.Value = schema.ObservableHash, fmt.Sprintf("%032x", n)
	}
	return i
}

func (l *memLibrary) put(list ...schema.Indicator) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range list {
		l.now[i.ID] = i
	}
	l.commit()
}

func (l *memLibrary) remove(n ...int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range n {
		delete(l.now, indicator(n, 0).ID)
	}
	l.commit()
}

func (l *memLibrary) commit() {
	l.version++
	l.old[l.version] = maps.Clone(l.now)
	delete(l.old, l.version-l.remember)
}

func (l *memLibrary) Changes(_ context.Context, from json.RawMessage, yield func(match.Change) error) (json.RawMessage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var v int
	if err := json.Unmarshal(from, &v); err != nil {
		return nil, err
	}
	old, ok := l.old[v]
	if !ok {
		return nil, fmt.Errorf("version %d: %w", v, ErrGone)
	}
	// Only what differs: what came and went in between is not told.
	for _, id := range slices.Sorted(maps.Keys(l.now)) {
		if was, ok := old[id]; !ok || was.Confidence != l.now[id].Confidence {
			if err := yield(match.Change{Op: match.Add, Indicator: l.now[id]}); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if _, ok := l.now[id]; !ok {
			if err := yield(match.Change{Op: match.Remove, Indicator: old[id]}); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(l.version)
}

func (l *memLibrary) index() (*match.Index, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return match.Build(match.DefaultConfig(), slices.Collect(maps.Values(l.now)))
}

func (l *memLibrary) Build(_ context.Context, path string) (json.RawMessage, error) {
	x, err := l.index()
	if err != nil {
		return nil, err
	}
	l.builds++
	if err := x.WriteSnapshot(path); err != nil {
		return nil, err
	}
	return json.Marshal(l.version)
}

func (l *memLibrary) id(t testing.TB) uint64 {
	t.Helper()
	x, err := l.index()
	if err != nil {
		t.Fatal(err)
	}
	return x.ID()
}

// clock is a time that tests move.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_795_300_000_000)
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// world is a publisher's side.
type world struct {
	t     testing.TB
	clock *clock
	log   *memLog
	lib   *memLibrary
	dir   string
	store Folder
	cfg   PublisherConfig
	hook  func(string)
	pub   *Publisher
}

func newWorld(t testing.TB) *world {
	c := newClock()
	dir := t.TempDir()
	w := &world{t: t, clock: c, log: &memLog{now: c.now}, lib: newLibrary(), dir: filepath.Join(dir, "publisher"),
		store: Folder{Dir: filepath.Join(dir, "store")}, cfg: DefaultPublisherConfig()}
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	if w.pub != nil {
		if err := w.pub.Close(); err != nil {
			w.t.Error(err)
		}
		w.pub = nil
	}
}

// start makes a publisher, as after a restart.
func (w *world) start() *Publisher {
	w.t.Helper()
	w.stop()
	p, err := NewPublisher(w.cfg, w.dir, w.lib, w.log.writer(), w.store, PublisherSettings{Clock: w.clock.now, Logger: quiet(w.t), Failpoint: func(name string) {
		if w.hook != nil {
			w.hook(name)
		}
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.pub = p
	return p
}

// publish publishes, with a publisher that is there or a new one.
func (w *world) publish() Published {
	w.t.Helper()
	if w.pub == nil {
		w.start()
	}
	rep, err := w.pub.Publish(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if want := w.lib.id(w.t); rep.Content != want {
		w.t.Fatalf("published content %016x, the library has %016x", rep.Content, want)
	}
	return rep
}

// worker is a follower that a test drives step by step.
type worker struct {
	t      testing.TB
	f      *Follower
	holder match.Holder
	cancel context.CancelFunc
	ctx    context.Context
}

func (w *world) worker(dir string, change func(*FollowerConfig, *FollowerSettings)) *worker {
	return newWorker(w.t, dir, w.log, w.store, w.clock, change)
}

func newWorker(t testing.TB, dir string, log Log, src Source, c *clock, change func(*FollowerConfig, *FollowerSettings)) *worker {
	t.Helper()
	cfg := DefaultFollowerConfig()
	cfg.Tick, cfg.RetryEvery = time.Nanosecond, time.Second
	set := FollowerSettings{Clock: c.now, Logger: quiet(t)}
	if change != nil {
		change(&cfg, &set)
	}
	v := &worker{t: t}
	f, err := NewFollower(cfg, dir, log, src, &v.holder, set)
	if err != nil {
		t.Fatal(err)
	}
	if f.files, err = openCache(dir, src, cfg.MaxSnapshot); err != nil {
		t.Fatal(err)
	}
	v.f = f
	v.ctx, v.cancel = context.WithCancel(context.Background())
	if err := f.begin(v.ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.stop)
	return v
}

func (v *worker) stop() {
	if v.cancel == nil {
		return
	}
	v.cancel()
	v.cancel = nil
	v.f.wait()
	if err := v.f.files.close(); err != nil {
		v.t.Error(err)
	}
}

// settle steps until the follower has read all there is and looks for nothing.
func (v *worker) settle() {
	v.t.Helper()
	for range 10_000 {
		if err := v.f.step(v.ctx); err != nil {
			v.t.Fatal(err)
		}
		_, end, _ := v.f.log.Bounds(v.ctx)
		if v.f.next == end && !v.f.search.running && len(v.f.found) == 0 && (v.f.search.again.IsZero() || v.f.now().Before(v.f.search.again)) {
			return
		}
	}
	v.t.Fatal("the follower does not come to rest")
}

func (v *worker) id() uint64 {
	if x := v.holder.Load(); x != nil {
		return x.ID()
	}
	return 0
}

// has fails the test unless the holder has the library's content.
func (v *worker) has(want uint64) {
	v.t.Helper()
	if got := v.id(); got != want {
		v.t.Fatalf("the worker has content %016x, want %016x; %+v", got, want, v.f.Status())
	}
}

// quiet logs to the test, with -v.
func quiet(t testing.TB) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(testWriter{t}, nil))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// files lists a folder's snapshots.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if validName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// damage changes a byte in the middle of a file, under a new name so that other links
// to it stay as they are.
func damage(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0xff
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

type ioReadCloser = io.ReadCloser

// sourceFunc is a Source.
type sourceFunc func(ctx context.Context, location string, from int64) (io.ReadCloser, error)

func (f sourceFunc) Open(ctx context.Context, location string, from int64) (io.ReadCloser, error) {
	return f(ctx, location, from)
}
