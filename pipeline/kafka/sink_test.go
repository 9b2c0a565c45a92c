package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
)

func TestSinkPlain(t *testing.T) {
	c := newCluster(t)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	want := make(map[int]bool)
	c.produceTxns(t, topic, 0, 1000, 70, 4, want)
	store := newMemStore()
	reg := prometheus.NewRegistry()
	s := c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, quickSink(), Settings{Registry: reg})
	eventually(t, "all rows", func() bool { return store.stored() == len(want) })
	c.noLag(t, c.prefix+".persist")
	var st SinkStatus
	eventually(t, "the sink hears that its ranges are committed", func() bool {
		st = s.Status()
		lag := int64(0)
		for _, p := range st.Partitions {
			lag += p.Lag
		}
		return st.Totals.Rows >= int64(len(want)) && st.Buffered == 0 && lag == 0
	})
	if st.Totals.Rows != int64(len(want)) || len(st.Partitions) != 3 {
		t.Errorf("status %+v", st)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			got[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if got["interdict_sink_rows_total"] != float64(len(want)) || got["interdict_sink_lag"] != 0 || got["interdict_sink_committed_offset"] <= float64(len(want)) {
		t.Errorf("metrics %v", got)
	}
	s.stop(t)
	store.check(t, want)
	if left, err := reg.Gather(); err != nil || len(left) > 0 {
		t.Errorf("%d metrics are left behind, %v", len(left), err)
	}
	// The next run goes on where this one ended.
	c.produceTxns(t, topic, 1000, 1100, 50, 9, want)
	c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, quickSink(), Settings{})
	eventually(t, "all rows", func() bool { return store.stored() == len(want) })
	store.check(t, want)
}

// TestSinkCrash abandons members at each failpoint while others join and leave and
// answers of the store get lost.
func TestSinkCrash(t *testing.T) {
	t.Parallel()
	reached := make(map[string]int)
	seeds, least := uint64(6), 3
	if testing.Short() {
		seeds, least = 2, 1
	}
	// Where members die is chance, whatever the seed: rounds follow until each point
	// had its deaths.
	enough := func() bool {
		return min(reached[FailAfterIntent], reached[FailAfterInsert], reached[FailBeforeCommit]) >= least
	}
	for seed := uint64(0); (seed < seeds || !enough()) && seed < 10*seeds && !t.Failed(); seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			for point, n := range sinkCrashRound(t, seed) {
				reached[point] += n
			}
		})
	}
	t.Logf("abandoned at %v", reached)
	if !enough() {
		t.Errorf("want each failpoint reached at least %d times, have %v", least, reached)
	}
}

