package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

// elsewhere is another process over the same library.
func (w *world) elsewhere(feeds ...fact.Feed) *Service {
	w.t.Helper()
	cfg := w.cfg
	cfg.Feeds = feeds
	s, err := New(cfg, w.ports, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Error(err)
	}
	return s
}

// TestFollow: what other processes do with feeds is known to the one that runs, and no
// alarm is raised over a feed that others have filled.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upload := httpFeed("up", func(f *fact.Feed) { f.URL, f.Transport, f.Silence = "", fact.TransportUpload, 15*time.Minute })
		pulled := httpFeed("pulled", func(f *fact.Feed) { f.Every, f.Silence = 19*time.Minute, 20*time.Minute })
		w := newWorld(t, upload, pulled)
		w.scripts["pulled"] = func(_ context.Context, n int) pullScript {
			if n == 1 {
				return pullScript{err: errors.New("503 Service Unavailable")}
			}
			return pullScript{text: fmt.Sprint(n)}
		}
		s := w.service()
		by := func(d time.Duration, do func()) {
			go func() {
				time.Sleep(d)
				do()
			}()
		}
		fill := func(f fact.Feed, lines ...string) {
			imp, err := w.ports.Library.Begin(t.Context(), &f, "x.txt", fact.Replace, time.Now())
			if err != nil {
				t.Error(err)
				return
			}
			for _, l := range lines {
				err = errors.Join(err, imp.Said(1, fact.Said{Indicator: schema.Indicator{Value: l}}))
			}
			if _, e := imp.Commit(nil); err != nil || e != nil {
				t.Error(err, e)
			}
		}
		by(15*time.Minute-time.Millisecond, func() { fill(upload, "a", "b") }) // just before the alarm
		by(30*time.Second, func() {
			if _, _, err := w.elsewhere(pulled).PullOnce(t.Context(), "pulled"); err != nil {
				t.Error(err)
			}
		})
		by(5*time.Minute, func() { fill(httpFeed("hand", nil), "c") })
		w.run(s, 15*time.Minute+10*time.Second)
		for name, want := range map[string]struct {
			indicators float64
			configured float64
			good       time.Duration
		}{"up": {2, 1, 15*time.Minute - time.Millisecond}, "pulled": {1, 1, 30 * time.Second}, "hand": {1, 0, 5 * time.Minute}} {
			f := w.feedStatus(s, name)
			if f.LastGood.Time().Sub(w.start).Round(time.Second) != want.good.Round(time.Second) || f.Failures != 0 || f.Error != "" || f.LastNews != f.LastGood {
				t.Errorf("%s: %+v", name, f)
			}
			for metric, v := range map[string]float64{"indicators": want.indicators, "configured": want.configured, "failures": 0, "silent": 0,
				"last_success_seconds": float64(f.LastGood) / 1000} {
				if got := gathered(t, s, "interdict_intel_feed_"+metric, name); got != v {
					t.Errorf("%s: %s is %v, want %v", name, metric, got, v)
				}
			}
			if w.logged("another process has taken a feed", "feed="+name+" ") != 1 {
				t.Errorf("%s: not told", name)
			}
		}
		if n := w.logged("feed=up", "silent"); n != 0 {
			t.Errorf("an alarm over a feed that was filled: %s", w.log.String())
		}
		// Pulled by hand at 30 s it is due 19 minutes after, not after the back-off.
		w.times("pulled", 0, 30*time.Second)
		if n := w.logged("another process"); n != 3 {
			t.Errorf("%d times told of three", n)
		}
		w.run(s, 20*time.Minute) // silent from now on
		if w.logged("ERROR", "silent", "feed=up ") != 1 {
			t.Error("no alarm")
		}
		w.mu.Lock()
		delete(w.books, "hand")
		delete(w.books, "up")
		delete(w.stored, "up")
		w.mu.Unlock()
		if f := w.feedStatus(s, "up"); f.Last != (Report{}) || !f.Configured {
			t.Errorf("a feed that was removed: %+v", f)
		}
		st, err := s.Status()
		if err != nil || len(st.Feeds) != 2 {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// TestFollowOwn: what this process does is its own, also where the library's times are
// a little earlier, and a pull by hand of a failing feed counts on.
func TestFollowOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil), fileFeed("b"))
		w.scripts["a"] = func(_ context.Context, n int) pullScript {
			return pullScript{text: "x", after: 30 * time.Second, res: fetch.Result{NotModified: n > 2}}
		}
		w.scripts["b"] = func(context.Context, int) pullScript { return pullScript{err: errors.New("no feed at all")} }
		w.seen = func(string) fetch.Seen { return fetch.Seen{Print: "bad", Changed: true, Settled: true} }
		s := w.service()
		w.run(s, 150*time.Second) // b: 0, 1 min
		if w.logged("another process") != 0 {
			t.Errorf("log: %s", w.log.String())
		}
		if _, _, err := w.elsewhere(fileFeed("b")).PullOnce(t.Context(), "b"); err == nil {
			t.Error("no error")
		}
		if f := w.feedStatus(s, "b"); f.Failures != 3 || gathered(t, s, "interdict_intel_feed_failures", "b") != 3 {
			t.Errorf("%+v", f)
		}
		w.run(s, 3*time.Minute+30*time.Second)
		w.times("b", 0, time.Minute, 150*time.Second) // by hand: four minutes from there
	})
}

