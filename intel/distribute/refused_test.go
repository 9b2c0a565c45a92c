package distribute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestRefusedByRules follows a publisher of another build, whose rules admit what those
// of this one refuse: it is left out, counted, and the follower stays in step.
func TestRefusedByRules(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0), indicator(2, 0), indicator(3, 0))
	w.publish()
	v := w.worker(t.TempDir(), nil)
	v.settle()
	const apart = 0x1ead_beef_0bad_cafe // what the indicator that is refused adds to the id
	suffix := schema.Indicator{ID: "indicator--suffix", Feed: "feed-0", Type: schema.ObservableDomain, Value: "co.uk", Verdict: schema.VerdictMalicious}
	if match.Check(suffix) == nil {
		t.Fatal("this build's rules admit it")
	}
	// theirs is the content of the publisher but for what is refused here.
	theirs, err := w.lib.index()
	if err != nil {
		t.Fatal(err)
	}
	seq, has := uint64(w.clock.now().UnixMilli()), uint64(0)
	list := func(added uint64, changes ...match.Change) {
		t.Helper()
		var taken []match.Change
		for _, c := range changes {
			if c.Op == match.Remove || match.Check(c.Indicator) == nil {
				taken = append(taken, c)
			}
		}
		next, _, err := theirs.Apply(taken)
		if err != nil {
			t.Fatal(err)
		}
		seq++
		records, err := encodeList(schema.IndicatorDelta{Seq: seq, Before: theirs.ID() + has, After: next.ID() + added, Made: schema.FromTime(w.clock.now())}, changes)
		if err != nil {
			t.Fatal(err)
		}
		w.log.append(records)
		theirs, has = next, added
	}
	add := func(i schema.Indicator) match.Change { return match.Change{Op: match.Add, Indicator: i} }
	step := func(what string, lacking int) {
		t.Helper()
		v.settle()
		if s := v.f.Status(); s.State != StateFollowing || s.Lacking != lacking || len(s.Resyncs) != 0 || s.Content != ContentID(theirs.ID()) {
			t.Fatalf("%s: %+v, the rest has content %d", what, s, theirs.ID())
		}
	}
	list(apart, add(indicator(4, 0)), add(suffix), add(indicator(5, 0)))
	step("one is refused", 1)
	list(apart, add(indicator(6, 0)))
	list(apart, match.Change{Op: match.Remove, Indicator: indicator(1, 0)})
	step("lists behind it", 1)
	other := suffix
	other.Value, other.ID = "github.io", "indicator--other"
	list(2*apart, add(other), add(indicator(6, 7)))
	step("another", 2)
	list(apart, match.Change{Op: match.Remove, Indicator: known(&other)})
	list(0, match.Change{Op: match.Remove, Indicator: known(&suffix)}, add(indicator(7, 0)))
	step("they are gone", 0)

	// A snapshot of the same content has what was left out: it is asked for, and where
	// it cannot be had nothing is worse than before.
	list(apart, add(suffix))
	step("again", 1)
	seq++
	ref := schema.IndicatorSnapshot{Seq: seq, Content: theirs.ID() + apart, Hash: [32]byte{1}, Size: 1, Made: schema.FromTime(w.clock.now()), Locations: []string{"nowhere"}}
	w.log.append([][]byte{schema.AppendSnapshotEntry(nil, &ref)})
	step("a reference", 1)
	if s := v.f.Status(); s.BadSnapshots != 1 {
		t.Errorf("the snapshot was not asked for: %+v", s)
	}

	// A change that is lost is seen as ever, also while one is left out.
	theirs, _, err = theirs.Apply([]match.Change{add(indicator(8, 0))})
	if err != nil {
		t.Fatal(err)
	}
	list(apart, add(indicator(9, 0)))
	v.settle()
	if s := v.f.Status(); s.Resyncs["gap"] == 0 || s.State != StateOutOfStep {
		t.Errorf("after a gap: %+v", s)
	}
}

