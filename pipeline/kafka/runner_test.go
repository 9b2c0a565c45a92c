package kafka

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestPassThrough(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, numbers(0, 5000)...)
	reg := prometheus.NewRegistry()
	r := c.start(t, c.config("a"), passHop(input), Settings{Registry: reg})
	c.drained(t, r)
	got := make(map[string]float64)
	eventually(t, "the metrics tell of it", func() bool { // a transaction is counted when its lanes are settled
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		clear(got)
		for _, f := range families {
			got[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
		return got["interdict_hop_records_in_total"] >= 5000
	})
	if got["interdict_hop_records_in_total"] != 5000 || got["interdict_hop_records_out_total"] != 5000 || got["interdict_hop_lanes"] != 3 {
		t.Errorf("metrics: %v", got)
	}
	if _, ok := got["interdict_kafka_fetch_bytes_total"]; !ok {
		t.Error("the client's own metrics are missing")
	}
	r.stop(t)
	c.checkPass(t, 5000)
	if st := r.Status(); st.Committed == 0 || st.Aborted != 0 || st.Rebuilt != 0 || st.HeldBytes != 0 {
		t.Errorf("status after a quiet run: %+v", st)
	}
	if left, _ := reg.Gather(); len(left) != 0 {
		t.Errorf("%d metrics stay registered after Run", len(left))
	}
}

// TestStartRefused: what cannot work is said at start, by name.
func TestStartRefused(t *testing.T) {
	long(t, "waits out a refusal")
	t.Parallel()
	c := newCluster(t)
	input := c.input(t, "raw")
	for name, tc := range map[string]struct {
		cfg   func(*Config)
		input string
		want  []string
	}{
		"partitions": {func(cfg *Config) { cfg.Partitions = 5 }, input, []string{c.prefix + ".alerts has 3 partitions", "says 5"}},
		"input":      {func(*Config) {}, "nowhere", []string{"missing topics: nowhere", "interdict topics apply"}},
		"own topics": {func(cfg *Config) { cfg.Prefix = "other" }, input, []string{"other.alerts", "other.state", "interdict topics apply"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := c.config("a")
			tc.cfg(&cfg)
			r, err := NewRunner(cfg, passHop(tc.input), Settings{})
			if err != nil {
				t.Fatal(err)
			}
			err = r.Run(t.Context())
			if err == nil || !stages.IsPermanent(err) {
				t.Fatalf("Run: %v, want a permanent error", err)
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// hookLane is a lane made of functions.
type hookLane struct {
	passLane
	process  func(recs []pipeline.Record, out *pipeline.Outbox) error
	idle     func(now, since schema.Millis, out *pipeline.Outbox)
	rollback func()
}

func (l hookLane) Process(ctx context.Context, recs []pipeline.Record, out *pipeline.Outbox) error {
	if l.process != nil {
		if err := l.process(recs, out); err != nil {
			return err
		}
	}
	return l.passLane.Process(ctx, recs, out)
}
func (l hookLane) Idle(_ context.Context, now, since schema.Millis, out *pipeline.Outbox) error {
	if l.idle != nil {
		l.idle(now, since, out)
	}
	return nil
}
func (l hookLane) Rollback() {
	if l.rollback != nil {
		l.rollback()
	}
}

func hookHop(input string, l hookLane) pipeline.Hop {
	h := passHop(input)
	h.Open = func(pipeline.LaneID) (pipeline.Lane, error) { return l, nil }
	return h
}

// TestAbort: a lane's error rolls every lane back and the records come again, from
// the same offset also when nothing was committed yet and the log starts late.
func TestAbort(t *testing.T) {
	c := newCluster(t, 2)
	input := c.input(t, "raw")
	c.produce(t, input, numbers(0, 20)...)
	if _, err := c.adm.DeleteRecords(t.Context(), offsetsOf(input, 2, 10)); err != nil {
		t.Fatal(err)
	}
	c.produce(t, input, numbers(0, 1000)...)
	var rollbacks, failures atomic.Int64
	hop := hookHop(input, hookLane{
		process: func(recs []pipeline.Record, out *pipeline.Outbox) error {
			if n := failures.Load(); n < 3 && failures.CompareAndSwap(n, n+1) {
				out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Value: []byte("-1")})
				return errors.New("a passing weakness")
			}
			return nil
		},
		rollback: func() { rollbacks.Add(1) },
	})
	r := c.start(t, c.config("a"), hop, Settings{})
	c.drained(t, r)
	r.stop(t)
	c.checkPass(t, 1000)
	st := r.Status()
	if rollbacks.Load() == 0 || st.Aborted == 0 || st.Rebuilt != 0 {
		t.Errorf("%d rollbacks, status %+v", rollbacks.Load(), st)
	}
}

// TestPermanent: a permanent error of a lane ends Run and leaves no open transaction
// behind.
func TestPermanent(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, []byte("1"))
	var armed atomic.Bool
	armed.Store(true)
	hop := hookHop(input, hookLane{process: func([]pipeline.Record, *pipeline.Outbox) error {
		if armed.Load() {
			return stages.Permanent(errors.New("this cannot be"))
		}
		return nil
	}})
	x := c.start(t, c.config("a"), hop, Settings{})
	<-x.done
	if x.err == nil || !strings.Contains(x.err.Error(), "this cannot be") || !strings.Contains(x.err.Error(), input) {
		t.Fatalf("Run: %v", x.err)
	}
	if open, err := openTransactions(t.Context(), c.adm, []string{input, pipeline.TopicAlerts.Name(c.prefix)}, time.Now()); err != nil || len(open) > 0 {
		t.Errorf("open transactions %+v, %v", open, err)
	}
	armed.Store(false)
	y := c.start(t, c.config("b"), hop, Settings{})
	c.drained(t, y)
	y.stop(t)
	if n := c.outputs(t); n != 1 {
		t.Errorf("%d outputs, want 1", n)
	}
}

// TestFenced: when another producer takes the transactional id, the session is
// rebuilt and takes it back.
func TestFenced(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	cfg := c.config("a")
	r := c.start(t, cfg, passHop(input), Settings{})
	c.produce(t, input, numbers(0, 300)...)
	c.drained(t, r)
	thief := c.client(t, kgo.TransactionalID(cfg.Prefix+".pass.a"))
	if err := thief.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := thief.ProducerID(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.produce(t, input, numbers(300, 600)...)
	eventually(t, "the session is rebuilt", func() bool { return r.Status().Rebuilt > 0 })
	c.drained(t, r)
	r.stop(t)
	c.checkPass(t, 600)
}

// TestOutOfRange: a committed offset that the log no longer holds stops the hop; it
// never jumps.
func TestOutOfRange(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, numbers(0, 300)...)
	r := c.start(t, c.config("a"), passHop(input), Settings{})
	c.drained(t, r)
	r.stop(t)
	c.produce(t, input, numbers(300, 600)...)
	if _, err := c.adm.DeleteRecords(t.Context(), offsetsOf(input, 3, 150)); err != nil {
		t.Fatal(err)
	}
	x := c.start(t, c.config("a"), passHop(input), Settings{})
	select {
	case <-x.done:
	case <-time.After(patience):
		t.Fatal("it runs")
	}
	for _, want := range []string{"out of range", input, "starts at 150"} {
		if x.err == nil || !stages.IsPermanent(x.err) || !strings.Contains(x.err.Error(), want) {
			t.Fatalf("Run: %v, want %q", x.err, want)
		}
	}

}

// TestRecreated: a topic that is deleted and created again under a running hop stops
// it. The new one is longer than what was read, so only its id tells.
func TestRecreated(t *testing.T) {
	long(t, "waits for the client to give a topic up")
	t.Parallel()
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, numbers(0, 300)...)
	r := c.start(t, c.config("a"), passHop(input), Settings{})
	c.drained(t, r)
	if _, err := c.adm.DeleteTopics(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the topic is created again", func() bool {
		_, err := c.adm.CreateTopic(t.Context(), 3, 1, nil, input)
		return err == nil
	})
	c.produce(t, input, numbers(0, 900)...)
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatalf("it runs: %+v", r.Status())
	}
	if r.err == nil || !stages.IsPermanent(r.err) || !(strings.Contains(r.err.Error(), "created again") || strings.Contains(r.err.Error(), "missing topics")) {
		t.Fatalf("Run: %v", r.err)
	}
}

