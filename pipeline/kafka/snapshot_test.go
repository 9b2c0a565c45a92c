package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kgo"
)

// snapshotted runs the hop over the numbers from..to-1 with a snapshot at the end
// of what it read, and gives the snapshot epochs by partition.
func (c *cluster) snapshotted(t testing.TB, s *sums, input string, from, to int, want uint64) {
	t.Helper()
	cfg := c.config("a")
	cfg.SnapshotBytes = 1
	r := c.start(t, cfg, s.hop(input), Settings{})
	c.produce(t, input, numbers(from, to)...)
	c.drained(t, r)
	eventually(t, "every lane has a snapshot of its end", func() bool {
		n := int32(0)
		for _, l := range r.Status().Lanes {
			if l.SnapshotEpoch >= want && l.SnapshotOffset > 0 && l.Committed-l.SnapshotOffset <= 1 && l.Lag == 0 {
				n++
			}
		}
		return n == c.partitions
	})
	r.stop(t)
}

// stateRecords gives the newest record per key of the state topic.
func (c *cluster) stateRecords(t testing.TB) map[string]*kgo.Record {
	t.Helper()
	out := make(map[string]*kgo.Record)
	for _, recs := range c.read(t, pipeline.TopicState.Name(c.prefix)) {
		for _, r := range recs {
			out[string(r.Key)] = r
		}
	}
	return out
}

// manifests gives the newest manifest of partition 0 and the slot it is in.
func (c *cluster) newestManifest(t testing.TB, input string) (*manifest, stateKeys) {
	t.Helper()
	keys := stateKeys{"sum", tp{input, 0}}
	var newest *manifest
	for slot := range 2 {
		r := c.stateRecords(t)[string(keys.manifest(slot))]
		if r == nil {
			continue
		}
		m, err := decodeManifest(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if newest == nil || m.Epoch > newest.Epoch {
			newest = m
		}
	}
	if newest == nil {
		t.Fatal("no manifest")
	}
	return newest, keys
}

// TestRestore: what happens to a snapshot between two runs, and how the lane then
// comes by its state. Whatever happens, the outputs are the same.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, c *cluster, s *sums, input string)
		want   string
		log    string
		replay bool // more than a handful of records
	}{
		{"whole", func(*testing.T, *cluster, *sums, string) {}, RestoreSnapshot, "", false},
		{"chunk overwritten", func(t *testing.T, c *cluster, _ *sums, input string) {
			// All copies of the content are gone, as after a compaction.
			m, keys := c.newestManifest(t, input)
			c.rewriteState(t, string(keys.chunk(m.slot(), 0)), []byte("not a chunk"))
		}, RestoreFallback, "damaged: chunk 0 is missing or differs", true},
		{"manifest lies about the whole", func(t *testing.T, c *cluster, _ *sums, input string) {
			m, keys := c.newestManifest(t, input)
			m.Total++
			c.rewriteState(t, string(keys.manifest(m.slot())), m.encode())
		}, RestoreFallback, "the checksum over the whole state differs", true},
		{"manifest unreadable", func(t *testing.T, c *cluster, _ *sums, input string) {
			m, keys := c.newestManifest(t, input)
			c.rewriteState(t, string(keys.manifest(m.slot())), []byte{0xff})
		}, RestoreSnapshot, "unreadable manifest", true},
		{"group set back", func(t *testing.T, c *cluster, _ *sums, input string) {
			m, keys := c.newestManifest(t, input)
			m.Offset += 1000
			c.rewriteState(t, string(keys.manifest(m.slot())), m.encode())
		}, RestoreFallback, "the group was set back", true},
		{"other configuration", func(_ *testing.T, _ *cluster, s *sums, _ string) { s.config = 7 },
			RestoreRebuild, "incompatible: configuration hash", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCluster(t, 1)
			input := c.input(t, "raw")
			s := &sums{pad: 64}
			c.snapshotted(t, s, input, 0, 500, 1)
			first, _ := c.newestManifest(t, input)
			c.snapshotted(t, s, input, 500, 1000, first.Epoch+1)
			tc.damage(t, c, s, input)
			s.replayed.Store(0)

			var logged strings.Builder
			r := c.start(t, c.config("a"), s.hop(input), Settings{Logger: bufferLog(&logged)})
			c.produce(t, input, numbers(900, 1500)...)
			c.drained(t, r)
			st := r.Status()
			r.stop(t)
			if st.Restores[tc.want] != 1 || len(st.Restores) != 1 {
				t.Errorf("restores %v, want one by %s", st.Restores, tc.want)
			}
			if !strings.Contains(logged.String(), tc.log) {
				t.Errorf("the log does not say %q:\n%s", tc.log, &logged)
			}
			if n := s.replayed.Load(); (n > 100) != tc.replay {
				t.Errorf("%d records replayed", n)
			}
			c.checkSums(t, input)
		})
	}
}

