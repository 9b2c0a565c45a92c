package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
)

// TestParallel wants so many pulls at one time and no more, the longest due first,
// and commits one at a time (the library of the test sees to it).
func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var feeds []fact.Feed
		for i := range 9 {
			feeds = append(feeds, httpFeed(fmt.Sprintf("f%d", i), func(f *fact.Feed) { f.Every = 24 * hour }))
		}
		w := newWorld(t, feeds...)
		w.cfg.Parallel = 3
		w.commitDelay = time.Second
		for i := range 9 {
			w.scripts[fmt.Sprintf("f%d", i)] = func(context.Context, int) pullScript { return pullScript{text: "x", after: time.Minute} }
		}
		w.run(w.service(), 10*time.Minute)
		if w.most != 3 || w.commits != 9 || w.open != 0 {
			t.Errorf("%d pulls at one time, %d commits, %d open, want 3, 9, 0", w.most, w.commits, w.open)
		}
	})
}

// TestOrder wants the feed that has been due the longest to be first.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("b", nil), httpFeed("c", nil))
		w.cfg.Parallel = 1
		if err := w.cfg.Validate(); err != nil { // completes the feeds
			t.Fatal(err)
		}
		for i, name := range []string{"b", "c", "a"} {
			w.book(&w.cfg.Feeds[strings.Index("abc", name)], time.Now(), time.Now().Add(time.Duration(i)*time.Minute), nil)
			w.scripts[name] = func(context.Context, int) pullScript { return pullScript{text: "x", after: time.Minute} }
		}
		time.Sleep(10 * time.Minute)
		w.start = time.Now()
		w.run(w.service(), 5*time.Minute)
		w.times("b", 0)
		w.times("c", time.Minute)
		w.times("a", 2*time.Minute)
	})
}

// TestPublishAtStart wants what was committed before the last end to be published.
func TestPublishAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run(w.service(), time.Second)
		if len(w.published) != 1 {
			t.Errorf("%d publications at the start, want 1", len(w.published))
		}
	})
}

// TestIsolation wants feeds that are broken in all ways to fail alone.
func TestIsolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"panics", "fails", "hangs", "unparsable", "good"}
		var feeds []fact.Feed
		for _, n := range names {
			feeds = append(feeds, httpFeed(n, nil))
		}
		w := newWorld(t, feeds...)
		w.cfg.PullTimeout = 10 * time.Minute
		w.scripts["panics"] = func(context.Context, int) pullScript { return pullScript{text: "x\npanic\n"} }
		w.scripts["fails"] = func(context.Context, int) pullScript {
			return pullScript{text: "x", err: errors.New("connection reset")}
		}
		w.scripts["hangs"] = func(context.Context, int) pullScript { return pullScript{text: "x", hang: true} }
		w.scripts["unparsable"] = func(context.Context, int) pullScript { return pullScript{text: "x\nfail"} }
		s := w.service()
		w.run(s, 5*hour+time.Minute)
		w.times("good", 0, hour, 2*hour, 3*hour, 4*hour, 5*hour)
		if len(w.stored) != 1 || len(w.stored["good"]) != 1 {
			t.Errorf("stored %v, want only what is good", w.stored)
		}
		if w.open != 0 || w.aborted == 0 {
			t.Errorf("%d imports are open, %d aborted", w.open, w.aborted)
		}
		for _, x := range []struct{ feed, want string }{
			{"panics", "panic: index out of range"}, {"fails", "connection reset"}, {"hangs", "took too long (10m0s)"}, {"unparsable", "no such format"},
		} {
			f := w.feedStatus(s, x.feed)
			if f.Failures < 5 || !strings.Contains(f.Error, x.want) || f.LastGood != 0 {
				t.Errorf("feed %s: %+v, want an error with %q", x.feed, f, x.want)
			}
			if len(w.failed[x.feed]) != f.Failures {
				t.Errorf("feed %s: the library was told of %d failures, want %d", x.feed, len(w.failed[x.feed]), f.Failures)
			}
		}
		if w.logged("feed=panics", "stack=", "parseLines") == 0 {
			t.Error("the log does not say where the parser panicked")
		}
	})
}

// TestCommitFails wants a commit that fails to be an error like another, and the
// state of the pull not to be kept.
func TestCommitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil))
		w.commitErr = errors.New("disk is full")
		s := w.service()
		w.run(s, 30*time.Second)
		w.commitErr = nil
		w.run(s, time.Minute)
		if w.states["a"][1] != "" || w.aborted != 1 || len(w.stored["a"]) != 1 || w.logged("disk is full") != 1 {
			t.Errorf("states %q, %d aborted, stored %v", w.states["a"], w.aborted, w.stored)
		}
	})
}

