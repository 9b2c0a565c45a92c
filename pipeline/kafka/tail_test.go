package kafka

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestReadCompacted(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	topic := pipeline.TopicIncidents.Name(c.prefix)
	read := func() map[string]string {
		t.Helper()
		got := make(map[string]string)
		if err := ReadCompacted(t.Context(), cfg, pipeline.TopicIncidents, func(r pipeline.Record) error {
			if r.Value == nil {
				delete(got, string(r.Key))
			} else {
				got[string(r.Key)] = string(r.Value)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(); len(got) > 0 {
		t.Errorf("an empty topic gave %v", got)
	}
	cl := c.client(t, kgo.TransactionalID(c.prefix+".w"), kgo.DefaultProduceTopic(topic))
	put := func(commit bool, from, to int, value string) {
		t.Helper()
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := from; i < to; i++ {
			r := &kgo.Record{Key: []byte(strconv.Itoa(i)), Value: []byte(value)}
			if value == "" {
				r.Value = nil
			}
			if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := cl.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
			t.Fatal(err)
		}
	}
	put(true, 0, 60, "one")
	put(true, 10, 30, "two")
	put(true, 20, 25, "") // deletions
	put(false, 0, 60, "never")
	check := func(when string) {
		t.Helper()
		got := read()
		if len(got) != 55 || got["9"] != "one" || got["10"] != "two" || got["30"] != "one" {
			t.Errorf("%s: %d keys, %v", when, len(got), got)
		}
	}
	check("before compaction") // the end of each partition is aborted records
	if c.fake != nil {
		c.fake.Compact()
		check("after compaction")
	}
	stop := errors.New("stop")
	if err := ReadCompacted(t.Context(), cfg, pipeline.TopicIncidents, func(pipeline.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("yield's error is lost: %v", err)
	}
}

func TestLag(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	topic := pipeline.TopicAlerts.Name(c.prefix)
	group := c.prefix + ".persist"
	rep, err := Lag(t.Context(), cfg, time.Now(), group)
	if err != nil || len(rep.Groups) != 1 || len(rep.Groups[0].Partitions) > 0 {
		t.Errorf("a group that does not exist: %+v, %v", rep, err)
	}
	c.produce(t, topic, numbers(0, 30)...)
	o := offsetsOf(topic, 3, 4)
	announced := o[topic][1]
	announced.Metadata = intent{hi: 7, n: 4, sum: 1, try: 2}.note("ab")
	o[topic][1] = announced
	if err := c.adm.CommitAllOffsets(t.Context(), group, o); err != nil {
		t.Fatal(err)
	}
	if rep, err = Lag(t.Context(), cfg, time.Now(), group); err != nil {
		t.Fatal(err)
	}
	g := rep.Groups[0]
	if g.Lag != 18 || len(g.Partitions) != 3 || len(rep.Open) > 0 || rep.LSOAge() != 0 {
		t.Fatalf("%+v", rep)
	}
	for i, p := range g.Partitions {
		if want := []int64{-1, 7, -1}[i]; p.Announced != want || p.Committed != 4 || p.Stable != 10 || p.End != 10 || p.Lag != 6 {
			t.Errorf("%+v, want announced %d", p, want)
		}
	}

	// An open transaction holds partition 0 back.
	id := c.prefix + ".open"
	cl := c.client(t, kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	c.produce(t, topic, numbers(0, 3)...)
	if rep, err = Lag(t.Context(), cfg, time.Now().Add(time.Minute), group); err != nil {
		t.Fatal(err)
	}
	if p := rep.Groups[0].Partitions[0]; p.Stable != 10 || p.End != 12 || p.Lag != 6 {
		t.Errorf("%+v", p)
	}
	if age := rep.LSOAge(); len(rep.Open) != 1 || rep.Open[0].ID != id || age < 30*time.Second || age > 2*time.Minute || len(rep.Open[0].Partitions[topic]) != 1 {
		t.Errorf("open transactions %+v", rep.Open)
	}
	if err := cl.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

func TestSendControl(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	want := []schema.Control{
		{Kind: schema.ControlKillSwitch, Value: "on", Actor: "ana", Time: 1_700_000_000_000},
		{Tenant: "acme", Kind: schema.ControlCase, Object: "i-1", Actor: "ana", Time: 1_700_000_000_001},
	}
	for _, k := range want {
		if err := SendControl(t.Context(), cfg, k); err != nil {
			t.Fatal(err)
		}
	}
	if err := SendControl(t.Context(), cfg, schema.Control{}); err == nil {
		t.Error("a control record without a kind was sent")
	}
	var got []string
	if err := ReadCompacted(t.Context(), cfg, pipeline.TopicControl, func(r pipeline.Record) error {
		var k schema.Control
		if err := k.DecodeWire(r.Value); err != nil {
			return err
		}
		got = append(got, fmt.Sprintf("%q %v at %d", r.Key, k, r.Time))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if w := []string{
		fmt.Sprintf("%q %v at 1700000000000", "\x00kill_switch\x00", want[0]),
		fmt.Sprintf("%q %v at 1700000000001", "acme\x00case\x00i-1", want[1]),
	}; fmt.Sprint(got) != fmt.Sprint(w) {
		t.Errorf("got %v, want %v", got, w)
	}
}
