package service

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
)

const hour = time.Hour

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("hourly", nil), httpFeed("daily", func(f *fact.Feed) { f.Every = 24 * hour }))
		w.scripts["hourly"] = func(_ context.Context, n int) pullScript {
			return pullScript{text: strings.Repeat("x\n", n), res: fetch.Result{NotModified: n == 2}}
		}
		s := w.service()
		w.run(s, 3*hour+time.Minute)
		w.times("hourly", 0, hour, 2*hour, 3*hour)
		w.times("daily", 0)
		if w.states["hourly"][0] != "" || w.states["hourly"][1] != `"after pull 1"` || w.states["hourly"][2] != `"after pull 2"` || w.states["hourly"][3] != `"after pull 3"` {
			t.Errorf("pulls were given the states %q", w.states["hourly"])
		}
		if w.unmodified["hourly"] != 1 || w.commits != 4 || w.open != 0 || w.aborted != 0 {
			t.Errorf("%d not modified, %d commits, %d open, %d aborted, want 1, 4, 0, 0", w.unmodified["hourly"], w.commits, w.open, w.aborted)
		}
		if f := w.feedStatus(s, "hourly"); f.Due.Time() != w.start.Add(4*hour).UTC() || f.Last.Indicators != 4 || !f.Configured {
			t.Errorf("status %+v", f)
		}
	})
}

// TestBackoff wants the wait to double from a minute to six hours, and to begin
// anew after a pull that succeeded.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil))
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			if n == 12 {
				return pullScript{text: "x"}
			}
			return pullScript{err: errors.New("500 Internal Server Error")}
		}
		s := w.service()
		w.run(s, 30*hour+time.Second)
		const m = time.Minute
		at := []time.Duration{0}
		for _, wait := range []time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m, 6 * hour, 6 * hour, hour, m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m} {
			if at[len(at)-1]+wait <= 30*hour {
				at = append(at, at[len(at)-1]+wait)
			}
		}
		w.times("a", at...)
		if f := w.feedStatus(s, "a"); f.Failures != len(at)-12 || !strings.Contains(f.Error, "500") || f.LastGood == 0 {
			t.Errorf("status %+v, want %d failures", f, len(at)-12)
		}
		if len(w.failed["a"]) != len(at)-1 {
			t.Errorf("the library was told of %d failures, want %d", len(w.failed["a"]), len(at)-1)
		}
	})
}

// TestBackoffChance wants chance to spread retries, never beyond the bounds' order.
func TestBackoffChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("b", nil))
		w.ports.Chance = func() float64 { return 0.5 }
		w.scripts["a"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("broken")} }
		w.run(w.service(), 2*hour)
		w.times("a", 0, 54*time.Second, 162*time.Second, 378*time.Second, 810*time.Second, 1674*time.Second, 3402*time.Second, 6858*time.Second)
		w.times("b", 0, 61*time.Minute+30*time.Second)
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("gone", nil), httpFeed("soon", nil))
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			return pullScript{err: &lateError{time.Now().Add(20 * hour)}}
		}
		w.scripts["soon"] = func(_ context.Context, n int) pullScript { // sooner than the back-off: not followed
			return pullScript{err: &lateError{time.Now().Add(time.Second)}}
		}
		w.scripts["gone"] = func(context.Context, int) pullScript { return pullScript{err: errPermanent} }
		w.run(w.service(), 21*hour)
		w.times("a", 0, 20*hour)
		w.times("gone", 0, hour, 2*hour, 3*hour, 4*hour, 5*hour, 6*hour, 7*hour+4*time.Minute, 9*hour+12*time.Minute, 13*hour+28*time.Minute, 19*hour+28*time.Minute)
		if w.pulls["soon"][1] < time.Minute-time.Second {
			t.Errorf("pulled again after %s", w.pulls["soon"][1])
		}
	})
}

// TestRestart wants a service that starts again to go on where it was: what is
// not due is not pulled, what fell due meanwhile is, and failures count on.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("b", func(f *fact.Feed) { f.Every = 12 * hour }), httpFeed("broken", nil))
		w.scripts["broken"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("broken")} }
		w.run(w.service(), 10*time.Minute) // broken: 0, 1, 3, 7
		w.run(w.service(), 2*time.Minute)  // nothing is due
		w.times("a", 0)
		w.times("b", 0)
		w.times("broken", 0, time.Minute, 3*time.Minute, 7*time.Minute)
		time.Sleep(2 * hour)
		s := w.service()
		w.run(s, time.Minute)
		w.times("a", 0, 2*hour+12*time.Minute)
		w.times("b", 0)
		w.times("broken", 0, time.Minute, 3*time.Minute, 7*time.Minute, 2*hour+12*time.Minute)
		if f := w.feedStatus(s, "broken"); f.Failures != 5 {
			t.Errorf("%d failures, want 5", f.Failures)
		}
		if w.states["a"][1] != `"after pull 1"` {
			t.Errorf("the pull after the restart was given the state %q", w.states["a"][1])
		}
	})
}