func sinkCrashRound(t *testing.T, seed uint64) map[string]int {
	c := newCluster(t, 4)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	store := newMemStore()
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 7))
	chance := func(p float64) bool {
		mu.Lock()
		defer mu.Unlock()
		return rng.Float64() < p
	}
	var calm atomic.Bool
	store.before = func(context.Context, pipeline.Range) error {
		if !calm.Load() && chance(0.05) {
			return errAway
		}
		return nil
	}
	store.after = func(pipeline.Range) error {
		if !calm.Load() && chance(0.05) {
			return errAway // stored, but the answer is lost
		}
		return nil
	}
	reached := make(map[string]int)
	dead := make(map[int]bool) // members by number
	started := 0
	start := func() *sinking {
		started++
		self := started
		set := Settings{Failpoint: func(name string) {
			mu.Lock()
			die := dead[self] || !calm.Load() && rng.Float64() < 0.04
			if die && !dead[self] {
				dead[self] = true
				reached[name]++
			}
			mu.Unlock()
			if die {
				runtime.Goexit() // this attempt goes no further, nor does any of this member
			}
		}}
		sc := quickSink()
		sc.RevokeTimeout = 200 * time.Millisecond
		return c.startSink(t, c.config(fmt.Sprint("m", started)), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, sc, set)
	}
	members := map[int]*sinking{}
	join := func() { x := start(); members[started] = x }
	leave := func(n int) {
		members[n].cancel()
		<-members[n].done
		delete(members, n)
	}
	// bury has the dead leave, whose partitions nobody takes over otherwise, and
	// gives how many they were.
	bury := func() (n int) {
		for m := range maps.Clone(members) {
			mu.Lock()
			gone := dead[m]
			mu.Unlock()
			if gone {
				leave(m)
				n++
			}
		}
		return n
	}
	for range 3 {
		join()
	}
	want := make(map[int]bool)
	for i := range 12 {
		c.produceTxns(t, topic, i*400, (i+1)*400, 60, 5, want)
		n := bury()
		if n == 0 && i%4 == 3 { // somebody leaves in order, somebody joins
			leave(slices.Min(slices.Collect(maps.Keys(members))))
			n = 1
		}
		for range n {
			join()
		}
		time.Sleep(100 * time.Millisecond)
	}
	mu.Lock()
	calm.Store(true) // under the lock: nobody dies after it
	mu.Unlock()
	bury()
	join()
	eventually(t, "all rows", func() bool { return store.stored() >= len(want) })
	c.noLag(t, c.prefix+".persist")
	store.check(t, want)
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d members, %d ranges, %d inserted again and dropped, abandoned at %v", started, len(store.tokens), store.dropped, reached)
	return reached
}

// TestSinkZombie holds an insert that does not listen to its context while another
// member takes the partition over and goes on.
func TestSinkZombie(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	want := make(map[int]bool)
	c.produceTxns(t, topic, 0, 400, 100, 1000, want)
	store := newMemStore()
	held := make(chan struct{})
	var stuck atomic.Int32
	slow := func(ctx context.Context, r pipeline.Range) (int, error) {
		stuck.Add(1)
		<-held
		store.put(r)
		return 1, nil
	}
	sc := quickSink()
	sc.RevokeTimeout = 200 * time.Millisecond
	hop := pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: slow}
	old := c.startSink(t, c.config("old"), hop, sc, Settings{})
	eventually(t, "both inserts are held", func() bool { return stuck.Load() == 2 })
	hop.Insert = store.insert
	young := c.startSink(t, c.config("young"), hop, sc, Settings{})
	eventually(t, "the new member took a range over", func() bool { return young.Status().Totals.Recovered >= 1 })
	eventually(t, "half of the rows", func() bool { return store.stored() >= len(want)/2 })
	c.produceTxns(t, topic, 400, 600, 100, 1000, want)
	eventually(t, "the new member went on", func() bool { return store.stored() >= 300 })
	close(held) // the zombie's insert goes through now
	eventually(t, "all rows", func() bool { return store.stored() == len(want) })
	c.noLag(t, c.prefix+".persist")
	eventually(t, "the zombie's insert is seen again", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return store.dropped > 0
	})
	store.check(t, want)
	old.stop(t)
	young.stop(t)
}

func TestSinkStoreAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	values := make([][]byte, 6000)
	for i := range values {
		values[i] = fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", 3840)) // compresses a hundredfold
	}
	store := newMemStore()
	var away atomic.Bool
	store.before = func(context.Context, pipeline.Range) error {
		if away.Load() {
			return errAway
		}
		return nil
	}
	away.Store(true)
	cfg := c.config("a")
	cfg.MaxBuffered = 4 << 20
	sc := quickSink()
	sc.Bytes = 1 << 20
	s := c.startSink(t, cfg, pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, sc, Settings{})
	c.produce(t, topic, values...)
	eventually(t, "reading waits for the store", func() bool { return s.Status().Buffered >= 3<<20 })
	peak := int64(0)
	for range 30 {
		peak = max(peak, s.Status().Buffered)
		time.Sleep(100 * time.Millisecond)
	}
	if limit := cfg.MaxBuffered + 1000*4096; peak > limit { // one poll over
		t.Errorf("buffered %d bytes, limit %d", peak, limit)
	}
	eventually(t, "the store is asked", func() bool { return s.Status().Totals.Failures > 0 })
	away.Store(false)
	eventually(t, "it catches up", func() bool { return store.stored() == len(values) })
	c.noLag(t, c.prefix+".persist")
	for v, n := range store.rows {
		if n != 1 {
			t.Fatalf("%.10s stored %d times", v, n)
		}
	}
	t.Logf("peak %d KiB of %d KiB, %d failures", peak>>10, cfg.MaxBuffered>>10, s.Status().Totals.Failures)
}

