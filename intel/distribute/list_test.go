package distribute

import (
	"errors"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// decodeAll gives the deltas of records.
func decodeAll(t *testing.T, records [][]byte) []schema.IndicatorDelta {
	t.Helper()
	list := make([]schema.IndicatorDelta, len(records))
	for i, r := range records {
		kind, body, err := schema.DecodeIndicatorEntry(r)
		if err != nil || kind != schema.IndicatorEntryDelta {
			t.Fatal(kind, err)
		}
		if err := list[i].DecodeWire(body); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestParts: a list that is too large for a record is cut, comes together again, and
// counts only when all of it is there.
func TestParts(t *testing.T) {
	x, err := match.Build(match.DefaultConfig(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var changes []match.Change
	for n := range 1500 {
		i := indicator(3*n, 0)
		i.Labels = []string{strings.Repeat("l", 700)}
		changes = append(changes, match.Change{Op: match.Add, Indicator: i})
	}
	changes = append(changes, match.Change{Op: match.Remove, Indicator: changes[0].Indicator})
	own, err := match.Build(match.DefaultConfig(), nil)
	if err != nil {
		t.Fatal(err)
	}
	own, _, err = own.Apply(changes)
	if err != nil {
		t.Fatal(err)
	}
	records, err := encodeList(schema.IndicatorDelta{Seq: 7, Before: x.ID(), After: own.ID()}, changes)
	if err != nil || len(records) < 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, r := range records {
		if len(r) > maxRecord {
			t.Errorf("record %d has %d bytes", i, len(r))
		}
	}
	parts := decodeAll(t, records)
	for i, p := range parts {
		if p.Part != uint32(i) || p.Parts != uint32(len(parts)) || p.Seq != 7 {
			t.Errorf("part %d: %d of %d, seq %d", i, p.Part, p.Parts, p.Seq)
		}
	}
	if c := parts[len(parts)-1].Changes; c[len(c)-1].Indicator.Labels != nil {
		t.Error("a removal carries what does not matter")
	}
	c := newChain(x, 0, 0)
	take := func(want step, p int) {
		t.Helper()
		if got := c.take(&parts[p], len(records[p])); got != want {
			t.Errorf("part %d: %d, want %d", p, got, want)
		}
	}
	take(stepTorn, 1) // the first is missing
	take(stepPart, 0)
	take(stepTorn, 2) // one between is
	take(stepPart, 0)
	take(stepTorn, 0) // begun again
	for p := 1; p < len(parts)-1; p++ {
		take(stepPart, p)
	}
	if c.content() != x.ID() {
		t.Error("a part of a list counts")
	}
	take(stepTaken, len(parts)-1)
	take(stepDuplicate, 0)
	if n, err := c.flush(nil); n != len(changes) || err != nil || c.x.ID() != own.ID() {
		t.Errorf("%d changes, %v", n, err)
	}
	c.seq = 0
	for p := range parts[:len(parts)-1] {
		take(stepPart, p)
	}
	take(stepDuplicate, len(parts)-1) // what comes out is here already
	huge := newChain(c.x, 0, 0)
	if got := huge.take(&parts[0], maxList+1); got != stepTorn || huge.parts != nil {
		t.Errorf("a list without bounds: %d", got)
	}
}

func TestTooLarge(t *testing.T) {
	i := indicator(0, 0)
	for range 200 {
		i.Labels = append(i.Labels, strings.Repeat("\xff", 2000))
	}
	c := match.Change{Op: match.Add, Indicator: i}
	if _, err := encodeList(schema.IndicatorDelta{}, []match.Change{c}); !errors.Is(err, errLarge) || fits(&c) {
		t.Errorf("%v", err)
	}
	if err := refusal(&match.Change{Op: 9, Indicator: indicator(1, 0)}); err == nil {
		t.Error("an operation that is none")
	}
}