// TestRefusedTakesThePlace: what a refused indicator replaces does not match any more,
// and a list that does not lead to its id is not excused by one that was refused before.
func TestRefusedTakesThePlace(t *testing.T) {
	bad := schema.Indicator{ID: "indicator--1", Feed: "acme", Type: schema.ObservableDomain, Value: "a.bad.example", Verdict: schema.VerdictMalicious}
	worse := bad
	worse.Confidence = 200
	x, err := match.Build(match.DefaultConfig(), []schema.Indicator{bad})
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(x, 1, 0)
	take := func(d schema.IndicatorDelta, changes ...match.Change) {
		t.Helper()
		for i := range changes {
			d.Changes = append(d.Changes, toWire(&changes[i]))
		}
		if got := c.take(&d, 1); got != stepTaken {
			t.Fatalf("step %d", got)
		}
	}
	refused := 0
	note := func(*schema.Indicator, error) { refused++ }
	take(schema.IndicatorDelta{Seq: 2, Before: x.ID(), After: 77}, match.Change{Op: match.Add, Indicator: worse})
	if n, err := c.flush(note); err != nil || n != 1 || refused != 1 || c.x.Len() != 0 || c.content() != 77 {
		t.Fatalf("%d, %v, %d refused, %d left, content %d", n, err, refused, c.x.Len(), c.content())
	}
	take(schema.IndicatorDelta{Seq: 3, Before: 77, After: 78}, match.Change{Op: match.Add, Indicator: indicator(3, 0)})
	if _, err := c.flush(note); err == nil {
		t.Error("a list that leads to another content was applied")
	}
	c = newChain(x, 1, 0)
	c.x, err = match.Build(match.DefaultConfig(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from <= maxRefused; from += 5000 {
		var changes []match.Change
		for n := range 5000 {
			i := worse
			i.ID = fmt.Sprint(from + n)
			changes = append(changes, match.Change{Op: match.Add, Indicator: i})
		}
		take(schema.IndicatorDelta{Seq: uint64(from + 2), Before: c.content(), After: uint64(from + 5000)}, changes...)
		if _, err = c.flush(note); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "rules of this build") {
		t.Errorf("too many are refused: %v", err)
	}
}

// awayLog is a log whose broker is away.
type awayLog struct {
	Log
	err func() error
}

func (l *awayLog) Bounds(context.Context) (int64, int64, error) {
	if err := l.err(); err != nil {
		return 0, 0, err
	}
	return 0, 0, nil
}

func (l *awayLog) Poll(ctx context.Context, from int64, _ func(int64, []byte) error) (int64, int64, error) {
	pause(ctx, time.Second)
	return from, from, l.err()
}

// TestAway: a broker that is away for a day costs a few lines in the log, not one each
// second, and what is new about it is told at once.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var holder match.Holder
		began := time.Now()
		log := &awayLog{err: func() error {
			switch at := time.Since(began); {
			case at < 8*time.Hour:
				return errors.New("connection refused")
			case at < 16*time.Hour:
				return fmt.Errorf("read from port %d: reset", at/time.Second%1000)
			case at < 24*time.Hour:
				return errors.New("not authorized")
			case at > 25*time.Hour && at < 25*time.Hour+time.Minute:
				return errors.New("connection refused")
			}
			return nil
		}}
		f, err := NewFollower(DefaultFollowerConfig(), t.TempDir(), log, nil, &holder, FollowerSettings{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 26*time.Hour)
		defer cancel()
		if err := f.Run(ctx); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(out.String(), "cannot be read, trying again")
		if lines < 20 || lines > 150 {
			t.Errorf("%d lines about a day", lines)
		}
		if n := strings.Count(out.String(), "can be read again"); n != 2 {
			t.Errorf("%d lines about the end of two outages", n)
		}
		for text, most := range map[string]int{"connection refused": 60, "not authorized": 40} {
			if n := strings.Count(out.String(), text); n < 2 || n > most {
				t.Errorf("%d lines with %q", n, text)
			}
		}
		if s := f.Status(); s.LogErrors < 80_000 {
			t.Errorf("%d errors are counted", s.LogErrors)
		}
	})
}
