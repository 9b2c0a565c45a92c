package distribute

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

func TestFollow(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0), indicator(2, 0))
	w.publish()
	w.lib.put(indicator(3, 0))
	w.publish()
	v := w.worker(t.TempDir(), nil)
	v.settle()
	v.has(w.lib.id(t))
	w.lib.put(indicator(3, 7))
	w.lib.remove(1)
	w.publish()
	w.clock.advance(90 * time.Second)
	v.settle()
	v.has(w.lib.id(t))
	s := v.f.Status()
	if s.State != StateFollowing || s.Behind != 0 || s.Indicators != 2 || s.Applied != 3 || s.Content != ContentID(v.id()) || len(s.Resyncs) != 0 || s.Age(w.clock.now()) != 90*time.Second {
		t.Errorf("status %+v", s)
	}
	if ok, err := v.f.Ready(t.Context()); !ok || err != nil {
		t.Errorf("ready: %v, %v", ok, err)
	}
	reg := prometheus.NewPedanticRegistry()
	for _, c := range v.f.Collectors() {
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	found, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range found {
		got[m.GetName()] = m.GetMetric()[0].GetGauge().GetValue() + m.GetMetric()[0].GetCounter().GetValue()
	}
	if got["interdict_indicators_age_seconds"] != 90 || got["interdict_indicators_in_step"] != 1 || got["interdict_indicators_applied_total"] != 3 || got["interdict_indicators_held"] != 2 {
		t.Errorf("metrics %v", got)
	}
}

