package service

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
)

// TestWholePulls plays a MISP feed, which tells which events changed but not what
// they no longer say, and wants it pulled whole once a day if it changed.
func TestWholePulls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("misp", func(f *fact.Feed) { f.Transport = fact.TransportMISP }))
		w.scripts["misp"] = func(_ context.Context, n int) pullScript {
			whole := w.states["misp"][n-1] == ""
			x := pullScript{text: "event", res: fetch.Result{Mode: fact.Update, Whole: true, Full: whole}}
			switch {
			case whole && n == 1:
				x.text = "event\nremoved later\n"
			case n == 2:
				x.text = "new"
			case whole:
				x.text = "event\nnew\n"
			default:
				x.res.NotModified = true
			}
			return x
		}
		w.run(w.service(), 12*hour)
		if got := strings.Join(w.stored["misp"], " "); got != "new event removed later" {
			t.Errorf("stored %q after an update", got)
		}
		w.run(w.service(), 14*hour) // what is owed survives the restart
		if got := strings.Join(w.stored["misp"], " "); got != "event new" {
			t.Errorf("stored %q after a day, want what the feed still says", got)
		}
		w.run(w.service(), 100*hour)
		if w.commits != 3 {
			t.Errorf("%d commits: pulled whole although nothing changed", w.commits)
		}
	})
}

// TestMeaningChanges wants a pull whose end shows that it was of all there is, or
// of less than that, to be taken for that.
func TestMeaningChanges(t *testing.T) {
	taxii := func(f *fact.Feed) { f.Transport, f.Collection = fact.TransportTAXII, "c" }
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", taxii))
		w.scripts["a"] = func(_ context.Context, n int) pullScript { // at the second pull the state is of no use any more
			return pullScript{text: []string{"", "old", "new", "new", "newer"}[n], res: fetch.Result{Mode: fact.Update, Full: n <= 3}}
		}
		w.run(w.service(), 2*hour+time.Minute)
		w.times("a", 0, hour, hour, 2*hour)
		if w.states["a"][1] == "" || w.states["a"][2] != "" || w.states["a"][3] == "" {
			t.Errorf("states %q", w.states["a"])
		}
		if got := strings.Join(w.stored["a"], " "); got != "newer new" || w.open != 0 {
			t.Errorf("stored %q, %d open", got, w.open)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a whole pull with parts missing
		w := newWorld(t, httpFeed("a", func(f *fact.Feed) { f.Transport = fact.TransportMISP }))
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			x := pullScript{text: "event", res: fetch.Result{Mode: fact.Update, Whole: true, Full: w.states["a"][n-1] == ""}}
			if x.res.Full && n > 1 {
				x.res.Skipped = []string{"other: 500"}
			} else if n == 2 {
				x.text = "other"
			}
			return x
		}
		w.run(w.service(), 30*hour+time.Minute)
		if n := len(w.pulls["a"]); n != 32 {
			t.Errorf("%d pulls in 30 hours, want one more than one an hour", n)
		}
		if got := len(w.stored["a"]); got != 2 || w.modes[len(w.modes)-1] != fact.Update {
			t.Errorf("stored %q: what could not be had was thrown away", w.stored["a"])
		}
	})
	synctest.Test(t, func(t *testing.T) { // a fetcher that never means the same
		w := newWorld(t, httpFeed("a", taxii))
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			return pullScript{text: "x", res: fetch.Result{Mode: fact.Update, Full: n%2 == 0}}
		}
		w.run(w.service(), hour+time.Second)
		w.times("a", 0, hour, hour)
		if w.commits != 1 || w.logged("what the parts mean changed") != 1 || w.open != 0 {
			t.Errorf("%d commits, log %s", w.commits, w.log.String())
		}
	})
}

func TestDamagedMemory(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "5", `"x"`, `{"full":"x"}`, "\x00"} {
		if m := remember([]byte(text)); m.Fetch != nil || m.Full != 0 || m.Owes {
			t.Errorf("remembered %+v from %q", m, text)
		}
	}
}

// TestOwes: a pull from nothing settles what is owed only if it had all there is. A
// feed that has moved would otherwise keep for ever what its old place said.
func TestOwes(t *testing.T) {
	for _, c := range []struct {
		before bool
		res    fetch.Result
		want   bool
	}{
		{true, fetch.Result{Full: true, Whole: true}, false},
		{false, fetch.Result{Full: true, Whole: true, Skipped: []string{"x: 404"}}, true},
		{true, fetch.Result{Full: true, Skipped: []string{"x: 404"}}, true},
		{false, fetch.Result{Whole: true}, true},
		{false, fetch.Result{Gone: []string{"x"}}, true},
		{false, fetch.Result{Whole: true, NotModified: true}, false},
		{true, fetch.Result{NotModified: true}, true},
		{false, fetch.Result{}, false},
	} {
		text, err := memory{Owes: c.before}.after(&c.res, time.Unix(1e9, 0))
		if m := remember(text); err != nil || m.Owes != c.want || (m.Full != 0) != c.res.Full {
			t.Errorf("%+v from %v: %s, %v", c.res, c.before, text, err)
		}
	}
}