func TestSinkBudget(t *testing.T) {
	t.Parallel()
	const partitions, rate, blocks = 64, 40, 5
	c := newCluster(t, partitions)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	store := newMemStore()
	store.perRange = blocks
	sc := quickSink()
	sc.InsertsPerSecond, sc.Rows, sc.Linger = rate, 10, 10*time.Millisecond
	s := c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, sc, Settings{})
	total := 0
	feed := 5 * time.Second
	if testing.Short() {
		feed = time.Second
	}
	for start := time.Now(); time.Since(start) < feed; {
		c.produce(t, topic, numbers(total, total+partitions*20)...)
		total += partitions * 20
		time.Sleep(50 * time.Millisecond)
	}
	eventually(t, "all rows", func() bool { return store.stored() == total })
	s.stop(t)
	// Within any stretch of time, no more than published.
	worst := 0.0
	for i := range store.inserts {
		sum := 0
		for j := i; j < len(store.inserts); j++ {
			sum += store.inserts[j].blocks
			span := store.inserts[j].at.Sub(store.inserts[i].at).Seconds()
			allowed := rate*(span+1) + float64(sc.Concurrency*blocks)
			worst = max(worst, float64(sum)/allowed)
		}
	}
	if worst > 1 {
		t.Errorf("%.2f times the budget", worst)
	}
	n := len(store.inserts)
	t.Logf("%d rows in %d ranges, %d blocks; at most %.2f of the budget in any stretch", total, n, n*blocks, worst)
	if rows := total / n; rows <= sc.Rows {
		t.Errorf("ranges of %d rows did not grow beyond %d", rows, sc.Rows)
	}
}

// TestSinkCompacted: no intents on compacted topics, and all arrives at least once.
func TestSinkCompacted(t *testing.T) {
	c := newCluster(t)
	topic := pipeline.TopicIncidents.Name(c.prefix)
	store := newMemStore()
	var notes sync.Map
	store.after = func(r pipeline.Range) error {
		o, err := c.adm.FetchOffsets(t.Context(), c.prefix+".persist")
		if err != nil {
			return err
		}
		o.Each(func(o kadm.OffsetResponse) { notes.Store(o.Metadata, true) })
		return nil
	}
	c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, quickSink(), Settings{})
	want := make(map[int]bool)
	c.produceTxns(t, topic, 0, 500, 50, 4, want)
	eventually(t, "all rows", func() bool { return store.stored() == len(want) })
	c.noLag(t, c.prefix+".persist")
	notes.Range(func(k, _ any) bool {
		if _, in, err := parseNote(k.(string)); in != nil || err != nil {
			t.Errorf("commit metadata %q on a compacted topic, %v", k, err)
		}
		return true
	})
}