// TestConfigurationChanges wants a feed that is got elsewhere to be due, one with a
// shorter interval sooner, and one that is gone to stay in status.
func TestConfigurationChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := func(f *fact.Feed) { f.Every = 24 * hour }
		w := newWorld(t, httpFeed("moved", day), httpFeed("shorter", day), httpFeed("gone", day), httpFeed("same", day))
		w.run(w.service(), hour)
		w.cfg.Feeds = []fact.Feed{httpFeed("moved", func(f *fact.Feed) { day(f); f.URL += "/v2" }), httpFeed("shorter", func(f *fact.Feed) { f.Every = 2 * hour }), httpFeed("same", day)}
		s := w.service()
		w.run(s, 2*hour)
		w.times("moved", 0, hour)
		w.times("shorter", 0, 2*hour)
		w.times("same", 0)
		w.times("gone", 0)
		if f := w.feedStatus(s, "gone"); f.Configured || f.Last.Indicators != 1 || f.Due != 0 {
			t.Errorf("status of a feed that is not configured: %+v", f)
		}
		if f := w.feedStatus(s, "same"); !f.Configured {
			t.Errorf("status of a feed that is configured: %+v", f)
		}
	})
}

// TestClockSetBack wants a due time that lies beyond reason not to stop a feed.
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("b", nil))
		w.scripts["b"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("broken")} }
		ahead := 1000 * hour
		w.ports.Now = func() time.Time { return time.Now().Add(ahead) }
		w.run(w.service(), time.Second)
		ahead = 0
		s := w.service()
		w.run(s, 70*time.Minute)
		if len(w.pulls["a"]) != 2 || len(w.pulls["b"]) < 2 {
			t.Errorf("pulled at %v and %v after the clock was set back", w.pulls["a"], w.pulls["b"])
		}
		ahead = -500 * hour // while it runs
		n := len(w.pulls["a"])
		w.run(s, 3*hour)
		if len(w.pulls["a"]) < n+2 {
			t.Errorf("pulled at %v after the clock was set back again", w.pulls["a"][n:])
		}
	})
}

// fileFeed is a feed of files.
func fileFeed(name string) fact.Feed {
	f := fact.DefaultFeed()
	f.Name, f.File, f.Every = name, "/feeds/"+name, hour
	return f
}

// TestWatch wants files to be looked at every tick, and the looks that find
// nothing neither to be written down nor to be told.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fileFeed("a"))
		looks := 0
		w.seen = func(string) fetch.Seen {
			looks++
			return fetch.Seen{Changed: looks == 100, Settled: true}
		}
		w.scripts["a"] = func(_ context.Context, n int) pullScript { return pullScript{text: strings.Repeat("x\n", n)} }
		s := w.service()
		w.run(s, 10*time.Minute+time.Second)
		w.times("a", 0, 99*5*time.Second)
		if looks != 121 {
			t.Errorf("looked %d times in 10 minutes, want 121", looks)
		}
		if w.commits != 2 || w.unmodified["a"] != 0 || w.logged("pulled") != 2 {
			t.Errorf("%d commits, %d times told the library of nothing, log: %s", w.commits, w.unmodified["a"], w.log.String())
		}
		if d := w.published[len(w.published)-1] - w.pulls["a"][1]; d > time.Second {
			t.Errorf("the change was published %s after it was seen", d)
		}
		if f := w.feedStatus(s, "a"); f.LastGood.Time().Sub(w.start) < 10*time.Minute {
			t.Errorf("last looked at %s", f.LastGood)
		}
	})
}

// TestFilesAreLookedAt: files are pulled when they have changed and are whole, and now
// and then whatever they look like.
func TestFilesAreLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fileFeed("a"))
		w.cfg.Tick = time.Minute
		w.seen = func(string) fetch.Seen {
			at := time.Since(w.start)
			return fetch.Seen{Changed: at >= 10*time.Minute && at < 12*time.Minute, Settled: at >= 11*time.Minute}
		}
		w.run(w.service(), 2*hour+time.Second)
		w.times("a", 0, 11*time.Minute, 71*time.Minute)
		if len(w.failed["a"]) > 0 {
			t.Errorf("failed %q", w.failed["a"])
		}
	})
}

// TestFileBackoff: what could not be used is tried again at once when it is another and
// has been left alone; as it is, after the back-off.
func TestFileBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fileFeed("a"))
		const m = time.Minute
		w.seen = func(string) fetch.Seen {
			x := fetch.Seen{Print: "bad", Changed: true, Settled: true}
			switch at := time.Since(w.start); {
			case at >= 20*m+30*time.Second: // repaired
				x.Print, x.Changed = "good", at < 20*m+31*time.Second
			case at >= 20*m+20*time.Second:
				x.Print, x.Settled = "half", false
			case at >= 10*m+10*time.Second: // bad otherwise
				x.Print = "worse"
			}
			return x
		}
		w.scripts["a"] = func(context.Context, int) pullScript {
			if time.Since(w.start) < 20*m+30*time.Second {
				return pullScript{err: errors.New("no feed at all")}
			}
			return pullScript{text: "x"}
		}
		s := w.service()
		w.run(s, 20*m+10*time.Second)
		w.times("a", 0, m, 3*m, 7*m, 10*m+10*time.Second)
		if f := w.feedStatus(s, "a"); f.Failures != 5 || len(w.failed["a"]) != 5 || f.LastGood != 0 {
			t.Errorf("a file that stays bad is no good news: %+v", f)
		}
		w.run(s, 25*time.Second)
		w.times("a", 0, m, 3*m, 7*m, 10*m+10*time.Second, 20*m+30*time.Second)
		if f := w.feedStatus(s, "a"); f.Failures != 0 || f.Error != "" || w.has("a") != 1 {
			t.Errorf("a file that was repaired: %+v", f)
		}
	})
}
