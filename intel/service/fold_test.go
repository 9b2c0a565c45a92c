package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// uploadWorld is a world with a journal of uploads and a feed for them.
func uploadWorld(t *testing.T) (*world, fact.Feed) {
	f := fact.DefaultFeed()
	f.Name, f.Transport, f.Format = "upload-acme", fact.TransportUpload, fact.FormatSTIX
	w := newWorld(t, f)
	w.cfg.UploadDir = filepath.Join(t.TempDir(), "uploads")
	w.ports.Parse = parseStrings
	return w, f
}

// accept writes one request for each text to the journal.
func accept(t testing.TB, s *Service, f fact.Feed, texts ...string) {
	t.Helper()
	for _, x := range texts {
		n, err := s.journal.Queue(f.Name).Append(&upload.Record{Time: schema.FromTime(s.ports.Now()), Feed: f, Objects: uploads(strings.Split(x, ",")...)})
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
}

// start runs a service until the returned function is called.
func (s *Service) start(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// lines gives what is stored of a feed, in order.
func (w *world) lines(feed string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(w.stored[feed])), " ")
}

// TestFold: what is accepted is in the library, and published, within a second; what
// comes together is one commit; a restart finds what waited.
func TestFold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		s := w.service()
		accept(t, s, f, "a", "b,refuse")
		s = w.service()
		stop := s.start(t)
		time.Sleep(time.Second)
		if got := w.lines(f.Name); got != "a b" || w.commits != 1 {
			t.Errorf("stored %s in %d commits", got, w.commits)
		}
		time.Sleep(time.Hour)
		before := w.commits
		for _, x := range []string{"c", "d", "a"} {
			accept(t, s, f, x)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		w.mu.Lock()
		if w.commits != before+1 || w.storedAtPublishing != 4 || w.open != 0 {
			t.Errorf("%d commits, %d of 4 published, %d open", w.commits-before, w.storedAtPublishing, w.open)
		}
		w.mu.Unlock()
		if list := s.Waiting(); len(list) != 0 {
			t.Errorf("waiting: %+v", list)
		}
		stop()
	})
}

// TestFoldPace sends all the time, and wants no more than eight commits in any minute and
// what is sent to be live soon, or where commits take long, in time for how long.
func TestFoldPace(t *testing.T) {
	for _, x := range []struct {
		takes   time.Duration
		most    int // commits in a minute
		stalest time.Duration
	}{{20 * time.Millisecond, 8, foldEvery + time.Second}, {1400 * time.Millisecond, 6, 18 * time.Second}, {15 * time.Second, 1, maxRest + 32*time.Second}} {
		t.Run(x.takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, f := uploadWorld(t)
				w.commitDelay = x.takes
				s := w.service()
				stop := s.start(t)
				var at []time.Time
				var stalest time.Duration
				for n := range 400 {
					accept(t, s, f, fmt.Sprint(n))
					time.Sleep(time.Second / 2)
					w.mu.Lock()
					if w.commits > len(at) {
						at = append(at, time.Now())
					}
					w.mu.Unlock()
					if list := s.Waiting(); len(list) > 0 {
						stalest = max(stalest, time.Since(list[0].Since.Time()))
					}
				}
				time.Sleep(2 * time.Minute)
				if n := w.has(f.Name); n != 400 {
					t.Errorf("%d are stored, want 400", n)
				}
				stop()
				most := 0
				for i := range at {
					n := 0
					for _, y := range at[i:] {
						if y.Sub(at[i]) < time.Minute {
							n++
						}
					}
					most = max(most, n)
				}
				if most > x.most || stalest > x.stalest {
					t.Errorf("%d commits within a minute, want at most %d; what waited longest waited %s, want at most %s", most, x.most, stalest, x.stalest)
				}
			})
		})
	}
}

// TestFoldWhenFull folds before the pace would have it where much waits.
func TestFoldWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		w.cfg.Upload.MaxWaiting = 32 << 10
		w.commitDelay = 10 * time.Second
		s := w.service()
		stop := s.start(t)
		accept(t, s, f, "a")
		time.Sleep(15 * time.Second) // one commit, and a rest begun
		accept(t, s, f, "b")
		time.Sleep(11 * time.Second)
		if got := w.lines(f.Name); got != "a" {
			t.Errorf("stored %s: there was no rest", got)
		}
		accept(t, s, f, strings.Repeat("c", 8<<10))
		time.Sleep(11 * time.Second)
		if n := w.has(f.Name); n != 3 {
			t.Errorf("%d stored, want 3", n)
		}
		stop()
	})
}

// TestFoldFails: what the library does not take stays, is tried again, and the status
// tells.
func TestFoldFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		s := w.service()
		w.commitErr = errors.New("disk is full")
		stop := s.start(t)
		accept(t, s, f, "a", "b", "c", "d", "e")
		time.Sleep(10 * time.Minute)
		if x := w.feedStatus(s, f.Name); x.Failures < 12 || x.Failures > 25 || !strings.Contains(x.Error, "disk is full") {
			t.Errorf("status %+v", x)
		}
		if list := s.Waiting(); len(list) != 1 || list[0].Requests != 5 || time.Since(list[0].Since.Time()) < 9*time.Minute {
			t.Errorf("waiting: %+v", list)
		}
		if n := w.logged("another process has taken"); n != 0 {
			t.Errorf("%d failures count as another process's", n)
		}
		if n := len(w.failed[f.Name]); n == 0 || gathered(t, s, "interdict_intel_feed_failures", f.Name) == 0 {
			t.Errorf("the library was told %d times", n)
		}
		w.mu.Lock()
		w.commitErr = nil
		w.mu.Unlock()
		time.Sleep(foldRetryMax + 5*time.Second)
		if got := w.lines(f.Name); got != "a b c d e" || w.open != 0 {
			t.Errorf("stored %s, %d open", got, w.open)
		}
		if x := w.feedStatus(s, f.Name); x.Failures != 0 || x.Error != "" {
			t.Errorf("status %+v", x)
		}
		stop()
	})
}