// TestFollowBound: feeds that nobody configured are known up to a bound.
func TestFollowBound(t *testing.T) {
	w := newWorld(t, httpFeed("z", nil))
	if err := w.cfg.Validate(); err != nil { // completes the feed
		t.Fatal(err)
	}
	for i := range maxStrangers + 10 {
		name := fmt.Sprintf("f%05d", i)
		w.books[name] = Stored{Name: name, Pulled: 1}
	}
	w.books["z"] = Stored{Name: "z", Place: place(&w.cfg.Feeds[0]), Pulled: 1, Failures: 7}
	s := w.service()
	if st, err := s.Status(); err != nil || len(st.Feeds) != maxStrangers+1 {
		t.Errorf("%d feeds, %v", len(st.Feeds), err)
	}
	if v := gathered(t, s, "interdict_intel_feed_failures", "z"); v != 7 {
		t.Errorf("a configured feed has %v failures", v)
	}
}

// brokenLibrary cannot be looked at.
type brokenLibrary struct{ Library }

func (brokenLibrary) Stamp() (uint64, error) { return 0, errors.New("input/output error") }

// TestFollowBroken: a library that cannot be read is told of, not taken for an empty one.
func TestFollowBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("a", nil))
		w.ports.Library = brokenLibrary{w.ports.Library}
		s := w.service()
		w.run(s, 12*time.Second)
		st, err := s.Status()
		if err == nil || len(st.Feeds) != 1 || st.Feeds[0].Last.Indicators != 1 || w.logged("WARN", "input/output error") != 1 {
			t.Errorf("%+v, %v", st, err)
		}
		reg := prometheus.NewRegistry()
		reg.MustRegister(s)
		if _, err := reg.Gather(); err == nil {
			t.Error("metrics without an error")
		}
	})
}

// TestFollowIsCheap: a library in which nothing is done is not read.
func TestFollowIsCheap(t *testing.T) {
	w := newFolderWorld(t, "*.txt")
	w.write("a.txt", "a.example\n")
	w.tick()
	reads := &countingLibrary{Folder: Folder{w.l}}
	w.ports.Library = reads
	s := w.service()
	if w.feedStatus(s, "drop").Last.Indicators != 1 {
		t.Error("not known")
	}
	before := reads.n
	for range 3 {
		w.feedStatus(s, "drop")
	}
	if reads.n != before {
		t.Errorf("read %d times where nothing was done", reads.n-before)
	}
	f := fact.DefaultFeed()
	f.Name, f.File = "other", "/feeds/other"
	if err := (Folder{library.Open(w.library, library.DefaultConfig())}).Failed(t.Context(), &f, errors.New("no such file"), w.now, w.now); err != nil {
		t.Fatal(err)
	}
	if f := w.feedStatus(s, "other"); f.Failures != 1 {
		t.Errorf("%+v", f)
	}
}

type countingLibrary struct {
	Folder
	n int
}

func (l *countingLibrary) Feeds() ([]Stored, error) {
	l.n++
	return l.Folder.Feeds()
}
