package kafka

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestSinkGroupFaults: the group forgets the member, refuses commits, or takes them and
// does not say so.
func TestSinkGroupFaults(t *testing.T) {
	for _, f := range []struct {
		key  kmsg.Key
		err  *kerr.Error
		lost bool // partitions are taken away without notice
	}{
		{kmsg.Heartbeat, kerr.UnknownMemberID, true},
		{kmsg.Heartbeat, kerr.IllegalGeneration, true},
		{kmsg.OffsetCommit, kerr.RebalanceInProgress, false},
		{kmsg.OffsetCommit, kerr.IllegalGeneration, false},
		{kmsg.OffsetCommit, kerr.RequestTimedOut, false}, // kfake has applied it
	} {
		t.Run(fmt.Sprint(f.key.Name(), " ", f.err.Message), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2)
			c.requireFake(t)
			topic := pipeline.TopicAlerts.Name(c.prefix)
			store := newMemStore()
			// Inserts wait for the fault where it takes partitions away, so that it
			// finds announced ranges; else a while, so that commits are many.
			var slow atomic.Bool
			met := make(chan struct{})
			store.before = func(ctx context.Context, r pipeline.Range) error {
				if !slow.Load() {
					return nil
				}
				var enough <-chan time.Time
				if !f.lost {
					enough = time.After(200 * time.Millisecond)
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-enough:
				case <-met:
				}
				return nil
			}
			s := c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, quickSink(), Settings{})
			want := make(map[int]bool)
			c.produceTxns(t, topic, 0, 200, 50, 9, want)
			eventually(t, "the first rows", func() bool { return store.stored() == len(want) })
			slow.Store(true)
			h := c.fake.Fault(kfake.Fault{Keys: []kmsg.Key{f.key}, Group: c.prefix + ".persist", Err: f.err, Count: 2})
			for i := 200; h.Hits() < 2; i += 20 {
				if i > 6000 {
					t.Fatal("the fault was not met")
				}
				c.produceTxns(t, topic, i, i+20, 10, 9, want)
				time.Sleep(50 * time.Millisecond)
			}
			slow.Store(false)
			close(met)
			eventually(t, "all rows", func() bool { return store.stored() == len(want) })
			c.noLag(t, c.prefix+".persist")
			store.check(t, want)
			st := s.Status()
			if f.lost && st.Totals.Recovered == 0 || !f.lost && st.Totals.Failures == 0 {
				t.Errorf("the fault left no trace: %+v", st.Totals)
			}
			s.stop(t)
		})
	}
}

// TestSinkRecreated: a topic deleted and created again under a running sink is not
// the one it has worked on.
func TestSinkRecreated(t *testing.T) {
	long(t, "waits for the client to give a topic up")
	t.Parallel()
	c := newCluster(t, 1)
	c.requireFake(t) // a cluster takes its time with this
	topic := pipeline.TopicAlerts.Name(c.prefix)
	store := newMemStore()
	hop := pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}
	s := c.startSink(t, c.config("a"), hop, quickSink(), Settings{})
	c.produce(t, topic, numbers(0, 100)...)
	eventually(t, "all rows", func() bool { return store.stored() == 100 })
	if err := c.fake.DeleteTopic(topic); err != nil {
		t.Fatal(err)
	}
	if err := c.fake.CreateTopic(topic, 1, nil); err != nil {
		t.Fatal(err)
	}
	c.produce(t, topic, numbers(100, 300)...)
	select {
	case <-s.done:
		if s.err == nil || !strings.Contains(s.err.Error(), "deleted and created again") {
			t.Errorf("Run: %v", s.err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on with another topic")
	}
	if n := store.stored(); n != 100 {
		t.Errorf("%d rows, want 100", n)
	}
}
