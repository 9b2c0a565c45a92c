package intel

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

// pastWorld is a library, alerts, and what asking the past about them tells.
type pastWorld struct {
	t    *testing.T
	dir  string
	lib  *library.Library
	past *Past

	mu     sync.Mutex
	rows   []retro.Row
	told   []string // values
	had    map[schema.AlertID][]retro.Matched
	broken error // of the store
	deaf   error // of the log
	behind bool  // the index does not hold what is new
	asked  int
}

func newPastWorld(t *testing.T) *pastWorld {
	w := &pastWorld{t: t, dir: t.TempDir(), had: map[schema.AlertID][]retro.Matched{}}
	w.lib = library.Open(filepath.Join(w.dir, "indicators"), library.DefaultConfig())
	w.open()
	return w
}

func (w *pastWorld) open() {
	w.t.Helper()
	index := func() *match.Index {
		var list []schema.Indicator
		if _, err := w.lib.Each(w.t.Context(), func(i schema.Indicator) error { list = append(list, i); return nil }); err != nil {
			w.t.Error(err)
		}
		x, err := match.Build(match.DefaultConfig(), list)
		if err != nil {
			w.t.Error(err)
		}
		return x
	}
	var err error
	w.past, err = NewPast(PastConfig{Config: retro.DefaultConfig(), After: time.Minute}, w.dir, PastDeps{Library: w.lib, Finder: retro.Deps{Store: w, Emit: w.emit,
		Index: index, Decay: match.DefaultConfig().Decay, Tenants: func() []string { return []string{"acme"} }, Clock: time.Now},
		Holds:  func(time.Time) bool { w.mu.Lock(); defer w.mu.Unlock(); return !w.behind },
		Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = w.past.Open()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// run has the past asked for so long.
func (w *pastWorld) run(d time.Duration, during func()) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- w.past.Run(ctx) }()
	if during != nil {
		during()
	}
	return <-ended
}

func (w *pastWorld) Entities(_ context.Context, q retro.Query) (list []retro.Row, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	for _, r := range w.rows {
		if r.Time >= q.From && r.Time < q.To && q.Answers(&r.Entity) {
			list = append(list, r)
		}
	}
	return list, w.broken
}

func (w *pastWorld) Alerts(_ context.Context, _ string, ids []schema.AlertID, _ []string) (list []retro.Alert, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		list = append(list, retro.Alert{ID: id, Matched: w.had[id]})
	}
	return list, w.broken
}

func (w *pastWorld) emit(_ context.Context, found []schema.RetroMatch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf != nil {
		return w.deaf
	}
	for i := range found {
		m := &found[i]
		w.told = append(w.told, m.Match.Value)
		w.had[m.Alert] = append(w.had[m.Alert], retro.Matched{Feed: m.Match.Feed, Indicator: m.Match.Indicator, Type: m.Match.Type, Value: m.Match.Value, On: m.On, Counts: m.Match.Counts()})
	}
	return nil
}

// alert is seen, an hour old.
func (w *pastWorld) alert(value string) {
	w.t.Helper()
	a := schema.Alert{ID: schema.NewAlertID("acme", "ids", value), Tenant: "acme", Source: "ids", Created: schema.FromTime(time.Now().Add(-time.Hour)),
		Entities: []schema.Entity{{Type: schema.EntityIP, Key: value}}}
	if err := w.past.See([]schema.Alert{a}); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows = append(w.rows, retro.Row{Tenant: "acme", Alert: a.ID, Source: "ids", Time: a.Created, Entity: a.Entities[0]})
}

func (w *pastWorld) take(feed, values string) {
	w.t.Helper()
	f := fact.DefaultFeed()
	f.Name, f.Transport = feed, fact.TransportUpload
	if err := f.Validate(); err != nil {
		w.t.Fatal(err)
	}
	if _, err := Take(w.t.Context(), w.lib, &f, "test", strings.NewReader(values), time.Now(), nil); err != nil {
		w.t.Fatal(err)
	}
}

func (w *pastWorld) want(what string, values ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.told, " "); got != strings.Join(values, " ") {
		w.t.Errorf("%s: told of %q, want %q", what, got, values)
	}
}