// rewriteState makes a value the only one its key ever had: a fresh state topic is
// filled with what the old one held, as compaction would leave it.
func (c *cluster) rewriteState(t *testing.T, key string, value []byte) {
	t.Helper()
	topic := pipeline.TopicState.Name(c.prefix)
	recs := c.stateRecords(t)
	if recs[key] == nil {
		t.Fatalf("no record of %s", key)
	}
	recs[key].Value = value
	if _, err := c.adm.DeleteTopics(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	compact, forever := "compact", "-1"
	eventually(t, "the topic is created again", func() bool {
		_, err := c.adm.CreateTopic(t.Context(), c.partitions, 1, map[string]*string{"cleanup.policy": &compact, "retention.ms": &forever}, topic)
		return err == nil
	})
	cl := c.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, r := range recs {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	// A topic of the same name as one just deleted takes a while until all of the
	// broker speaks of the new one.
	eventually(t, "the records are there again", func() bool { return len(c.stateRecords(t)) == len(recs) })
}

// TestLogTooShort: when the input no longer reaches back to the snapshot, the hop
// says so instead of working on a state with a hole.
func TestLogTooShort(t *testing.T) {
	c := newCluster(t, 1)
	input := c.input(t, "raw")
	var s sums
	c.snapshotted(t, &s, input, 0, 500, 1)
	r := c.start(t, c.config("a"), s.hop(input), Settings{})
	c.produce(t, input, numbers(500, 1000)...)
	c.drained(t, r)
	r.stop(t)
	if _, err := c.adm.DeleteRecords(t.Context(), offsetsOf(input, 1, 800)); err != nil {
		t.Fatal(err)
	}
	x := c.start(t, c.config("a"), s.hop(input), Settings{})
	select {
	case <-x.done:
	case <-time.After(patience):
		t.Fatal("it runs")
	}
	if x.err == nil || !strings.Contains(x.err.Error(), "the log starts at offset 800") {
		t.Fatalf("Run: %v", x.err)
	}
}

// TestTombstones: chunks a slot no longer needs are deleted.
func TestTombstones(t *testing.T) {
	long(t, "waits for the log cleaner")
	t.Parallel()
	c := newCluster(t, 1)
	input := c.input(t, "raw")
	big := &sums{pad: 8 << 10}
	c.snapshotted(t, big, input, 0, 500, 1)
	m, keys := c.newestManifest(t, input)
	c.snapshotted(t, big, input, 500, 600, m.Epoch+1) // now both slots hold 4 MB and more
	m, _ = c.newestManifest(t, input)
	if len(m.Sizes) < 8 {
		t.Fatalf("%d chunks are too few for this test", len(m.Sizes))
	}
	small := &sums{config: 1}
	c.snapshotted(t, small, input, 600, 700, m.Epoch+1)
	m, _ = c.newestManifest(t, input)
	c.snapshotted(t, small, input, 700, 800, m.Epoch+1)
	left := 0
	for k, r := range c.stateRecords(t) {
		if strings.HasPrefix(k, keys.prefix()) && !strings.Contains(k, "manifest") && r.Value != nil {
			left++
		}
	}
	if left > 2 {
		t.Errorf("%d chunks are left of two snapshots of one", left)
	}
}

// TestBigSnapshot: a snapshot of 200 MB is taken while records keep flowing, other
// lanes go on meanwhile, and it restores.
func TestBigSnapshot(t *testing.T) {
	long(t, "200 MB of state")
	c := newCluster(t, 2)
	input := c.input(t, "raw")
	const n, pad = 4000, 100 << 10 // 2000 numbers per lane: 200 MB each
	s := &sums{pad: pad}
	cfg := c.config("a")
	cfg.SnapshotBytes = 1
	c.produce(t, input, numbers(0, n)...)
	quiet := c.config("a")
	r := c.start(t, quiet, s.hop(input), Settings{})
	c.drained(t, r)
	r.stop(t)

	r = c.start(t, cfg, s.hop(input), Settings{})
	began := time.Now()
	fed, during := n, int64(0)
	eventually(t, "each lane has a snapshot", func() bool {
		c.produce(t, input, numbers(fed, fed+50)...)
		fed += 50
		st := r.Status()
		done := len(st.Lanes) == 2
		for _, l := range st.Lanes {
			done = done && l.SnapshotBytes >= 200_000_000
		}
		if !done {
			during = st.Committed
		}
		return done
	})
	t.Logf("2 snapshots of 200 MB in %s, %d transactions meanwhile", time.Since(began).Round(time.Millisecond), during)
	if during < 10 {
		t.Errorf("%d transactions while the snapshots were taken", during)
	}
	r.cancel()
	<-r.done

	began = time.Now()
	s.replayed.Store(0)
	r = c.start(t, quiet, s.hop(input), Settings{})
	c.drained(t, r)
	t.Logf("restored in %s, %d records replayed", time.Since(began).Round(time.Millisecond), s.replayed.Load())
	if st := r.Status(); st.Restores[RestoreSnapshot] != 2 {
		t.Errorf("restores %v", st.Restores)
	}
	r.stop(t)
	c.checkSums(t, input)
}