// TestRun is the follower as a worker runs it: on its own, until the end.
func TestRun(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	var holder match.Holder
	f, err := NewFollower(DefaultFollowerConfig(), t.TempDir(), w.log, w.store, &holder, FollowerSettings{Logger: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	if ok, err := f.Ready(ctx); !ok || err != nil {
		t.Fatalf("ready: %v, %v", ok, err)
	}
	w.lib.put(indicator(2, 0))
	w.publish()
	want := w.lib.id(t)
	for deadline := time.Now().Add(2 * time.Minute); holder.Load().ID() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the change does not come: %+v", f.Status())
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNoReference: without any snapshot the local library serves, until there is one.
func TestNoReference(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	local, err := w.lib.index()
	if err != nil {
		t.Fatal(err)
	}
	bare := w.worker(t.TempDir(), nil)
	bare.settle()
	v := w.worker(t.TempDir(), func(_ *FollowerConfig, s *FollowerSettings) {
		s.Base = func(context.Context) (*match.Index, error) { return local, nil }
	})
	v.settle()
	v.has(local.ID())
	if s := v.f.Status(); !s.Base || s.Indicators != 1 {
		t.Errorf("status %+v", s)
	}
	if bare.holder.Load() != nil {
		t.Error("an index from nowhere")
	}
	if ok, _ := v.f.Ready(t.Context()); !ok {
		t.Error("not ready, though the log is read to its end")
	}
	w.lib.put(indicator(2, 0))
	w.publish()
	w.lib.put(indicator(3, 0))
	w.publish()
	for _, v := range []*worker{v, bare} {
		v.settle()
		v.has(w.lib.id(t))
		if s := v.f.Status(); s.Base || s.State != StateFollowing {
			t.Errorf("status %+v", s)
		}
	}
}

// TestDamagedSnapshot: the one before is used, and the deltas lead to the same.
func TestDamagedSnapshot(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	w.lib.put(indicator(2, 0))
	w.publish()
	w.clock.advance(7 * time.Hour)
	name := w.publish().Snapshot
	w.lib.put(indicator(3, 0))
	w.publish()
	damage(t, filepath.Join(w.store.Dir, name))
	v := w.worker(t.TempDir(), nil)
	v.settle()
	v.has(w.lib.id(t))
	if s := v.f.Status(); s.BadSnapshots != 1 || s.Snapshot == name || s.State != StateFollowing {
		t.Errorf("status %+v", s)
	}
}

// TestDamagedCache: what is damaged in the worker's own folder is fetched again.
func TestDamagedCache(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	name := w.publish().Snapshot
	dir := t.TempDir()
	v := w.worker(dir, nil)
	v.settle()
	v.stop()
	damage(t, filepath.Join(dir, name))
	v = w.worker(dir, nil)
	v.settle()
	v.has(w.lib.id(t))
	if s := v.f.Status(); s.BadSnapshots != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestMissingSnapshot: a jump that cannot be followed leaves the last good index, and
// is followed when the file is there again.
func TestMissingSnapshot(t *testing.T) {
	w := newWorld(t)
	w.cfg.MaxChanges = 2
	w.lib.put(indicator(1, 0))
	w.publish()
	good := w.lib.id(t)
	gone := true
	src := sourceFunc(func(ctx context.Context, location string, from int64) (in ioReadCloser, err error) {
		if gone && w.log.end > 2 {
			return nil, errors.New("the share is away")
		}
		return w.store.Open(ctx, location, from)
	})
	v := newWorker(t, t.TempDir(), w.log, src, w.clock, nil)
	v.settle()
	v.has(good)
	w.lib.put(indicator(1, 1), indicator(2, 1), indicator(3, 1))
	w.publish()
	w.lib.put(indicator(4, 0))
	w.publish()
	v.settle()
	v.has(good)
	if s := v.f.Status(); s.State != StateOutOfStep || s.LastResync != "snapshot" || s.Resyncs["snapshot"] != 1 {
		t.Errorf("status %+v", s)
	}
	gone = false
	w.clock.advance(time.Minute)
	v.settle()
	v.has(w.lib.id(t))
	if s := v.f.Status(); s.State != StateFollowing {
		t.Errorf("status %+v", s)
	}
}

// TestGap: a delta for another content is not applied; the next snapshot helps.
func TestGap(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	v := w.worker(t.TempDir(), nil)
	v.settle()
	good := v.id()
	w.lib.put(indicator(2, 0))
	w.publish()
	w.log.recs = w.log.recs[:len(w.log.recs)-1] // lost
	w.lib.put(indicator(3, 0))
	w.publish()
	v.settle()
	v.has(good)
	if s := v.f.Status(); s.State != StateOutOfStep || s.Resyncs["gap"] == 0 || s.Resyncs["gap"] > 2 {
		t.Errorf("status %+v", s)
	}
	w.clock.advance(7 * time.Hour)
	w.publish()
	v.settle()
	v.has(w.lib.id(t))
}

// TestForged: a delta that does not lead where it says is noticed, and undone.
func TestForged(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	v := w.worker(t.TempDir(), nil)
	v.settle()
	good := v.id()
	forged := schema.IndicatorDelta{Seq: 1 << 50, Before: good, After: 42, Parts: 1, Changes: []schema.IndicatorChange{{Op: schema.IndicatorAdd, Indicator: indicator(5, 0)}}}
	torn := schema.IndicatorDelta{Seq: 1<<50 + 1, Before: good, After: 43, Part: 1, Parts: 3}
	w.log.append([][]byte{schema.AppendDeltaEntry(nil, &forged), schema.AppendDeltaEntry(nil, &torn), []byte("\xff\xff"), {0x4a, 0}})
	v.settle()
	v.has(good)
	s := v.f.Status()
	if s.Resyncs["apply"] == 0 || s.Resyncs["apply"] > 2 || s.Torn == 0 || s.Unknown == 0 {
		t.Errorf("status %+v", s)
	}
	w.publish() // a foreign record: the publisher makes all anew
	w.lib.put(indicator(2, 0))
	w.start()
	w.publish()
	v.settle()
	v.has(w.lib.id(t))
}

// TestRetention: a follower whose place is gone finds a snapshot.
func TestRetention(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	v := w.worker(t.TempDir(), nil)
	v.settle()
	for n := range 5 {
		w.lib.put(indicator(10+n, 0))
		w.publish()
	}
	w.clock.advance(7 * time.Hour)
	w.publish()
	w.log.cut(6)
	v.settle()
	v.has(w.lib.id(t))
	if s := v.f.Status(); s.Resyncs["log"] != 1 {
		t.Errorf("status %+v", s)
	}
}

// TestMemory: the index is opened anew from a newer snapshot when the changes since
// its own take too much memory; on disk there are two.
func TestMemory(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	dir := t.TempDir()
	v := w.worker(dir, func(c *FollowerConfig, _ *FollowerSettings) { c.MaxOverlay = 1 })
	v.settle()
	for n := range 4 {
		w.lib.put(indicator(10+n, 0))
		w.publish()
		w.clock.advance(7 * time.Hour)
		name := w.publish().Snapshot
		v.settle()
		v.has(w.lib.id(t))
		if s := v.f.Status(); s.Snapshot != name || s.State != StateFollowing {
			t.Errorf("status %+v, want snapshot %s", s, name)
		}
	}
	if n := len(files(t, dir)); n != 2 {
		t.Errorf("%d snapshots on disk, want 2", n)
	}
	if _, err := openCache(dir, nil, 1); err == nil {
		t.Error("two workers in one folder")
	}
}

// TestNotReady: a worker that cannot catch up goes on when its time is over.
func TestNotReady(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0))
	w.publish()
	cfg := DefaultFollowerConfig()
	cfg.ReadyWithin = 50 * time.Millisecond
	away := sourceFunc(func(context.Context, string, int64) (ioReadCloser, error) { return nil, errors.New("away") })
	f, err := NewFollower(cfg, t.TempDir(), w.log, away, &match.Holder{}, FollowerSettings{Logger: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	if ok, err := f.Ready(ctx); ok || err != nil {
		t.Errorf("ready: %v, %v", ok, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := f.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