func (w *pastWorld) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func pastTest(t *testing.T, test func(*testing.T, *pastWorld)) {
	synctest.Test(t, func(t *testing.T) {
		w := newPastWorld(t)
		test(t, w)
		if err := w.past.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestPast: the past is asked about what is new, not at once, and once: a restart
// asks nothing again.
func TestPast(t *testing.T) {
	pastTest(t, func(t *testing.T, w *pastWorld) {
		w.alert("192.0.2.1")
		w.take("a", "192.0.2.1\n192.0.2.2\n")
		if err := w.run(50*time.Second, nil); err != nil {
			t.Fatal(err)
		}
		w.want("too early")
		if err := w.run(90*time.Second, nil); err != nil {
			t.Fatal(err)
		}
		w.want("in time", "192.0.2.1")
		asked := w.asked
		if err := w.past.Close(); err != nil {
			t.Fatal(err)
		}
		w.open()
		if err := w.run(10*time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		w.want("after a restart", "192.0.2.1")
		if w.asked != asked {
			t.Errorf("the store was asked %d times after a restart", w.asked-asked)
		}
	})
}

// TestPastLate: an indicator that comes while another waits is asked about again when
// it has waited itself, since until then workers may have missed it.
func TestPastLate(t *testing.T) {
	pastTest(t, func(t *testing.T, w *pastWorld) {
		err := w.run(5*time.Minute, func() {
			w.take("a", "192.0.2.1\n")
			time.Sleep(50 * time.Second)
			w.take("b", "192.0.2.2\n")
			time.Sleep(40 * time.Second) // by now it was asked for a
			w.alert("192.0.2.2")
		})
		if err != nil {
			t.Fatal(err)
		}
		w.want("what passed between", "192.0.2.2")
	})
}

// TestPastTrouble: whatever is away or behind is waited for, and nothing is lost.
func TestPastTrouble(t *testing.T) {
	for name, x := range map[string]struct{ begin, end func(*pastWorld) }{
		"the store":            {func(w *pastWorld) { w.broken = errors.New("refused") }, func(w *pastWorld) { w.broken = nil }},
		"the log":              {func(w *pastWorld) { w.deaf = errors.New("refused") }, func(w *pastWorld) { w.deaf = nil }},
		"the index is behind":  {func(w *pastWorld) { w.behind = true }, func(w *pastWorld) { w.behind = false }},
		"the note is cut":      {func(w *pastWorld) { w.note(`"a:`) }, func(*pastWorld) {}},
		"the note is too old":  {func(w *pastWorld) { w.note(`"a:7777;0"`) }, func(*pastWorld) {}},
		"the note is no JSON":  {func(w *pastWorld) { w.note("") }, func(*pastWorld) {}},
		"it is whole, for all": {func(*pastWorld) {}, func(*pastWorld) {}},
	} {
		t.Run(name, func(t *testing.T) {
			pastTest(t, func(t *testing.T, w *pastWorld) {
				w.alert("192.0.2.1")
				w.take("a", "192.0.2.1\n")
				w.set(func() { x.begin(w) })
				err := w.run(20*time.Minute, func() {
					time.Sleep(10 * time.Minute)
					w.set(func() { x.end(w) })
				})
				if err != nil {
					t.Fatal(err)
				}
				w.want("at last", "192.0.2.1")
				if w.asked > 30 {
					t.Errorf("the store was asked %d times", w.asked)
				}
			})
		})
	}
}

func (w *pastWorld) note(text string) {
	if err := os.WriteFile(filepath.Join(w.dir, "retro", "asked.json"), []byte(text), 0o600); err != nil {
		w.t.Error(err)
	}
}

// TestPastReplaced: another process that asks is told to who runs this one.
func TestPastReplaced(t *testing.T) {
	pastTest(t, func(t *testing.T, w *pastWorld) {
		w.alert("192.0.2.1")
		w.take("a", "192.0.2.1\n")
		w.deaf = stages.Permanent(errors.New("fenced"))
		if err := w.run(time.Hour, nil); !stages.IsPermanent(err) {
			t.Errorf("Run: %v", err)
		}
	})
}
