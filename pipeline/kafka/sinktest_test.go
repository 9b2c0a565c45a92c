package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kgo"
)

// memStore is a store that drops a range whose token it has, as ClickHouse does.
type memStore struct {
	mu      sync.Mutex
	tokens  map[string]uint64 // checksum of the records
	rows    map[string]int    // how often each value was stored
	wrong   []string          // what a store must never be asked for
	inserts []insertion
	dropped int // ranges it had already

	perRange int                                         // blocks per insert, default 1
	before   func(context.Context, pipeline.Range) error // runs unlocked, before anything is stored
	after    func(pipeline.Range) error                  // runs unlocked, after: a lost answer
}

type insertion struct {
	at     time.Time
	rng    pipeline.Range // without records
	rows   int
	blocks int
}

func newMemStore() *memStore {
	return &memStore{tokens: make(map[string]uint64), rows: make(map[string]int), perRange: 1}
}

func (s *memStore) insert(ctx context.Context, r pipeline.Range) (int, error) {
	if s.before != nil {
		if err := s.before(ctx, r); err != nil {
			return 0, err
		}
	}
	s.put(r)
	if s.after != nil {
		if err := s.after(r); err != nil {
			return 0, err
		}
	}
	return s.perRange, nil
}

func (s *memStore) put(r pipeline.Range) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sumRecords(r.Records)
	s.inserts = append(s.inserts, insertion{time.Now(), pipeline.Range{Topic: r.Topic, Partition: r.Partition, Lo: r.Lo, Hi: r.Hi}, len(r.Records), s.perRange})
	if len(r.Records) == 0 || r.Records[0].Offset != r.Lo || r.Records[len(r.Records)-1].Offset != r.Hi {
		s.wrong = append(s.wrong, fmt.Sprintf("range %s does not begin and end with its records", r.Token()))
	}
	if had, ok := s.tokens[r.Token()]; ok {
		s.dropped++
		if had != sum {
			s.wrong = append(s.wrong, fmt.Sprintf("token %s came with other records", r.Token()))
		}
		return
	}
	s.tokens[r.Token()] = sum
	for _, rec := range r.Records {
		s.rows[string(rec.Value)]++
	}
}

func (s *memStore) stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// check fails the test unless exactly the numbers in want are there, once each.
func (s *memStore) check(t testing.TB, want map[int]bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.wrong {
		t.Error(w)
	}
	lost, doubled, foreign := 0, 0, 0
	for n := range maps.Keys(want) {
		switch c := s.rows[strconv.Itoa(n)]; {
		case c == 0:
			lost++
		case c > 1:
			doubled++
		}
	}
	for v := range s.rows {
		if n, err := strconv.Atoi(v); err != nil || !want[n] {
			foreign++
		}
	}
	if lost+doubled+foreign > 0 {
		t.Errorf("of %d records %d are lost, %d doubled; %d were never committed", len(want), lost, doubled, foreign)
	}
}

// sinking is a Sink at work.
type sinking struct {
	*Sink
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func (c *cluster) startSink(t testing.TB, cfg Config, hop pipeline.SinkHop, sc SinkConfig, set Settings) *sinking {
	t.Helper()
	if set.Logger == nil {
		set.Logger = testLog(t).With("instance", cfg.Instance)
	}
	s, err := NewSink(cfg, hop, sc, set)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &sinking{Sink: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		x.err = s.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-x.done })
	return x
}

func (x *sinking) stop(t testing.TB) {
	t.Helper()
	x.cancel()
	<-x.done
	if x.err != nil {
		t.Fatalf("Run: %v", x.err)
	}
}

// quickSink has short times and small ranges.
func quickSink() SinkConfig {
	sc := DefaultSinkConfig()
	sc.Rows, sc.Linger, sc.InsertsPerSecond = 50, 30*time.Millisecond, 1000
	sc.InsertTimeout, sc.RevokeTimeout = 3*time.Second, 2*time.Second
	return sc
}

// produceTxns writes the numbers from..to-1 in transactions over all partitions,
// every abortEvery-th of which is aborted, and adds those that were
// committed to want.
func (c *cluster) produceTxns(t testing.TB, topic string, from, to, size, abortEvery int, want map[int]bool) {
	t.Helper()
	cl := c.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(fmt.Sprintf("%s.load.%d", c.prefix, from)), kgo.DefaultProduceTopic(topic))
	for i, txn := from, 1; i < to; txn++ {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		end := min(to, i+size)
		commit := txn%abortEvery != 0
		for ; i < end; i++ {
			cl.Produce(t.Context(), &kgo.Record{Partition: int32(i) % c.partitions, Key: []byte(strconv.Itoa(i)), Value: []byte(strconv.Itoa(i))}, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("producing: %v", err)
				}
			})
			if commit {
				want[i] = true
			}
		}
		if err := cl.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := cl.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
			t.Fatal(err)
		}
	}
}

// noLag waits until the group's committed positions are at the ends and no range is
// announced.
func (c *cluster) noLag(t testing.TB, group string) {
	t.Helper()
	cfg := c.config("lag")
	eventually(t, "no lag and no announced range of "+group, func() bool {
		rep, err := Lag(t.Context(), cfg, time.Now(), group)
		if err != nil || len(rep.Groups) != 1 || len(rep.Groups[0].Partitions) == 0 {
			return false
		}
		for _, p := range rep.Groups[0].Partitions {
			if p.Lag != 0 || p.Announced >= 0 {
				return false
			}
		}
		return true
	})
}

var errAway = errors.New("the store is away")
