package kafka

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
)

// passLane copies each record's value to the alerts topic; the number in it is the
// shard.
type passLane struct{ closed *atomic.Int64 }

func (l passLane) Process(_ context.Context, recs []pipeline.Record, out *pipeline.Outbox) error {
	for _, r := range recs {
		n, err := strconv.Atoi(string(r.Value))
		if err != nil {
			return err
		}
		out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Shard: schema.Shard(n % schema.Shards), Value: r.Value, Headers: r.Headers})
	}
	return nil
}
func (passLane) Idle(context.Context, schema.Millis, schema.Millis, *pipeline.Outbox) error {
	return nil
}
func (passLane) Commit()   {}
func (passLane) Rollback() {}
func (l passLane) Close() {
	if l.closed != nil {
		l.closed.Add(1)
	}
}

func passHop(input string) pipeline.Hop {
	return pipeline.Hop{Name: "pass", Inputs: []string{input}, Open: func(pipeline.LaneID) (pipeline.Lane, error) { return passLane{}, nil }}
}

// sumLane drops numbers it has seen and tells a running count and sum of the
// others. What it tells depends on its whole history, so a state that is restored,
// rolled back or replayed wrongly shows in the output.
type sumLane struct {
	id        pipeline.LaneID
	version   uint32
	config    uint64
	seen      map[uint64]struct{}
	count     uint64
	sum       uint64
	journal   []uint64
	pad       int // bytes of filler per number in a snapshot
	replaying bool
	rollbacks *atomic.Int64
	replayed  *atomic.Int64
}

func (l *sumLane) Process(_ context.Context, recs []pipeline.Record, out *pipeline.Outbox) error {
	for _, r := range recs {
		s, _, _ := strings.Cut(string(r.Value), " ")
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return err
		}
		if l.replaying {
			l.replayed.Add(1)
		}
		if _, ok := l.seen[n]; ok {
			continue
		}
		l.seen[n] = struct{}{}
		l.journal = append(l.journal, n)
		l.count++
		l.sum += n
		out.Msgs = append(out.Msgs, pipeline.Out{
			Topic: pipeline.TopicAlerts, Sharded: true, Shard: schema.Shard(l.id.Partition),
			Value: fmt.Appendf(nil, "%d %d %d", n, l.count, l.sum),
		})
	}
	return nil
}
func (*sumLane) Idle(context.Context, schema.Millis, schema.Millis, *pipeline.Outbox) error {
	return nil
}
func (l *sumLane) Commit() { l.journal = l.journal[:0] }
func (l *sumLane) Rollback() {
	l.rollbacks.Add(1)
	for _, n := range l.journal {
		delete(l.seen, n)
		l.count--
		l.sum -= n
	}
	l.journal = l.journal[:0]
}
func (*sumLane) Close()                 {}
func (l *sumLane) StateVersion() uint32 { return l.version }
func (l *sumLane) ConfigHash() uint64   { return l.config }
func (l *sumLane) SetReplaying(on bool) { l.replaying = on }

func (l *sumLane) Snapshot(w io.Writer) error {
	if len(l.journal) > 0 {
		return errors.New("snapshot of a state that is not committed")
	}
	b := bufio.NewWriterSize(w, 1<<16)
	var u [8]byte
	put := func(n uint64) { binary.BigEndian.PutUint64(u[:], n); _, _ = b.Write(u[:]) }
	put(l.count)
	put(l.sum)
	put(uint64(len(l.seen)))
	filler := make([]byte, l.pad)
	x := uint64(88172645463325252)
	for _, n := range slices.Sorted(maps.Keys(l.seen)) {
		put(n)
		for i := 0; i+8 <= len(filler); i += 8 { // not compressible
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			binary.LittleEndian.PutUint64(filler[i:], x)
		}
		_, _ = b.Write(filler)
	}
	return b.Flush()
}

func (l *sumLane) Restore(r io.Reader) error {
	b := bufio.NewReaderSize(r, 1<<16)
	var u [8]byte
	var err error
	get := func() uint64 {
		if err == nil {
			_, err = io.ReadFull(b, u[:])
		}
		return binary.BigEndian.Uint64(u[:])
	}
	l.count, l.sum = get(), get()
	for n := get(); n > 0 && err == nil; n-- {
		l.seen[get()] = struct{}{}
		if err == nil {
			_, err = b.Discard(l.pad)
		}
	}
	return err
}

// sums makes a stateful hop and counts what its lanes go through.
type sums struct {
	pad                 int
	config              uint64
	rollbacks, replayed atomic.Int64
}

func (s *sums) hop(input string) pipeline.Hop {
	return pipeline.Hop{Name: "sum", Inputs: []string{input}, State: true, Open: func(id pipeline.LaneID) (pipeline.Lane, error) {
		return &sumLane{id: id, version: 1, config: s.config, pad: s.pad, seen: make(map[uint64]struct{}), rollbacks: &s.rollbacks, replayed: &s.replayed}, nil
	}}
}

// checkSums compares the alerts with what one sumLane per partition makes of the
// input in order: nothing lost, nothing doubled, no state lost or invented.
func (c *cluster) checkSums(t testing.TB, input string) {
	t.Helper()
	in, out := c.read(t, input), c.read(t, pipeline.TopicAlerts.Name(c.prefix))
	for p, recs := range in {
		seen := make(map[string]bool)
		count, sum, i := 0, uint64(0), 0
		for _, r := range recs {
			s, _, _ := strings.Cut(string(r.Value), " ")
			if seen[s] {
				continue
			}
			seen[s] = true
			n, _ := strconv.ParseUint(s, 10, 64)
			count++
			sum += n
			want := fmt.Sprintf("%d %d %d", n, count, sum)
			if i >= len(out[p]) {
				t.Fatalf("partition %d: output %d is missing, want %q", p, i, want)
			}
			if got := string(out[p][i].Value); got != want {
				t.Fatalf("partition %d: output %d is %q, want %q", p, i, got, want)
			}
			i++
		}
		if i != len(out[p]) {
			t.Fatalf("partition %d: %d outputs, want %d", p, len(out[p]), i)
		}
	}
}

// outputs counts the alerts that are visible.
func (c *cluster) outputs(t testing.TB) int {
	t.Helper()
	n := 0
	for _, recs := range c.read(t, pipeline.TopicAlerts.Name(c.prefix)) {
		n += len(recs)
	}
	return n
}

// checkPass compares the alerts with the numbers 0..n-1, each in its shard's partition.
func (c *cluster) checkPass(t testing.TB, n int) {
	t.Helper()
	times := make(map[int]int)
	for p, recs := range c.read(t, pipeline.TopicAlerts.Name(c.prefix)) {
		for _, r := range recs {
			v, err := strconv.Atoi(string(r.Value))
			if err != nil {
				t.Fatal(err)
			}
			times[v]++
			if want := schema.Shard(v % schema.Shards).Partition(int(c.partitions)); p != want {
				t.Fatalf("%d is in partition %d, its shard's is %d", v, p, want)
			}
		}
	}
	lost, doubled := 0, 0
	for i := range n {
		switch times[i] {
		case 0:
			lost++
		case 1:
		default:
			doubled++
		}
	}
	if lost > 0 || doubled > 0 || len(times) != n {
		t.Fatalf("of %d records %d are lost, %d doubled, %d are there", n, lost, doubled, len(times))
	}
}