// TestCommitPanics wants a library that panics over a feed to cost that feed.
func TestCommitPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("b", nil))
		w.commitPanics = "a"
		s := w.service()
		w.run(s, time.Second)
		if f := w.feedStatus(s, "a"); f.Failures != 1 || !strings.Contains(f.Error, "panic") || w.has("b") != 1 || w.open != 0 {
			t.Errorf("status %+v, %d of b, %d open", f, w.has("b"), w.open)
		}
	})
}

// TestShutdown wants a stop in the middle of a pull to abort the import, and the
// pull to count as not made: it is due at the next start.
func TestShutdown(t *testing.T) {
	for name, script := range map[string]pullScript{
		"in the fetch": {text: "x", hang: true},
		"before it":    {text: "x", after: hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, httpFeed("a", nil))
				w.scripts["a"] = func(_ context.Context, n int) pullScript {
					if n == 1 {
						return script
					}
					return pullScript{text: "x"}
				}
				w.run(w.service(), time.Minute)
				if w.open != 0 || w.commits != 0 || len(w.failed["a"]) != 0 || w.logged("not pulled") != 0 {
					t.Errorf("%d open, %d commits, failures %q after the stop", w.open, w.commits, w.failed["a"])
				}
				s := w.service()
				w.run(s, time.Second)
				w.times("a", 0, time.Minute)
				if f := w.feedStatus(s, "a"); f.Failures != 0 || w.commits != 1 {
					t.Errorf("status %+v after %d commits", f, w.commits)
				}
			})
		})
	}
}

// TestSilence wants one alarm when a feed brings nothing new, however it does so,
// and its end when something comes.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alarmed := func(f *fact.Feed) { f.Silence = 6 * hour }
		w := newWorld(t, httpFeed("same", alarmed), httpFeed("broken", alarmed), httpFeed("unmodified", alarmed), httpFeed("lively", alarmed), httpFeed("never", alarmed), httpFeed("free", nil))
		lively := func(_ context.Context, n int) pullScript { return pullScript{text: fmt.Sprint(n)} }
		w.scripts["lively"] = lively
		w.scripts["never"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("broken")} }
		w.scripts["broken"] = func(_ context.Context, n int) pullScript {
			if n == 1 {
				return pullScript{text: "x"}
			}
			return pullScript{err: errors.New("broken")}
		}
		w.scripts["unmodified"] = func(_ context.Context, n int) pullScript {
			return pullScript{text: "x", res: fetch.Result{NotModified: n > 1}}
		}
		s := w.service()
		at := func(want int) {
			t.Helper()
			for _, feed := range []string{"same", "broken", "unmodified"} {
				if n := w.logged("ERROR", "feed is silent", "feed="+feed+" "); n != want {
					t.Errorf("feed %s: %d alarms, want %d", feed, n, want)
				}
				f := w.feedStatus(s, feed)
				if silent := f.Silent != 0; silent != (want > 0) || silent && f.Silent.Time().Sub(w.start).Abs() > time.Second {
					t.Errorf("feed %s: silent since %s", feed, f.Silent)
				}
				if v := gathered(t, s, "interdict_intel_feed_silent", feed); v != float64(want) {
					t.Errorf("feed %s: metric %v, want %d", feed, v, want)
				}
			}
		}
		w.run(s, 6*hour-time.Second)
		at(0)
		w.run(s, 12*hour)
		at(1)
		if f := w.feedStatus(s, "never"); f.Silent == 0 || w.logged("feed is silent", "feed=never ") != 1 {
			t.Errorf("a feed that never brought anything: %+v", f)
		}
		s = w.service() // a restart is no second alarm
		w.run(s, hour)
		at(1)
		for _, feed := range []string{"same", "broken", "unmodified"} {
			w.scripts[feed] = lively
		}
		w.run(s, 8*hour)
		for _, feed := range []string{"same", "broken", "unmodified"} {
			if w.feedStatus(s, feed).Silent != 0 || gathered(t, s, "interdict_intel_feed_silent", feed) != 0 || w.logged("INFO", "no longer silent", "feed="+feed) != 1 {
				t.Errorf("feed %s is still silent", feed)
			}
		}
		if w.logged("silent", "feed=lively")+w.logged("silent", "feed=free") != 0 {
			t.Error("alarm for a feed that brings something, or that may be silent")
		}
	})
}

