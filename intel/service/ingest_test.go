package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
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

// TestCheck: what can be taken and what not is known before anything is stored.
func TestCheck(t *testing.T) {
	w, trial := newWorld(t), newWorld(t)
	w.ports.Parse, w.ports.Trial = parseStrings, fakeLibrary{trial}
	s := w.service()
	f := fact.DefaultFeed()
	f.Name, f.Transport = "upload-acme", fact.TransportUpload
	for _, x := range []struct {
		objects []json.RawMessage
		useful  []bool
		refused []int
		fails   string
	}{
		{uploads("a", "refuse", "b"), []bool{true, false, true}, []int{2}, ""},
		{uploads("a"), []bool{true}, nil, ""},
		{uploads("refuse", "refuse"), []bool{false, false}, []int{1, 2}, ""},
		{uploads("library", "c", "library"), []bool{false, true, false}, []int{1, 3}, ""},
		{uploads("d", "panic"), nil, nil, "panic"},
		{uploads("d", "fail"), nil, nil, "no such format"},
	} {
		useful, refused, err := s.Check(t.Context(), f, x.objects)
		if x.fails == "" && err != nil || x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)) {
			t.Errorf("%s: error %v, want %q", x.objects, err, x.fails)
		}
		var lines []int
		for _, r := range refused {
			lines = append(lines, r.Line)
		}
		if !slices.Equal(lines, x.refused) || !slices.Equal(useful, x.useful) {
			t.Errorf("%s: refused %v, useful %v, want %v, %v", x.objects, lines, useful, x.refused, x.useful)
		}
	}
	if n := w.has(f.Name) + trial.has(f.Name); n != 0 || trial.open != 0 || w.open != 0 || trial.aborted != 6 {
		t.Errorf("%d are stored, %d of %d tries are open", n, trial.open, trial.aborted)
	}
}

// TestCheckStops wants a check that takes too long to leave nothing.
func TestCheckStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ports.Trial = fakeLibrary{w}
		w.ports.Parse = func(ctx context.Context, _ io.Reader, _ *fact.Feed, _ fact.Part, _ schema.Millis, _ fact.Sink) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		f := fact.DefaultFeed()
		f.Name, f.Transport = "upload-acme", fact.TransportUpload
		if _, _, err := w.service().Check(t.Context(), f, uploads("a")); !errors.Is(err, errTooLong) {
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
