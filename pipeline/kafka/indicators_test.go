package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readIndicators reads the log as a follower does, up to its end, once n values are
// there: the broker answers that a transaction is committed before its end is in the
// log.
func readIndicators(t *testing.T, l *IndicatorLog, from int64, n int) (values []string, next int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d values can be read", n), func() bool {
		_, end, err := l.Bounds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		values = values[:0]
		for next = from; next < end; {
			if next, _, err = l.Poll(t.Context(), next, func(_ int64, v []byte) error {
				values = append(values, string(v))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		return len(values) >= n
	})
	return values, next
}

func openIndicators(t *testing.T, cfg Config) *IndicatorWriter {
	t.Helper()
	w, err := OpenIndicatorWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestIndicatorLog(t *testing.T) {
	c := newCluster(t)
	w := openIndicators(t, c.config("a"))
	if err := w.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	if start, end, err := w.Bounds(t.Context()); start != 0 || end != 0 || err != nil {
		t.Fatalf("an empty log: %d to %d, %v", start, end, err)
	}
	if next, end, err := w.Poll(t.Context(), 0, nil); next != 0 || end != 0 || err != nil {
		t.Errorf("nothing to read: %d, %d, %v", next, end, err)
	}
	last, err := w.Append(t.Context(), [][]byte{[]byte("a"), []byte("b")})
	if err != nil || last != 1 {
		t.Fatalf("offset %d, %v", last, err)
	}
	time.Sleep(20 * time.Millisecond)
	between := schema.FromTime(time.Now())
	time.Sleep(20 * time.Millisecond)
	large := strings.Repeat("x", 900<<10)
	if _, err := w.Append(t.Context(), [][]byte{[]byte(large), []byte(large), []byte("c")}); err != nil {
		t.Fatal(err)
	}
	l, err := OpenIndicatorLog(c.config("b"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got, next := readIndicators(t, l, 0, 5)
	if want := []string{"a", "b", large, large, "c"}; !slices.Equal(got, want) {
		t.Errorf("read %d values", len(got))
	}
	if _, end, err := l.Bounds(t.Context()); next != end || err != nil {
		t.Errorf("read to %d of %d, %v: markers count", next, end, err)
	}
	at, err := l.OffsetAt(t.Context(), between)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := readIndicators(t, l, at, 3); len(got) != 3 {
		t.Errorf("from a time on: %d values", len(got))
	}
	if at, err := l.OffsetAt(t.Context(), between+schema.Hour); at != next || err != nil {
		t.Errorf("from a time to come: %d, %v", at, err)
	}
	if _, _, err := l.Poll(t.Context(), next+100, nil); err == nil {
		t.Error("an offset outside of the log is no error")
	}
	stop := errors.New("stop")
	if _, _, err := l.Poll(t.Context(), 0, func(int64, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's error: %v", err)
	}
	if _, err := w.Append(t.Context(), nil); err == nil {
		t.Error("an empty append")
	}
}

// TestIndicatorsAborted: of a transaction that does not commit nothing is seen, and
// the next one goes through.
func TestIndicatorsAborted(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	cfg.FreshTransactionalIDs = c.fake != nil
	w := openIndicators(t, cfg)
	if _, err := w.Append(t.Context(), [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	if err := w.cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.cl.ProduceSync(t.Context(), &kgo.Record{Value: []byte("never")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.cl.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), [][]byte{[]byte("b")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := readIndicators(t, w.IndicatorLog, 0, 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("read %q", got)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Append(canceled, [][]byte{[]byte("?")}); err == nil || stages.IsPermanent(err) {
		t.Errorf("canceled: %v", err)
	}
	if err := w.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), [][]byte{[]byte("c")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := readIndicators(t, w.IndicatorLog, 0, 3); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("read %q", got)
	}
}

// TestIndicatorsFenced: of two writers the one that came first is out, for good.
func TestIndicatorsFenced(t *testing.T) {
	c := newCluster(t)
	first, second := openIndicators(t, c.config("a")), openIndicators(t, c.config("b"))
	if _, err := first.Append(t.Context(), [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	if err := second.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := first.Append(t.Context(), [][]byte{[]byte("late")}); !stages.IsPermanent(err) || !errors.Is(err, errFenced) {
			t.Errorf("the first: %v", err)
		}
	}
	if _, err := second.Append(t.Context(), [][]byte{[]byte("b")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := readIndicators(t, second.IndicatorLog, 0, 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("read %q", got)
	}
}

// TestSinglePartition: the topic of indicators has one partition whatever the others
// have, and one with more is refused.
func TestSinglePartition(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	cfg.Prefix += "x"
	name := pipeline.TopicIndicators.Name(cfg.Prefix)
	p, by := planOf(t, cfg)
	if x := by[name]; x.State != TopicCreate || x.WantPartitions != 1 {
		t.Errorf("plan %+v", x)
	}
	c.createTopic(t, name, 3, nil)
	p, by = planOf(t, cfg)
	if x := by[name]; x.State != TopicRefused || !strings.Contains(fmt.Sprint(p.Err()), "may have one only") {
		t.Errorf("three partitions: %+v, %v", x, p.Err())
	}
	l, err := OpenIndicatorLog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, _, err := l.Bounds(t.Context()); err == nil || !strings.Contains(err.Error(), "may have one only") {
		t.Errorf("Bounds: %v", err)
	}
	hop := passHop(c.input(t, "raw"))
	if _, err := checkTopics(t.Context(), c.adm, c.config("a"), hop); err != nil {
		t.Errorf("one partition: %v", err)
	}
}

// TestSinglePartitionOfBroker: so does the embedded broker.
func TestSinglePartitionOfBroker(t *testing.T) {
	b, err := StartBroker(t.Context(), BrokerConfig{Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cfg := b.Adapt(DefaultConfig())
	cfg.Partitions = 4
	w := openIndicators(t, cfg)
	if _, err := w.Append(t.Context(), [][]byte{[]byte("a")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := readIndicators(t, w.IndicatorLog, 0, 1); !slices.Equal(got, []string{"a"}) {
		t.Errorf("read %q", got)
	}
	if p, err := PlanTopics(t.Context(), cfg, nil); err != nil || p.Err() != nil {
		t.Errorf("%v, %v", err, p.Err())
	}
}
