package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// cluster is what a test runs against: kfake in this process, or the cluster named
// by INTERDICT_TEST_KAFKA, such as that of deploy/kafka (some tests need its short
// group.min.session.timeout.ms). Names are unique per test, so tests may share a cluster.
type cluster struct {
	brokers    []string
	fake       *kfake.Cluster // nil on a real cluster
	prefix     string
	partitions int32
	adm        *kadm.Client
}

// newCluster gives a cluster with Interdict's own topics, sharded ones with the
// given number of partitions (default 3).
func newCluster(t testing.TB, partitions ...int32) *cluster {
	t.Helper()
	c := &cluster{partitions: 3, prefix: fmt.Sprintf("t%08x", rand.Uint32())}
	if len(partitions) > 0 {
		c.partitions = partitions[0]
	}
	if addr := os.Getenv("INTERDICT_TEST_KAFKA"); addr != "" {
		c.brokers = strings.Split(addr, ",")
	} else {
		f, err := kfake.NewCluster(kfake.NumBrokers(1),
			kfake.GroupMinSessionTimeout(500*time.Millisecond),
			kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0", "log.cleaner.backoff.ms": "5000"}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		wholeFetches(f)
		c.fake, c.brokers = f, f.ListenAddrs()
	}
	c.adm = kadm.NewClient(c.client(t))
	for _, spec := range pipeline.Topics() {
		n := int32(1)
		if spec.Sharded {
			n = c.partitions
		}
		cfg := map[string]string{"retention.ms": "-1", "retention.bytes": "-1"}
		if spec.Compact {
			cfg["cleanup.policy"] = "compact"
		}
		if spec.MaxMessageBytes > 0 {
			cfg["max.message.bytes"] = strconv.FormatInt(spec.MaxMessageBytes, 10)
		}
		c.createTopic(t, spec.Topic.Name(c.prefix), n, cfg)
	}
	return c
}

// long skips under -short what mostly waits. What is left still runs every path
// that goroutines share, which is what -race is for.
func long(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("SKIPPED: %s, not in -short", why)
	}
}

// requireFake skips what only the in-process broker can do, saying so.
func (c *cluster) requireFake(t testing.TB) {
	t.Helper()
	if c.fake == nil {
		t.Skip("SKIPPED: needs the in-process broker, INTERDICT_TEST_KAFKA is set")
	}
}

// createTopic creates a topic and removes it after the test on a real cluster.
func (c *cluster) createTopic(t testing.TB, name string, partitions int32, cfg map[string]string) string {
	t.Helper()
	configs := make(map[string]*string)
	for k, v := range maps.All(cfg) {
		configs[k] = &v
	}
	if _, err := c.adm.CreateTopic(t.Context(), partitions, 1, configs, name); err != nil {
		t.Fatalf("creating %s: %v", name, err)
	}
	// A broker learns of a topic a little after the controller has made it.
	eventually(t, "topic "+name+" is visible", func() bool {
		found, err := c.adm.ListTopics(t.Context(), name)
		return err == nil && found[name].Err == nil && int32(len(found[name].Partitions)) == partitions
	})
	if c.fake == nil {
		t.Cleanup(func() { _, _ = c.adm.DeleteTopics(context.Background(), name) })
	}
	return name
}

// input creates a raw topic with as many partitions as the sharded ones.
func (c *cluster) input(t testing.TB, name string) string {
	t.Helper()
	return c.createTopic(t, c.prefix+"."+name, c.partitions, map[string]string{"retention.ms": "-1", "retention.bytes": "-1"})
}

// config gives a configuration for this cluster with short times.
func (c *cluster) config(instance string) Config {
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Prefix, cfg.Instance, cfg.Partitions, cfg.Replication = c.brokers, c.prefix, instance, c.partitions, 1
	cfg.SessionTimeout, cfg.TransactionTimeout, cfg.BatchLinger = 6*time.Second, 5*time.Second, 20*time.Millisecond
	return cfg
}

// client gives a client that is closed after the test.
func (c *cluster) client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.brokers...), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// produce writes values to a topic, value i to partition i mod the partition count.
func (c *cluster) produce(t testing.TB, topic string, values ...[]byte) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var failed atomic.Pointer[error]
	for i, v := range values {
		cl.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: int32(i) % c.partitions, Value: v}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := failed.Load(); err != nil {
		t.Fatalf("producing to %s: %v", topic, *err)
	}
}