// TestInLog: what is refused as a place to resume from.
func TestInLog(t *testing.T) {
	for _, tc := range []struct {
		at, lo, hi int64
		id, was    string
		want       string
	}{
		{5, 0, 10, "a", "a", ""},
		{10, 0, 10, "a", "", ""},
		{0, 0, 0, "", "a", ""}, // a broker without topic ids
		{5, 0, 10, "a", "b", "created again"},
		{5, 6, 10, "a", "a", "its log starts at 6"},
		{11, 0, 10, "a", "a", "its log ends at 10"},
	} {
		err := inLog(tp{"x", 1}, tc.at, tc.lo, tc.hi, tc.id, tc.was)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// TestIdle: a lane hears of silence only when it has read everything, and what it
// says then is committed.
func TestIdle(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	input := c.input(t, "raw")
	var mu sync.Mutex
	var sinces []schema.Millis
	clock := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	hop := hookHop(input, hookLane{idle: func(now, since schema.Millis, out *pipeline.Outbox) {
		mu.Lock()
		defer mu.Unlock()
		if now != schema.FromTime(clock) {
			t.Errorf("now is %v, want the clock's %v", now, clock)
		}
		sinces = append(sinces, since)
		if len(sinces) <= 4 {
			out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Shard: 1, Value: []byte("idle")})
		}
	}})
	r := c.start(t, c.config("a"), hop, Settings{IdleEvery: 100 * time.Millisecond, Clock: func() time.Time { return clock }})
	eventually(t, "idle ticks", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(sinces) >= 12
	})
	r.stop(t)
	if n := c.outputs(t); n != 4 {
		t.Errorf("%d outputs of idle ticks, want 4", n)
	}
	if st := r.Status(); st.Committed > 4 {
		t.Errorf("%d transactions: idle ticks without outputs make none", st.Committed)
	}
	for _, s := range sinces {
		if s < 100 {
			t.Errorf("called idle %d ms after the last record", s)
		}
	}
}