// picky is a library that takes no more than so many facts in one commit, and panics over
// poison.
type picky struct {
	fakeLibrary
	most int
}

func (l picky) Begin(ctx context.Context, f *fact.Feed, origin string, mode fact.Mode, now time.Time) (Import, error) {
	imp, err := l.fakeLibrary.Begin(ctx, f, origin, mode, now)
	return &pickyImport{imp.(*fakeImport), l.most}, err
}

type pickyImport struct {
	*fakeImport
	most int
}

func (i *pickyImport) Commit(state []byte) (Report, error) {
	if slices.Contains(i.lines, "poison") {
		panic("slice bounds out of range")
	}
	if len(i.lines) > i.most {
		return Report{}, errors.New("too many")
	}
	return i.fakeImport.Commit(state)
}

// TestFoldInParts: requests that the library does not take together are tried in parts,
// and one that makes it panic is set aside, alone.
func TestFoldInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		w.ports.Library = picky{fakeLibrary{w}, 10}
		s := w.service()
		for n := range 50 {
			text := fmt.Sprintf("v%02d", n)
			if n == 30 {
				text = "poison"
			}
			accept(t, s, f, text)
		}
		stop := s.start(t)
		time.Sleep(10 * time.Minute)
		if n := w.has(f.Name); n != 49 || w.open != 0 {
			t.Errorf("%d are stored, want 49; %d open", n, w.open)
		}
		if list := s.Waiting(); len(list) != 1 || list[0].Requests != 0 || list[0].Bytes != 0 || list[0].Aside == 0 {
			t.Errorf("waiting: %+v", list)
		}
		if n := w.logged("cannot be taken", "slice bounds"); n != 1 {
			t.Errorf("%d are told to be set aside: %s", n, w.log.String())
		}
		stop()
	})
}

// TestFoldUnreadable: what cannot be parsed any more is set aside and keeps nobody else's
// back, even if it makes the parser panic.
func TestFoldUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		s := w.service()
		accept(t, s, f, "a", "b,fail", "c", "panic", "d", "library", "refuse")
		stop := s.start(t)
		time.Sleep(time.Second)
		if got := w.lines(f.Name); got != "a c d" || w.open != 0 {
			t.Errorf("stored %s, %d open", got, w.open)
		}
		if n := w.logged("cannot be taken"); n != 2 {
			t.Errorf("%d are told to be set aside: %s", n, w.log.String())
		}
		if list := s.Waiting(); len(list) != 1 || list[0].Requests != 0 || list[0].Aside == 0 {
			t.Errorf("waiting: %+v", list)
		}
		accept(t, s, f, "library") // of which nothing is taken any more
		time.Sleep(time.Minute)
		if list := s.Waiting(); list[0].Requests != 0 || w.logged("nothing that is taken any more") != 1 {
			t.Errorf("waiting: %+v; %s", list, w.log.String())
		}
		stop()
	})
}

// TestFoldForOthers: what waits for a feed that is configured no more is folded with the
// settings it came with, and what was accepted for one tenant is shown to no other.
func TestFoldForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		gone := f
		gone.Name, gone.Tenant = "upload-gone", "acme"
		s := w.service()
		theirs := f
		theirs.Tenant = "acme"
		accept(t, s, f, "a")
		accept(t, s, theirs, "secret")
		accept(t, s, gone, "b")
		w.run(w.service(), time.Second)
		if got := w.lines(f.Name); got != "a" || w.logged("cannot be taken", "acme") != 1 {
			t.Errorf("stored %s: %s", got, w.log.String())
		}
		if x := w.books[gone.Name]; w.lines(gone.Name) != "b" || x.Tenant != "acme" {
			t.Errorf("stored %q of %+v", w.lines(gone.Name), x)
		}
	})
}

// TestFoldForPulled: what waits is not mixed into a feed of the same name that is pulled.
func TestFoldForPulled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		accept(t, w.service(), f, "a")
		f.Transport, f.URL = fact.TransportHTTP, "https://feeds.example/acme"
		w.cfg.Feeds = []fact.Feed{f}
		s := w.service()
		w.run(s, 2*time.Second)
		if got := w.lines(f.Name); got != "" || w.logged("cannot be taken", "pulled by http") != 1 {
			t.Errorf("stored %q: %s", got, w.log.String())
		}
		if list := s.Waiting(); len(list) != 1 || list[0].Requests != 0 || list[0].Aside == 0 {
			t.Errorf("waiting: %+v", list)
		}
	})
}

// TestFoldStops: a stop leaves what waits, and what is being committed, to the next start.
func TestFoldStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := uploadWorld(t)
		s := w.service()
		parse := w.ports.Parse
		s.ports.Parse = func(ctx context.Context, in io.Reader, f *fact.Feed, part fact.Part, now schema.Millis, out fact.Sink) error {
			<-ctx.Done()
			return ctx.Err()
		}
		accept(t, s, f, "a")
		w.run(s, time.Minute)
		if n := w.has(f.Name); n != 0 || w.open != 0 || len(s.Waiting()) != 1 || w.logged("not in the library yet") != 0 {
			t.Errorf("%d stored, waiting %+v: %s", n, s.Waiting(), w.log.String())
		}
		w.ports.Parse = parse
		w.run(w.service(), time.Second)
		if got := w.lines(f.Name); got != "a" {
			t.Errorf("stored %s", got)
		}
	})
}