// numbers gives the decimal numbers from..to-1 as values.
func numbers(from, to int) [][]byte {
	var out [][]byte
	for i := from; i < to; i++ {
		out = append(out, []byte(strconv.Itoa(i)))
	}
	return out
}

// read gives what read_committed consumers see of a topic when no transaction on it
// is open, by partition in order. A broker answers that a transaction has ended before
// its end is on every partition, and one that was abandoned runs into its timeout.
func (c *cluster) read(t testing.TB, topic string) map[int32][]*kgo.Record {
	t.Helper()
	eventually(t, "no transaction is open on "+topic, func() bool {
		stable, err := c.adm.ListCommittedOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		ends, err := c.adm.ListEndOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range stable[topic] {
			if end, ok := ends.Lookup(topic, o.Partition); !ok || end.Err != nil || o.Err != nil || o.Offset < end.Offset {
				return false
			}
		}
		return len(stable[topic]) > 0
	})
	return c.visible(t, topic)
}

// visible gives what read_committed consumers see of a topic now, by partition in
// order.
func (c *cluster) visible(t testing.TB, topic string) map[int32][]*kgo.Record {
	t.Helper()
	ends, err := c.adm.ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	left := make(map[int32]int64)
	parts := make(map[int32]kgo.Offset)
	for _, o := range ends[topic] {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
			parts[o.Partition] = kgo.NewOffset().AtStart()
		}
	}
	out := make(map[int32][]*kgo.Record)
	if len(left) == 0 {
		return out
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: parts}))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("reading %s: %v, still missing up to %v", topic, err, left)
		}
		for it := fs.RecordIter(); !it.Done(); {
			r := it.Next()
			if !r.Attrs.IsControl() {
				out[r.Partition] = append(out[r.Partition], r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		}
	}
	return out
}

// patience is how long a test waits for what must come: only what never comes takes
// so long, and a machine that stands still for a while fails nothing.
const patience = 2 * time.Minute

// eventually fails the test if ok does not come true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// testLog writes to the test's log; quiet unless the test fails or -v is given.
// Lines after the test's end, such as a client's farewell, are dropped.
func testLog(t testing.TB) *slog.Logger {
	w := &logWriter{t: t}
	t.Cleanup(func() { w.done.Store(true) })
	return slog.New(slog.NewTextHandler(w, nil))
}

type logWriter struct {
	t    testing.TB
	done atomic.Bool
}

func (w *logWriter) Write(p []byte) (int, error) {
	if !w.done.Load() {
		w.t.Log(strings.TrimRight(string(p), "\n"))
	}
	return len(p), nil
}

// running is a Runner at work.
type running struct {
	*Runner
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// start runs a hop until the test ends or stop is called.
func (c *cluster) start(t testing.TB, cfg Config, hop pipeline.Hop, s Settings) *running {
	t.Helper()
	if s.Logger == nil {
		s.Logger = testLog(t).With("instance", cfg.Instance)
	}
	r, err := NewRunner(cfg, hop, s)
	if err != nil {
		t.Fatal(err)
	}
	return startRunner(t, r)
}

func startRunner(t testing.TB, r *Runner) *running {
	ctx, cancel := context.WithCancel(context.Background())
	x := &running{Runner: r, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		x.err = r.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-x.done })
	return x
}

// stop ends the runner gracefully.
func (x *running) stop(t testing.TB) {
	t.Helper()
	x.cancel()
	<-x.done
	if x.err != nil {
		t.Fatalf("Run: %v", x.err)
	}
}

// drained waits until the members together hold every lane and have committed all
// that is on the inputs now.
func (c *cluster) drained(t testing.TB, members ...*running) {
	t.Helper()
	ends, err := c.adm.ListCommittedOffsets(t.Context(), members[0].hop.Inputs...)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "every lane running and without lag", func() bool {
		lanes := int32(0)
		for _, m := range members {
			select {
			case <-m.done:
				t.Fatalf("Run has ended: %v", m.err)
			default:
			}
			for _, l := range m.Status().Lanes {
				if end, ok := ends.Lookup(l.Topic, l.Partition); ok && l.Phase == "running" && l.Committed >= end.Offset {
					lanes++
				}
			}
		}
		return lanes == c.partitions
	})
}

// offsetsOf names the same offset in each of n partitions.
func offsetsOf(topic string, n int32, at int64) kadm.Offsets {
	o := make(kadm.Offsets)
	for p := range n {
		o.Add(kadm.Offset{Topic: topic, Partition: p, At: at})
	}
	return o
}

// bufferLog writes to b. Read b only after what logs has ended.
func bufferLog(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
