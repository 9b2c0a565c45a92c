package distribute

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/stages/match"
)

var (
	_ Log    = (*kafka.IndicatorLog)(nil)
	_ Writer = (*kafka.IndicatorWriter)(nil)
)

// TestOverKafka publishes and follows over a broker: a worker from the start, one that
// comes later, and a publisher that starts again.
func TestOverKafka(t *testing.T) {
	b, err := kafka.StartBroker(t.Context(), kafka.BrokerConfig{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	kcfg := b.Adapt(kafka.DefaultConfig())
	root, lib := t.TempDir(), newLibrary()
	store := Folder{Dir: filepath.Join(root, "store")}
	open := func() (*Publisher, func()) {
		w, err := kafka.OpenIndicatorWriter(kcfg)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPublisher(DefaultPublisherConfig(), filepath.Join(root, "publisher"), lib, w, store, PublisherSettings{Logger: quiet(t)})
		if err != nil {
			t.Fatal(err)
		}
		return p, func() { _ = p.Close(); w.Close() }
	}
	publish := func(p *Publisher) Published {
		t.Helper()
		rep, err := p.Publish(t.Context())
		if err != nil || rep.Content != lib.id(t) {
			t.Fatalf("%+v, %v", rep, err)
		}
		return rep
	}
	follow := func(name string) (*match.Holder, *Follower, func()) {
		l, err := kafka.OpenIndicatorLog(kcfg)
		if err != nil {
			t.Fatal(err)
		}
		var holder match.Holder
		f, err := NewFollower(DefaultFollowerConfig(), filepath.Join(root, name), l, store, &holder, FollowerSettings{Logger: quiet(t)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		return &holder, f, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			l.Close()
		}
	}
	within := func(h *match.Holder, f *Follower) {
		t.Helper()
		want := lib.id(t)
		// The index is exchanged first, then the status tells of it.
		there := func() bool {
			s := f.Status()
			return h.Load() != nil && h.Load().ID() == want && s.Content == ContentID(want) && s.State == StateFollowing && s.Behind == 0
		}
		for deadline := time.Now().Add(2 * time.Minute); !there(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the change does not come: %+v", f.Status())
			}
		}
	}
	p, stop := open()
	early, f1, stop1 := follow("early")
	defer stop1()
	lib.put(indicator(1, 0))
	publish(p)
	within(early, f1)
	for n := range 20 {
		lib.put(indicator(n, 1), indicator(100+n, 0))
		publish(p)
	}
	within(early, f1)
	late, f2, stop2 := follow("late")
	defer stop2()
	if ok, err := f2.Ready(t.Context()); !ok || err != nil {
		t.Errorf("ready: %v, %v", ok, err)
	}
	within(late, f2)
	stop()
	lib.remove(3, 4)
	p, stop = open()
	defer stop()
	if rep := publish(p); rep.Snapshot != "" || rep.Changes != 2 {
		t.Errorf("after a restart: %+v", rep)
	}
	within(early, f1)
	within(late, f2)
}
