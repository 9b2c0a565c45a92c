package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// putDeadLetters writes records of the dead letter as a hop does, in this order.
func (c *cluster) putDeadLetters(t *testing.T, msgs ...pipeline.Out) {
	t.Helper()
	cl := c.client(t, kgo.DefaultProduceTopic(pipeline.TopicDeadLetter.Name(c.prefix)))
	for _, m := range msgs {
		r := &kgo.Record{Key: m.Key, Value: m.Value}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func randomBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestDeadLetterRedrive(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	cfg := c.config("a")
	raw := c.createTopic(t, c.prefix+".edr", 3, map[string]string{"max.message.bytes": "16777216"})
	large := pipeline.DeadLetter{Tenant: "acme", Source: "edr", Topic: raw, Partition: 2, Offset: 17, Doc: 1, Time: 1_700_000_000_123,
		Reason: schema.ReasonInvalidJSON, Detail: "unexpected end", Bytes: randomBytes(1, 3<<20)}
	other := pipeline.DeadLetter{Tenant: "acme", Source: "edr", Topic: raw, Partition: 1, Offset: 4, Time: 1_600_000_000_456,
		Reason: schema.ReasonTooDeep, Bytes: randomBytes(2, 2<<20)}
	empty := pipeline.DeadLetter{Tenant: "zeta", Source: "edr", Topic: raw, Time: 1_650_000_000_000, Reason: schema.ReasonEmpty}
	a, b := large.AppendTo(nil), other.AppendTo(nil)
	if len(a) != 4 || len(b) != 3 {
		t.Fatalf("%d and %d chunks", len(a), len(b))
	}
	// Two writers at once, then a small one.
	c.putDeadLetters(t, a[0], b[0], a[1], a[2], b[1], b[2], a[3])
	c.putDeadLetters(t, empty.AppendTo(nil)...)

	var list []DeadLetterEntry
	collect := func(e DeadLetterEntry) error { list = append(list, e); return nil }
	if err := ListDeadLetter(t.Context(), cfg, DeadLetterFilter{}, collect); err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 {
		t.Fatalf("%d documents, want 3", len(list))
	}
	// Whole documents come when their last chunk does.
	for i, want := range []pipeline.DeadLetter{other, large, empty} {
		got := list[i]
		if got.Problem != "" || !bytes.Equal(got.Bytes, want.Bytes) || got.Time != want.Time || got.Offset != want.Offset || got.Doc != want.Doc || got.Reason != want.Reason || got.Detail != want.Detail {
			t.Errorf("document %d is %+v", i, got.ID)
		}
	}
	if e, err := ShowDeadLetter(t.Context(), cfg, list[1].ID); err != nil || !bytes.Equal(e.Bytes, large.Bytes) || e.ID != (DeadLetterID{Offset: 0}) {
		t.Errorf("show: %v, %v", e.ID, err)
	}
	if _, err := ShowDeadLetter(t.Context(), cfg, DeadLetterID{Offset: 1000}); !errors.Is(err, ErrNoDeadLetter) {
		t.Errorf("show of none: %v", err)
	}
	for name, tc := range map[string]struct {
		f    DeadLetterFilter
		want int
	}{
		"tenant": {DeadLetterFilter{Tenant: "zeta"}, 1}, "reason": {DeadLetterFilter{Reason: schema.ReasonTooDeep}, 1},
		"topic": {DeadLetterFilter{Topic: "no"}, 0}, "limit": {DeadLetterFilter{Limit: 2}, 2}, "source": {DeadLetterFilter{Source: "edr"}, 3},
		"since": {DeadLetterFilter{Since: 1}, 3}, "until": {DeadLetterFilter{Until: 1}, 0}, "id": {DeadLetterFilter{IDs: []DeadLetterID{list[2].ID, list[0].ID}}, 2},
		"id and tenant": {DeadLetterFilter{Tenant: "zeta", IDs: []DeadLetterID{list[0].ID}}, 0},
	} {
		n := 0
		if err := ListDeadLetter(t.Context(), cfg, tc.f, func(DeadLetterEntry) error { n++; return nil }); err != nil || n != tc.want {
			t.Errorf("%s: %d documents, want %d, %v", name, n, tc.want, err)
		}
	}

	rep, err := Redrive(t.Context(), cfg, DeadLetterFilter{Tenant: "acme"}, true)
	if err != nil || rep.Selected != 2 || rep.Produced != 0 || rep.Bytes != 5<<20 || rep.Topics[raw] != 2 {
		t.Errorf("dry run: %+v, %v", rep, err)
	}
	if len(c.read(t, raw)) > 0 {
		t.Fatal("a dry run produced")
	}
	if rep, err = Redrive(t.Context(), cfg, DeadLetterFilter{}, false); err != nil || rep.Produced != 3 || len(rep.Broken)+len(rep.Warnings) > 0 {
		t.Fatalf("redrive: %+v, %v", rep, err)
	}
	got := c.read(t, raw)
	for _, e := range list {
		recs := got[e.Partition]
		if len(recs) != 1 || !bytes.Equal(recs[0].Value, e.Bytes) || recs[0].Timestamp.UnixMilli() != int64(e.Time) ||
			len(recs[0].Headers) != 1 || recs[0].Headers[0].Key != RedriveHeader || string(recs[0].Headers[0].Value) != e.ID.String() {
			t.Errorf("%s: %d records in partition %d, not as they were", e.ID, len(recs), e.Partition)
		}
	}
}

func TestDeadLetterBroken(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	raw := c.input(t, "edr")
	doc := func(offset int64) []pipeline.Out {
		return pipeline.DeadLetter{Tenant: "t", Source: "s", Topic: raw, Offset: offset, Reason: schema.ReasonTooLarge, Bytes: randomBytes(3, 2<<20)}.AppendTo(nil)
	}
	gap, cut, head := doc(1), doc(2), doc(3)
	absurd := doc(4)[:1]
	for i, h := range absurd[0].Headers {
		if h.Key == "chunks" {
			absurd[0].Headers[i].Value = []byte("2000000000")
		}
	}
	foreign := pipeline.Out{Value: []byte("hello"), Key: gap[0].Key}
	whole := pipeline.DeadLetter{Tenant: "t", Source: "s", Topic: raw, Offset: 9, Reason: schema.ReasonEmpty}.AppendTo(nil)
	// A chunk missing in the middle, one at the end, the first; a writer that began anew.
	c.putDeadLetters(t, slices.Concat(gap[:1], gap[2:], head[1:2], absurd, []pipeline.Out{foreign}, whole, cut[:2], cut[:1])...)
	var problems []string
	if err := ListDeadLetter(t.Context(), cfg, DeadLetterFilter{}, func(e DeadLetterEntry) error {
		problems = append(problems, fmt.Sprintf("%d: %s", e.Offset, e.Problem))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1: only 1 of 3 chunks are there", "1: chunk 2 of 3 without those before it", "3: chunk 1 of 3 without those before it",
		"4: partition 0, chunk 0 of 2000000000 makes no sense", "0: dead letter record without topic or reason header", "9: ",
		"2: only 2 of 3 chunks are there", "2: only 1 of 3 chunks are there",
	}
	if got := strings.Join(problems, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
	rep, err := Redrive(t.Context(), cfg, DeadLetterFilter{}, false)
	if err != nil || rep.Selected != 8 || rep.Produced != 1 || len(rep.Broken) != 7 {
		t.Errorf("redrive: %+v, %v", rep, err)
	}
}

func TestDeadLetterID(t *testing.T) {
	for _, s := range []string{"0/0", "7/123456789012"} {
		if id, err := ParseDeadLetterID(s); err != nil || id.String() != s {
			t.Errorf("%q: %v, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "1", "/", "1/", "/1", "-1/2", "1/-2", "1/2/3", "4294967296/1", "a/b"} {
		if id, err := ParseDeadLetterID(s); err == nil {
			t.Errorf("%q gave %v", s, id)
		}
	}
}
