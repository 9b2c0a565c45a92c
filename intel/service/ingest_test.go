package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// parseStrings takes a value from each element of a JSON array of strings, by
// the rules of parseLines, and counts elements as lines.
func parseStrings(ctx context.Context, in io.Reader, f *fact.Feed, part fact.Part, now schema.Millis, out fact.Sink) error {
	var list []string
	if err := json.NewDecoder(in).Decode(&list); err != nil {
		return err
	}
	return parseLines(ctx, strings.NewReader(strings.Join(list, "\n")), f, part, now, out)
}

func uploads(texts ...string) (out []json.RawMessage) {
	for _, x := range texts {
		raw, _ := json.Marshal(x)
		out = append(out, raw)
	}
	return out
}

func TestIngest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, httpFeed("upload-acme", func(f *fact.Feed) { f.URL, f.Transport, f.Silence = "", fact.TransportUpload, 2*hour }))
		w.ports.Parse = parseStrings
		s := w.service()
		f := w.cfg.Feeds[0]
		other := fact.DefaultFeed()
		other.Name, other.Transport = "upload-other", fact.TransportUpload
		done := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		for _, x := range []struct {
			feed    fact.Feed
			objects []json.RawMessage
			refused []int
			fails   string
			stored  int
		}{
			{f, uploads("a", "refuse", "b"), []int{2}, "", 2},
			{f, uploads("a", "b"), nil, "", 2}, // a retry
			{f, uploads("c"), nil, "", 3},      // an update leaves the others
			{f, uploads("refuse", "refuse"), []int{1, 2}, "", 3},
			{f, uploads("library", "c", "library"), []int{1, 3}, "", 3},
			{f, uploads("library"), []int{1}, "", 3},
			{f, uploads("d", "panic"), nil, "panic", 3},
			{f, uploads("d", "fail"), nil, "no such format", 3},
			{other, uploads("a"), nil, "", 1},
		} {
			refused, err := s.Ingest(t.Context(), x.feed, x.objects)
			if x.fails == "" && err != nil || x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)) {
				t.Errorf("%s: error %v, want %q", x.objects, err, x.fails)
			}
			var lines []int
			for _, r := range refused {
				lines = append(lines, r.Line)
			}
			if len(lines) != len(x.refused) || len(lines) > 0 && lines[0] != x.refused[0] {
				t.Errorf("%s: refused %v, want %v", x.objects, lines, x.refused)
			}
			if n := w.has(x.feed.Name); n != x.stored {
				t.Errorf("%s: %d are stored, want %d", x.objects, n, x.stored)
			}
		}
		time.Sleep(time.Second)
		w.mu.Lock()
		if w.open != 0 || w.storedAtPublishing != 4 {
			t.Errorf("%d imports are open, %d of 4 published", w.open, w.storedAtPublishing)
		}
		full := errors.New("disk is full")
		w.commitErr = full
		w.mu.Unlock()
		if lag := s.lag(); lag != 0 {
			t.Errorf("lag %s", lag)
		}
		if _, err := s.Ingest(t.Context(), f, uploads("e")); !errors.Is(err, full) {
			t.Errorf("error %v, want that of the commit", err)
		}
		w.mu.Lock()
		w.commitErr = nil
		w.mu.Unlock()
		time.Sleep(2 * hour)
		if x := w.feedStatus(s, "upload-acme"); x.Silent == 0 || !x.Configured {
			t.Errorf("no alarm for uploads that do not come: %+v", x)
		}
		if _, err := s.Ingest(t.Context(), f, uploads("e")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if x := w.feedStatus(s, "upload-acme"); x.Silent != 0 || x.Last.Added != 1 {
			t.Errorf("the alarm is still on after an upload: %+v", x)
		}
		cancel()
		<-done
		if x := w.feedStatus(w.service(), "upload-other"); !x.Configured || x.Due != 0 {
			t.Errorf("a feed that is only uploaded, after a restart: %+v", x)
		}
	})
}

// TestIngestStops wants an upload that is cut off to leave nothing.
func TestIngestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ports.Parse = func(ctx context.Context, _ io.Reader, _ *fact.Feed, _ fact.Part, _ schema.Millis, _ fact.Sink) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		f := fact.DefaultFeed()
		f.Name, f.Transport = "upload-acme", fact.TransportUpload
		if _, err := w.service().Ingest(t.Context(), f, uploads("a")); !errors.Is(err, errTooLong) {
			t.Errorf("error %v", err)
		}
		if w.open != 0 || w.aborted != 1 {
			t.Errorf("%d imports are open, %d aborted", w.open, w.aborted)
		}
	})
}

// TestUploadsAreDerivedAnew: what was uploaded is derived anew although nobody sends
// anything, and what became of it is published.
func TestUploadsAreDerivedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fact.DefaultFeed()
		f.Name, f.Transport = "upload-acme", fact.TransportUpload
		w := newWorld(t, f)
		w.run(w.service(), 2*hour+time.Minute)
		if got := strings.Join(w.refreshed, ", "); got != "upload-acme 0s, upload-acme 1h0m0s, upload-acme 2h0m0s" {
			t.Errorf("derived anew: %s", got)
		}
		if len(w.published) == 0 {
			t.Error("never published")
		}
		w.refreshErr = errors.New("disk is full")
		w.run(w.service(), time.Minute)
		if w.logged("not derived anew", "disk is full") != 1 {
			t.Errorf("log %s", w.log.String())
		}
	})
}
