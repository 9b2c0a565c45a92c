package intel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
	log  bytes.Buffer // written by Run

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
		Logger: slog.New(slog.NewTextHandler(&w.log, nil))})
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
		if r.Time < q.From || r.Time >= q.To || !q.Answers(&r.Entity) {
			continue
		}
		for _, h := range w.had[r.Alert] {
			if q.Matched {
				r.Values = append(r.Values, h.Match.Value)
			}
		}
		if !q.Matched || len(r.Values) > 0 {
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
		w.told = append(w.told, map[schema.RetroKind]string{schema.RetroWithdrawn: "-", schema.RetroReinstated: "+"}[m.Kind]+m.Match.Value+m.Match.Demoted)
		had := retro.Matched{Match: m.Match, On: m.On, Withdrawn: m.Kind == schema.RetroWithdrawn}
		w.had[m.Alert] = append(slices.DeleteFunc(w.had[m.Alert], func(h retro.Matched) bool {
			return h.On == m.On && h.Match.Feed == m.Match.Feed && h.Match.Value == m.Match.Value
		}), had)
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

// TestPastTakenBack: what analysts and feeds take back, in all the ways they can, is taken
// back from the past; that a feed has something no more is not.
func TestPastTakenBack(t *testing.T) {
	const bad = "192.0.2.1"
	stix := func(version string, revoked bool) string {
		return fmt.Sprintf(`{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{"type":"indicator","spec_version":"2.1",
"id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"1999-12-31T00:00:00Z","modified":"%s","revoked":%t,"pattern":"[ipv4-addr:value = '192.0.2.1']",
"pattern_type":"stix","valid_from":"1999-12-31T00:00:00Z","indicator_types":["malicious-activity"],"confidence":90}]}`, version, revoked)
	}
	over := func(o library.Override) func(*testing.T, *pastWorld) {
		return func(t *testing.T, w *pastWorld) {
			o.Type, o.Value, o.By = schema.ObservableIP, bad, "ann"
			if _, err := w.lib.Override(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	unset := func(t *testing.T, w *pastWorld) {
		list, err := w.lib.Overrides()
		if err == nil && len(list) == 1 {
			err = w.lib.RemoveOverride(t.Context(), list[0].ID, "ann")
		}
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
	}
	allow, benign, malicious, yes := schema.WishAllow, schema.VerdictBenign, schema.VerdictMalicious, true
	type step func(*testing.T, *pastWorld)
	list := func(text string) step { return func(_ *testing.T, w *pastWorld) { w.take("a", text) } }
	for name, x := range map[string]struct {
		steps []step
		want  []string // all that was told after the last step
	}{
		"allowed, and not any more":      {[]step{list(bad + "\n"), over(library.Override{Wish: &allow}), unset}, []string{bad, "-" + bad + "allowed by feed analyst", "+" + bad}},
		"allowed when the feed is gone":  {[]step{list(bad + "\n"), list("192.0.2.9\n"), over(library.Override{Wish: &allow})}, []string{bad, "-" + bad + "allowed by feed analyst"}},
		"called benign in one feed":      {[]step{list(bad + "\n"), over(library.Override{Feed: "a", Verdict: &benign})}, []string{bad, "-" + bad + "feed a: says benign, and nothing says otherwise"}},
		"revoked by an analyst":          {[]step{list(bad + "\n"), over(library.Override{Revoked: &yes}), unset}, []string{bad, "-" + bad + "revoked by ann", "+" + bad}},
		"revoked, and set for one feed":  {[]step{list(bad + "\n"), over(library.Override{Feed: "a", Labels: []string{"x"}}), over(library.Override{Revoked: &yes})}, []string{bad, "-" + bad + "revoked by ann"}},
		"an analyst's own, unset":        {[]step{over(library.Override{Feed: library.Analyst, Verdict: &malicious}), unset}, []string{bad, "-" + bad + "taken back by an analyst"}},
		"revoked by its feed":            {[]step{list(stix("1999-12-31T00:00:00Z", false)), list(stix("1999-12-31T12:00:00Z", true))}, []string{bad, "-" + bad + "revoked by its feed"}},
		"no longer in its feed":          {[]step{list(bad + "\n"), list("192.0.2.9\n")}, []string{bad}},
		"in two feeds, one of them gone": {[]step{list(bad + "\n"), func(_ *testing.T, w *pastWorld) { w.take("b", bad+"\n") }, list("192.0.2.9\n")}, []string{bad, bad}},
	} {
		t.Run(name, func(t *testing.T) {
			pastTest(t, func(t *testing.T, w *pastWorld) {
				w.alert(bad)
				for _, s := range x.steps {
					s(t, w)
					if err := w.run(5*time.Minute, nil); err != nil {
						t.Fatal(err)
					}
				}
				w.want("at last", x.want...)
				st := w.past.Status()
				if !st.Waiting.IsZero() || time.Since(st.Asked) > time.Minute || st.Error != "" {
					t.Errorf("status %+v", st)
				}
			})
		})
	}
}

// TestPastStatus: what waits, what failed and what came of it is told.
func TestPastStatus(t *testing.T) {
	pastTest(t, func(t *testing.T, w *pastWorld) {
		w.alert("192.0.2.1")
		w.take("a", "192.0.2.1\n")
		w.set(func() { w.broken = errors.New("refused") })
		began := time.Now()
		var waiting, failed PastStatus
		err := w.run(10*time.Minute, func() {
			time.Sleep(30 * time.Second)
			waiting = w.past.Status()
			time.Sleep(2 * time.Minute)
			failed = w.past.Status()
			w.set(func() { w.broken = nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		if waiting.Waiting.Sub(began) > 10*time.Second || waiting.Waiting.IsZero() || !waiting.Asked.IsZero() || waiting.Error != "" {
			t.Errorf("waiting: %+v", waiting)
		}
		if failed.Waiting != waiting.Waiting || !strings.Contains(failed.Error, "refused") || failed.Again.IsZero() {
			t.Errorf("failed: %+v", failed)
		}
		done := w.past.Status()
		if !done.Waiting.IsZero() || done.Error != "" || !done.Again.IsZero() || done.Last.Found != 1 || done.LastEnd.IsZero() || done.Asked.Before(done.LastEnd) {
			t.Errorf("done: %+v", done)
		}
		text := ""
		for _, m := range metricsOf(t, w.past) {
			text += m + "\n"
		}
		for _, want := range []string{`interdict_retro_runs_total{result="done"} 1`, `interdict_retro_findings_total{what="found"} 1`, `interdict_retro_findings_total{what="withdrawn"} 0`, "interdict_retro_waiting_seconds 0"} {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
	})
}

// metricsOf gives the samples of a collector, each as its line of text.
func metricsOf(t *testing.T, c prometheus.Collector) (lines []string) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := ""
			for _, l := range m.GetLabel() {
				label += fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
			}
			lines = append(lines, fmt.Sprintf("%s%s %v", f.GetName(), label, m.GetCounter().GetValue()+m.GetGauge().GetValue()))
		}
	}
	return lines
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

// TestPastManyCommits: however often feeds change while new indicators wait, the past is
// asked about what is new and not about everything.
func TestPastManyCommits(t *testing.T) {
	pastTest(t, func(t *testing.T, w *pastWorld) {
		w.take("a", "192.0.2.1\n")
		err := w.run(10*time.Minute, func() {
			time.Sleep(2 * time.Minute)
			w.alert("192.0.2.1") // it was asked about before that, and is not again
			w.alert("192.0.2.9")
			for n := range 60 {
				w.take("a", fmt.Sprintf("192.0.2.1\n192.0.2.9\n198.51.100.%d\n", n))
				time.Sleep(2 * time.Second)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		w.want("after many commits", "192.0.2.9")
		if text := w.log.String(); strings.Contains(text, "whole library") {
			t.Errorf("%s", text)
		}
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