// TestPublish wants commits to be published together, each soon, and a publication
// that fails to be tried again until it succeeds.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var feeds []fact.Feed
		for i := range 20 {
			feeds = append(feeds, httpFeed(fmt.Sprintf("f%d", i), func(f *fact.Feed) { f.Every = 24 * hour }))
		}
		w := newWorld(t, feeds...)
		w.publishDelay = time.Second
		w.publishErr = func(n int) error {
			if n >= 3 && n < 8 {
				return errors.New("no broker")
			}
			return nil
		}
		w.commitDelay = 200 * time.Millisecond
		s := w.service()
		w.run(s, 5*time.Second) // 20 commits in 4 seconds; the publications 3 to 7 fail
		if lag := s.lag(); lag < time.Second || gathered(t, s, "interdict_intel_publish_lag_seconds", "") != lag.Seconds() {
			t.Errorf("lag %s while nothing can be published", lag)
		}
		st, err := s.Status()
		if err != nil || st.PublishError == "" || st.PublishLag == 0 {
			t.Errorf("status %+v, %v", st, err)
		}
		w.run(s, 5*time.Minute)
		if s.lag() != 0 || w.storedAtPublishing != 20 {
			t.Errorf("lag %s and %d of 20 published", s.lag(), w.storedAtPublishing)
		}
		if n := len(w.published); n > 6 {
			t.Errorf("%d publications for 20 commits", n)
		}
		if n := w.logged("not published"); n < 1 || n > 2 { // once for each run: a stop cuts the outage
			t.Errorf("%d lines of one outage", n)
		}
	})
}

func TestPullOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), httpFeed("broken", nil), httpFeed("sent", func(f *fact.Feed) { f.URL, f.Transport = "", fact.TransportUpload }))
		w.scripts["broken"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("broken"), hang: true} }
		s := w.service()
		for range 2 { // whenever it is due
			if rep, _, err := s.PullOnce(t.Context(), "a"); err != nil || rep.Indicators != 1 {
				t.Errorf("report %+v, error %v", rep, err)
			}
		}
		for _, name := range []string{"sent", "none"} {
			if _, _, err := s.PullOnce(t.Context(), name); !errors.Is(err, ErrUnknown) {
				t.Errorf("feed %s: error %v", name, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := make(chan error)
		go func() {
			_, _, err := s.PullOnce(ctx, "broken")
			done <- err
		}()
		synctest.Wait()
		if _, _, err := s.PullOnce(t.Context(), "broken"); !errors.Is(err, ErrBusy) {
			t.Errorf("a second pull at the same time: %v", err)
		}
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if names := s.Names(); len(names) != 2 || names[0] != "a" {
			t.Errorf("names %v", names)
		}
		w.run(w.service(), 30*time.Minute) // a was pulled a moment ago
		w.times("a", 0, 0)
	})
}

// TestPullShrunk: a pull for which somebody lets a feed shrink gets all of it, tells the
// library so, and is told of in the log and in the status, also by another process.
func TestPullShrunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := httpFeed("a", func(f *fact.Feed) { f.Transport = fact.TransportMISP })
		w := newWorld(t, f)
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			return pullScript{text: "x", res: fetch.Result{Mode: fact.Update, Full: n != 2}}
		}
		s := w.service()
		for range 2 {
			if _, _, err := s.PullOnce(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if _, _, err := w.elsewhere(f).PullShrunk(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if st := w.states["a"]; len(st) != 3 || st[1] == "" || st[2] != "" || w.modes[2] != fact.Replace {
			t.Errorf("pulled with the states %q, as %v", st, w.modes)
		}
		if w.shrinks[0] != 90 || w.shrinks[2] != 0 {
			t.Errorf("the library was told of max_shrink %v", w.shrinks)
		}
		if x := w.feedStatus(s, "a"); !strings.Contains(x.Origin, "--accept-shrink") || w.logged("another process", "--accept-shrink") != 1 {
			t.Errorf("%+v", x)
		}
		if _, _, err := s.PullShrunk(t.Context(), "a"); err != nil || w.logged("feed pulled", "--accept-shrink") != 1 {
			t.Errorf("%v: %s", err, w.log.String())
		}
	})
}

// gathered gives a metric of the service, of a feed.
func gathered(t *testing.T, s *Service, name, feed string) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(s)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != name || feed != "" && m.GetLabel()[len(m.GetLabel())-1].GetValue() != feed {
				continue
			}
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s of %q", name, feed)
	return 0
}
