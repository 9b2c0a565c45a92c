package pipeline

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

const minute = schema.Minute

func topicsOf(names ...string) func(string) []string { return func(string) []string { return names } }

// mark is a watermark record of tenant "t"; times are in minutes.
func mark(topic string, partition, of int32, created, now schema.Millis, idle bool) *schema.Watermark {
	return &schema.Watermark{Tenant: "t", Topic: topic, Partition: partition, Partitions: of, MaxCreated: created * minute, Now: now * minute, Idle: idle}
}

// TestClock: what holds time back and what does not. Lateness is 10 minutes.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		raw   []string
		marks []*schema.Watermark
		want  schema.Millis // watermark in minutes
		held  string        // topic/partition that holds it; empty: none
	}{
		{"one partition", []string{"r"}, []*schema.Watermark{mark("r", 0, 1, 100, 100, false)}, 90, "r/0"},
		{"the least of two", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 80, 100, false)}, 70, "r/1"},
		{"never back", []string{"r"}, []*schema.Watermark{mark("r", 0, 1, 100, 100, false), mark("r", 0, 1, 50, 101, false)}, 90, "r/0"},
		{"an unknown partition holds", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false)}, 0, "r/1"},
		{"an unknown topic holds", []string{"r", "s"}, []*schema.Watermark{mark("r", 0, 1, 100, 100, false)}, 0, "s/0"},
		{"but not for ever", []string{"r", "s"}, []*schema.Watermark{mark("r", 0, 1, 100, 100, false), mark("r", 0, 1, 111, 111, false)}, 101, "r/0"},
		{"just not yet", []string{"r", "s"}, []*schema.Watermark{mark("r", 0, 1, 100, 100, false), mark("r", 0, 1, 110, 110, false)}, 0, "s/0"},
		{"a partition without an event holds", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 0, 100, false)}, 0, "r/1"},
		{"an idle one does not", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 0, 100, true)}, 90, "r/0"},
		{"an idle one that lags does not", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 20, 100, true)}, 90, "r/0"},
		{"one that goes on does", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 20, 100, true), mark("r", 1, 2, 21, 101, false)}, 90, "r/1"},
		{"all idle: the newest", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, true), mark("r", 1, 2, 80, 100, true)}, 90, ""},
		{"a stuck one is left out", []string{"r"}, []*schema.Watermark{mark("r", 0, 2, 100, 100, false), mark("r", 1, 2, 50, 100, false), mark("r", 0, 2, 111, 111, false)}, 101, "r/0"},
		{"nothing yet", []string{"r"}, []*schema.Watermark{mark("r", 0, 1, 0, 100, true)}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newClock(10*minute, topicsOf(c.raw...))
			for _, w := range c.marks {
				k.observe(w)
			}
			u := k.tenants["t"]
			held, _, _ := u.holder(k.lateness)
			at := ""
			if held.topic != "" {
				at = fmt.Sprintf("%s/%d", held.topic, held.partition)
			}
			if u.watermark != c.want*minute || at != c.held {
				t.Errorf("watermark %d, held by %q; want %d, %q", u.watermark/minute, at, c.want, c.held)
			}
		})
	}
}

// TestTicks: time is told when it has moved, not for each record.
func TestTicks(t *testing.T) {
	k := newClock(minute, topicsOf("r"))
	at := func(created, now schema.Millis) bool {
		tick, due := k.observe(&schema.Watermark{Tenant: "t", Topic: "r", Partitions: 1, MaxCreated: created, Now: now})
		if tick.Tenant != "t" || tick.Now != k.tenants["t"].now || tick.Watermark != k.tenants["t"].watermark {
			t.Errorf("tick %+v", tick)
		}
		return due
	}
	start := schema.Hour
	for i, c := range []struct {
		created, now schema.Millis
		due          bool
	}{
		{start, start, true}, {start + 1, start + 1, false}, {start + 9999, start + 999, false},
		{start + 10_000, start + 999, true}, {start + 10_001, start + 1000, false}, {start + 10_001, start + 1999, true},
	} {
		if got := at(c.created, c.now); got != c.due {
			t.Errorf("record %d: due %t", i, got)
		}
	}
}

// TestTenantsHaveTimesOfTheirOwn: a forged time of one tenant moves no other one,
// though they share a shard.
func TestTenantsHaveTimesOfTheirOwn(t *testing.T) {
	k := newClock(minute, topicsOf("r"))
	k.observe(&schema.Watermark{Tenant: "victim", Topic: "r", Partitions: 1, MaxCreated: schema.Hour, Now: schema.Hour})
	k.see("attacker", 1<<60)
	tick, _ := k.observe(&schema.Watermark{Tenant: "victim", Topic: "r", Partitions: 1, MaxCreated: 2 * schema.Hour, Now: 2 * schema.Hour})
	if tick.Now != 2*schema.Hour || tick.Watermark != 2*schema.Hour-minute {
		t.Errorf("the victim's time is %+v", tick)
	}
}