// TestSinkBehindCompaction: a sink whose position in a compacted topic is no more goes
// on from where the log begins, at its start and while it runs. Compaction moves the
// beginning of a log in the in-process broker only.
func TestSinkBehindCompaction(t *testing.T) {
	c := newCluster(t, 1)
	c.requireFake(t)
	topic := pipeline.TopicIncidents.Name(c.prefix)
	c.produce(t, topic, numbers(0, 10)...)
	o := make(kadm.Offsets)
	o.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2})
	if err := c.adm.CommitAllOffsets(t.Context(), c.prefix+".persist", o); err != nil {
		t.Fatal(err)
	}
	remove := func(before int64) {
		t.Helper()
		done, err := c.adm.DeleteRecords(t.Context(), offsetsOf(topic, 1, before))
		if err = errors.Join(err, done.Error()); err != nil {
			t.Fatal(err)
		}
	}
	remove(6)
	store, held, stop := newMemStore(), make(chan struct{}, 1), make(chan struct{})
	store.before = func(ctx context.Context, r pipeline.Range) error {
		if r.Lo < 10 {
			return nil
		}
		select {
		case held <- struct{}{}:
		default:
		}
		select {
		case <-stop:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	sc := quickSink()
	sc.Rows, sc.Bytes = 1, 1
	s := c.startSink(t, c.config("a"), pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: store.insert}, sc, Settings{})
	eventually(t, "the last four", func() bool { return store.stored() == 4 })
	// It holds what it cannot insert and reads no further; compaction passes it.
	c.produce(t, topic, numbers(10, 11)...)
	<-held
	for n := 11; n < 60; n++ {
		c.produce(t, topic, numbers(n, n+1)...)
	}
	remove(58)
	close(stop)
	eventually(t, "the end of the log", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return store.rows["58"] == 1 && store.rows["59"] == 1
	})
	c.noLag(t, c.prefix+".persist")
	select {
	case <-s.done:
		t.Errorf("it ended: %v", s.err)
	default:
	}
}

func TestSinkPermanent(t *testing.T) {
	c := newCluster(t)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	c.produce(t, topic, numbers(0, 10)...)
	hop := pipeline.SinkHop{Name: "persist", Inputs: []string{topic}, Insert: func(context.Context, pipeline.Range) (int, error) {
		return 0, stages.Permanent(fmt.Errorf("no such table"))
	}}
	s := c.startSink(t, c.config("a"), hop, quickSink(), Settings{})
	<-s.done
	if s.err == nil || !stages.IsPermanent(s.err) || !strings.Contains(s.err.Error(), "no such table") {
		t.Errorf("Run: %v", s.err)
	}
}

// TestSinkIntentMismatch: what was announced and what the log holds differ, so
// nothing may be inserted.
func TestSinkIntentMismatch(t *testing.T) {
	c := newCluster(t, 1)
	topic := pipeline.TopicAlerts.Name(c.prefix)
	c.produce(t, topic, numbers(0, 10)...)
	ids, err := c.adm.ListTopics(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("%x", [16]byte(ids[topic].ID))
	for name, tc := range map[string]struct{ note, want string }{
		"other records":  {intent{hi: 5, n: 6, sum: 1, try: 1}.note(id), "not the ones in the log"},
		"beyond the end": {intent{hi: 50, n: 6, sum: 1, try: 1}.note(id), "the log ends at 10"},
		"other topic":    {intent{hi: 5, n: 6, sum: 1, try: 1}.note("00ff"), "deleted and created again"},
		"damaged":        {notePrefix + id + " intent hi=x", "commit metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			hop := pipeline.SinkHop{Name: "p" + fmt.Sprint(len(name)), Inputs: []string{topic}, Insert: newMemStore().insert}
			o := make(kadm.Offsets)
			o.Add(kadm.Offset{Topic: topic, Partition: 0, At: 0, Metadata: tc.note})
			if err := c.adm.CommitAllOffsets(t.Context(), c.prefix+"."+hop.Name, o); err != nil {
				t.Fatal(err)
			}
			s := c.startSink(t, c.config("a"), hop, quickSink(), Settings{})
			select {
			case <-s.done:
			case <-time.After(patience):
				t.Fatal("still running")
			}
			if s.err == nil || !strings.Contains(s.err.Error(), tc.want) || s.Status().Totals.Rows != 0 {
				t.Errorf("Run: %v, %d rows", s.err, s.Status().Totals.Rows)
			}
		})
	}
}