// TestHardStop: a lane that does not come back cannot hold the process for longer
// than the drain timeout.
func TestHardStop(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, []byte("1"))
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hop := hookHop(input, hookLane{process: func([]pipeline.Record, *pipeline.Outbox) error {
		once.Do(func() { close(entered) })
		<-leave
		return errors.New("too late")
	}})
	var logged strings.Builder
	r, err := NewRunner(c.config("a"), hop, Settings{DrainTimeout: 400 * time.Millisecond, Logger: bufferLog(&logged)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-entered
	cancel()
	err = <-done
	close(leave)
	if err == nil || !strings.Contains(err.Error(), "not drained") {
		t.Errorf("Run: %v", err)
	}
	if !strings.Contains(logged.String(), "hookLane") {
		t.Error("the log does not tell which goroutines hung")
	}
	// The worker is back: what Run left behind ends by itself.
	eventually(t, "the session is closed", func() bool { return !r.Status().Connected })
}

// TestUrgent: a command does not wait for the linger.
func TestUrgent(t *testing.T) {
	c := newCluster(t, 1)
	input := c.input(t, "raw")
	hop := hookHop(input, hookLane{process: func(_ []pipeline.Record, out *pipeline.Outbox) error {
		out.Urgent = true
		return nil
	}})
	cfg := c.config("a")
	cfg.BatchLinger = time.Hour
	r := c.start(t, cfg, hop, Settings{})
	c.drained(t, r)
	for i := range 5 { // without urgency each would wait out the linger
		c.produce(t, input, []byte(strconv.Itoa(i)))
		eventually(t, "it is committed", func() bool { return r.Status().Committed == int64(i+1) })
	}
	r.stop(t)
	c.checkPass(t, 5)
}

// TestUnreachable: a cluster that is away is waited for, and does not hold up the end.
func TestUnreachable(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Instance = []string{"127.0.0.1:1"}, "a"
	r, err := NewRunner(cfg, passHop("raw"), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	x := startRunner(t, r)
	time.Sleep(300 * time.Millisecond)
	select {
	case <-x.done:
		t.Fatalf("Run: %v", x.err)
	default:
	}
	began := time.Now()
	x.stop(t)
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the end took %s", d)
	}
}