// drawMarks draws a log of watermark records of two tenants.
func drawMarks(t *rapid.T) []*schema.Watermark {
	now := schema.Hour
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *schema.Watermark {
		now += schema.Millis(rapid.IntRange(-2000, 90_000).Draw(t, "step"))
		w := &schema.Watermark{Tenant: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant"), Topic: rapid.SampledFrom([]string{"r", "s", "u"}).Draw(t, "topic"),
			Partitions: int32(rapid.IntRange(1, 3).Draw(t, "partitions")), Idle: rapid.IntRange(0, 4).Draw(t, "idle") == 0, Now: now}
		w.Partition = int32(rapid.IntRange(0, int(w.Partitions)-1).Draw(t, "partition"))
		if rapid.IntRange(0, 5).Draw(t, "has events") > 0 {
			w.MaxCreated = now - schema.Millis(rapid.IntRange(-60_000, 900_000).Draw(t, "lag"))
		}
		return w
	}), 1, 60).Draw(t, "marks")
}

// TestClockIsAFunctionOfItsLog: the same records give the same ticks, also with
// the clock copied or stored and restored in between, and with records whose
// memory is overwritten; and the watermark never decreases.
func TestClockIsAFunctionOfItsLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := drawMarks(t)
		plain, other := newClock(10*minute, topicsOf("r", "s")), newClock(10*minute, topicsOf("r", "s"))
		last := map[string]schema.Millis{}
		for i, w := range marks {
			tick, due := plain.observe(w)
			switch rapid.IntRange(0, 3).Draw(t, "meanwhile") {
			case 1:
				old := other
				other = other.clone()
				old.observe(&schema.Watermark{Tenant: "a", Topic: "x", Partitions: 9, MaxCreated: 1 << 50, Now: 1 << 50}) // must not reach the copy
			case 2:
				other = reload(t, other)
			}
			recs := logOf(0, logEntry(schema.AppendWatermarkEntry(nil, w), 0))
			var x schema.Watermark
			_, body, err := schema.DecodeEntry(recs[0].Value)
			if err == nil {
				err = x.DecodeWire(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			tick2, due2 := other.observe(&x)
			scribble(recs)
			if tick != tick2 || due != due2 {
				t.Fatalf("record %d: %+v %t, then %+v %t", i, tick, due, tick2, due2)
			}
			if tick.Watermark < last[tick.Tenant] || tick.Now < w.Now && tick.Now < plain.tenants[w.Tenant].now {
				t.Fatalf("record %d: time went back: %+v", i, tick)
			}
			if reached := plain.tenants[w.Tenant].parts[partKey{w.Topic, w.Partition}].maxCreated; !w.Idle && tick.Watermark > max(last[tick.Tenant], reached-10*minute) {
				t.Fatalf("record %d: watermark %v is past what an active partition has reached, %v", i, tick.Watermark, reached)
			}
			last[tick.Tenant] = tick.Watermark
		}
		if !reflect.DeepEqual(plain.state(), other.state()) {
			t.Fatalf("states differ:\n%+v\n%+v", plain.state(), other.state())
		}
	})
}

func reload(t *rapid.T, c *clock) *clock {
	b, err := json.Marshal(c.state())
	if err != nil {
		t.Fatal(err)
	}
	var s clockState
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	n := newClock(c.lateness, c.expected)
	s.restore(n)
	if again, _ := json.Marshal(n.state()); !slices.Equal(again, b) {
		t.Fatalf("restored %s of %s", again, b)
	}
	return n
}

// TestClockStateTakesAnyTime: a forged time far beyond what RFC 3339 can write
// must not make a snapshot that cannot be read.
func TestClockStateTakesAnyTime(t *testing.T) {
	k := newClock(minute, topicsOf("r"))
	k.observe(&schema.Watermark{Tenant: "t", Topic: "r", Partitions: 1, MaxCreated: 1 << 61, Now: 1 << 62})
	b, err := json.Marshal(k.state())
	if err != nil {
		t.Fatal(err)
	}
	var s clockState
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	n := newClock(minute, topicsOf("r"))
	s.restore(n)
	if n.now != 1<<62 || !reflect.DeepEqual(n.state(), k.state()) {
		t.Errorf("restored %+v", n.state())
	}
}
