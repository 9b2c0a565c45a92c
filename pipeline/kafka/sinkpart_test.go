package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// TestBudgetProperty: whatever inserts cost and however wrong estimates are,
// no stretch of time sees more than published.
func TestBudgetProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.5, 50).Draw(t, "rate")
		now := time.Unix(0, 0)
		b := newBudget(rate, now)
		type spent struct{ at, cost float64 }
		var log []spent
		estimate, largest := 1.0, 1.0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if wait := b.take(now, estimate); wait > 0 {
				now = now.Add(wait)
				if again := b.take(now, estimate); again > 0 {
					t.Fatalf("after waiting %s, wait %s", wait, again)
				}
			}
			cost := float64(rapid.IntRange(1, 40).Draw(t, "cost"))
			b.settle(estimate, cost)
			log = append(log, spent{float64(now.UnixNano()) / 1e9, cost})
			estimate, largest = cost, max(largest, cost)
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause")) * time.Millisecond)
		}
		for i := range log {
			sum := 0.0
			for j := i; j < len(log); j++ {
				sum += log[j].cost
				if limit := rate*(log[j].at-log[i].at) + max(1, rate) + largest; sum > limit+1e-6 {
					t.Fatalf("%.1f blocks in %.3fs, limit %.1f", sum, log[j].at-log[i].at, limit)
				}
			}
		}
	})
}

// TestPartProperty: however records come and ranges are cut, every record is in one
// range, in order, and positions never go back.
func TestPartProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &sinkPart{at: tp{"t", 0}, id: "id", compact: rapid.Bool().Draw(t, "compact")}
		sc := DefaultSinkConfig()
		sc.Rows = rapid.IntRange(1, 20).Draw(t, "rows")
		limit := int64(rapid.IntRange(1, 4000).Draw(t, "limit"))
		now, offset := time.Unix(0, 0), int64(0)
		var given, landed []int64
		var held int64
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "pause")) * time.Millisecond)
			if rapid.Bool().Draw(t, "read") {
				r := &kgo.Record{Offset: offset + int64(rapid.IntRange(0, 3).Draw(t, "gap")), Value: make([]byte, rapid.IntRange(0, 500).Draw(t, "size"))}
				n, err := p.add(r, now)
				if err != nil {
					t.Fatal(err)
				}
				held += n
				offset = r.Offset + 1
				given = append(given, r.Offset)
				continue
			}
			if at, ok := p.due(&sc); p.flight == nil && ok && !at.After(now) {
				f := p.cut(limit, now)
				if f.bytes > limit && len(f.rng.Records) > 1 {
					t.Fatalf("a range of %d records has %d bytes, limit %d", len(f.rng.Records), f.bytes, limit)
				}
				if (f.in == nil) != (p.compact || len(f.rng.Records) == 0) {
					t.Fatalf("intent %v, compact %v, %d records", f.in, p.compact, len(f.rng.Records))
				}
			} else if f := p.flight; f != nil {
				for _, r := range f.rng.Records {
					if r.Offset < f.rng.Lo || r.Offset > f.rng.Hi {
						t.Fatalf("offset %d outside %d to %d", r.Offset, f.rng.Lo, f.rng.Hi)
					}
					landed = append(landed, r.Offset)
				}
				was := p.committed
				held -= p.land()
				if p.committed < was || p.committed > offset {
					t.Fatalf("position went from %d to %d, read up to %d", was, p.committed, offset)
				}
				if next := len(landed); next < len(given) && given[next] < p.committed {
					t.Fatalf("position %d is past offset %d, which has not landed", p.committed, given[next])
				}
			}
		}
		if held != p.bytes || fmt.Sprint(landed) != fmt.Sprint(given[:len(landed)]) {
			t.Fatalf("held %d and %d bytes; landed %v of %v", held, p.bytes, landed, given)
		}
		if p.flight == nil && p.next > p.committed {
			if _, ok := p.due(&sc); !ok {
				t.Fatal("something is left and will never be due")
			}
		}
	})
}

func TestIntentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := intent{hi: rapid.Int64Min(0).Draw(t, "hi"), n: rapid.IntMin(1).Draw(t, "n"), sum: rapid.Uint64().Draw(t, "sum"), try: rapid.IntMin(0).Draw(t, "try")}
		note := in.note("0123456789abcdef0123456789abcdef")
		id, got, err := parseNote(note)
		if err != nil || got == nil || *got != in || id != "0123456789abcdef0123456789abcdef" {
			t.Fatalf("%q gave %q, %+v, %v", note, id, got, err)
		}
		if len(note) >= 4096 {
			t.Fatalf("%d bytes", len(note))
		}
	})
	if id, in, err := parseNote(sinkNote("ab")); id != "ab" || in != nil || err != nil {
		t.Errorf("%q, %v, %v", id, in, err)
	}
}

// TestSumRecords: any change to what a record is changes the sum.
func TestSumRecords(t *testing.T) {
	recs := func() []pipeline.Record {
		return []pipeline.Record{{Offset: 1, Key: []byte("ab"), Value: []byte("cd"), Headers: []pipeline.Header{{Key: "h", Value: []byte("v")}}}, {Offset: 2, Value: []byte{}}}
	}
	seen := map[uint64]string{sumRecords(recs()): "unchanged"}
	for name, change := range map[string]func([]pipeline.Record){
		"offset": func(r []pipeline.Record) { r[1].Offset = 3 }, "key": func(r []pipeline.Record) { r[0].Key = nil },
		"moved": func(r []pipeline.Record) { r[0].Key, r[0].Value = []byte("a"), []byte("bcd") },
		"value": func(r []pipeline.Record) { r[0].Value[1]++ }, "tombstone": func(r []pipeline.Record) { r[1].Value = nil },
		"header": func(r []pipeline.Record) { r[0].Headers[0].Value = nil }, "headers": func(r []pipeline.Record) { r[0].Headers = nil },
	} {
		x := recs()
		change(x)
		if other, ok := seen[sumRecords(x)]; ok {
			t.Errorf("%s and %s have the same sum", name, other)
		}
		seen[sumRecords(x)] = name
	}
	x := recs()
	x[0].Time = 99
	if sumRecords(x) != sumRecords(recs()) {
		t.Error("the time counts")
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add("")
	f.Add("member-id-of-some-tool")
	f.Add(sinkNote("ab"))
	f.Add(intent{hi: 5, n: 3, sum: 7, try: 1}.note("ab"))
	f.Add(notePrefix + "ab intent hi=5 n=3 sum=07 try=1 ")
	f.Fuzz(func(t *testing.T, s string) {
		id, in, err := parseNote(s)
		if err != nil {
			return
		}
		switch {
		case !strings.HasPrefix(s, notePrefix):
			if id != "" || in != nil {
				t.Fatalf("%q gave %q, %v", s, id, in)
			}
		case in == nil:
			if sinkNote(id) != s {
				t.Fatalf("%q gave %q", s, id)
			}
		case in.note(id) != s:
			t.Fatalf("%q gave %q, %+v", s, id, in)
		}
	})
}
