package service

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a service with made-up places around it. In a bubble of synctest its
// time is that of the bubble.
type world struct {
	t     *testing.T
	cfg   Config
	books map[string]Stored
	ports Ports

	mu      sync.Mutex
	start   time.Time
	log     bytes.Buffer
	scripts map[string]func(ctx context.Context, n int) pullScript // n counts the pulls of a feed from 1
	pulls   map[string][]time.Duration                             // since the start
	states  map[string][]string                                    // that pulls were given
	seen    func(feed string) fetch.Seen                           // of files; nil: they always have changed
	stamps  uint64                                                 // that were asked for
	active  int                                                    // pulls at one time
	most    int

	stored             map[string][]string // committed lines by feed
	state              map[string][]byte
	modes              []fact.Mode // of commits
	shrinks            []uint8     // max_shrink of them
	open, aborted      int
	committing         int
	commits            int
	commitDelay        time.Duration
	commitErr          error
	commitPanics       string // over this feed
	failed             map[string][]string
	unmodified         map[string]int
	refreshed          []string
	refreshErr         error
	expiring           []time.Time // when overrides are to end
	published          []time.Duration
	publishErr         func(n int) error
	publishTries       int
	publishDelay       time.Duration
	storedAtPublishing int // lines
}

// pullScript is what one pull does.
type pullScript struct {
	text  string // of the one part, unless there is none
	none  bool   // no part
	after time.Duration
	hang  bool // until the context ends
	res   fetch.Result
	err   error
}

func newWorld(t *testing.T, feeds ...fact.Feed) *world {
	w := &world{t: t, cfg: DefaultConfig(), start: time.Now(), scripts: map[string]func(context.Context, int) pullScript{}, pulls: map[string][]time.Duration{},
		states: map[string][]string{}, stored: map[string][]string{}, state: map[string][]byte{}, books: map[string]Stored{}, failed: map[string][]string{}, unmodified: map[string]int{}}
	w.cfg.Feeds = feeds
	w.ports = Ports{Fetch: w, Parse: parseLines, Library: fakeLibrary{w}, Publish: w, Now: time.Now, Chance: func() float64 { return 0 },
		RetryAt: func(err error) (time.Time, bool) {
			late, ok := errors.AsType[*lateError](err)
			if !ok {
				return time.Time{}, false
			}
			return late.at, true
		},
		Permanent: func(err error) bool { return errors.Is(err, errPermanent) }}
	return w
}

type lateError struct{ at time.Time }

func (e *lateError) Error() string { return "come again later" }

var errPermanent = errors.New("404 Not Found")

func httpFeed(name string, change func(*fact.Feed)) fact.Feed {
	f := fact.DefaultFeed()
	f.Name, f.URL = name, "https://feeds.example/"+name
	if change != nil {
		change(&f)
	}
	return f
}

// service makes the service anew, as a process that starts does.
func (w *world) service() *Service {
	w.t.Helper()
	s, err := New(w.cfg, w.ports, slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// run runs a service for so long and stops it.
func (w *world) run(s *Service, d time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	time.Sleep(d)
	cancel()
	if err := <-done; err != nil {
		w.t.Error(err)
	}
}

func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// logged counts the lines of the log that hold all the texts.
func (w *world) logged(texts ...string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for line := range strings.Lines(w.log.String()) {
		if !slices.ContainsFunc(texts, func(x string) bool { return !strings.Contains(line, x) }) {
			n++
		}
	}
	return n
}

// Pull plays the feed's script.
func (w *world) Pull(ctx context.Context, f *fact.Feed, state []byte, yield fetch.Yield) (fetch.Result, error) {
	w.mu.Lock()
	w.pulls[f.Name] = append(w.pulls[f.Name], time.Since(w.start))
	w.states[f.Name] = append(w.states[f.Name], string(state))
	n := len(w.pulls[f.Name])
	script := w.scripts[f.Name]
	w.active++
	w.most = max(w.most, w.active)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.active--
		w.mu.Unlock()
	}()
	x := pullScript{text: f.Name}
	if script != nil {
		x = script(ctx, n)
	}
	if x.res.State == nil {
		x.res.State = fmt.Appendf(nil, `"after pull %d"`, n)
	}
	if x.after > 0 {
		select {
		case <-time.After(x.after):
		case <-ctx.Done():
			return x.res, ctx.Err()
		}
	}
	if !x.none && !x.res.NotModified && (x.err == nil || x.text != "") {
		if err := yield(fact.Part{Name: f.Name}, strings.NewReader(x.text)); err != nil {
			return x.res, fmt.Errorf("part: %w", err)
		}
	}
	if x.hang {
		<-ctx.Done()
		return x.res, ctx.Err()
	}
	return x.res, x.err
}

// Look says what the test says.
func (w *world) Look(f *fact.Feed, _ []byte) fetch.Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		return fetch.Seen{Changed: true, Settled: true}
	}
	return w.seen(f.Name)
}

// parseLines takes a value from each line. Some lines do harm.
func parseLines(_ context.Context, in io.Reader, _ *fact.Feed, part fact.Part, _ schema.Millis, out fact.Sink) error {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		switch text := lines.Text(); text {
		case "":
		case "panic":
			panic("index out of range [3] with length 3")
		case "fail":
			return errors.New("no such format")
		case "refuse":
			if err := out.Refuse(fact.Refusal{Part: part.Name, Line: n, Value: text, Reason: "refused"}); err != nil {
				return err
			}
		default:
			if err := out.Said(n, fact.Said{Indicator: schema.Indicator{Value: text}}); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// Publish notes when it was called.
func (w *world) Publish(ctx context.Context) error {
	w.mu.Lock()
	w.publishTries++
	n, fail, delay := w.publishTries, w.publishErr, w.publishDelay
	w.mu.Unlock()
	if delay > 0 && !sleep(ctx, delay) {
		return ctx.Err()
	}
	if fail != nil {
		if err := fail(n); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published = append(w.published, time.Since(w.start))
	w.storedAtPublishing = 0
	for _, list := range w.stored {
		w.storedAtPublishing += len(list)
	}
	return nil
}

// fakeLibrary keeps values in memory.
type fakeLibrary struct{ *world }

func (l fakeLibrary) State(feed string) ([]byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.stored[feed]
	return l.state[feed], known, nil
}

// Stamp is never the same.
func (l fakeLibrary) Stamp() (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stamps++
	return l.stamps, nil
}

func (l fakeLibrary) Feeds() ([]Stored, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Stored
	for _, name := range slices.Sorted(maps.Keys(l.books)) {
		x := l.books[name]
		x.Indicators = len(l.stored[name])
		out = append(out, x)
	}
	return out, nil
}

// book keeps how a pull went, as the real one does.
func (w *world) book(f *fact.Feed, now, due time.Time, err error) Stored {
	x := w.books[f.Name]
	x.Name, x.Tenant, x.Transport, x.Place, x.Pulled, x.Due = f.Name, f.Tenant, f.Transport, place(f), schema.FromTime(now), schema.FromTime(due)
	if err != nil {
		x.Failures, x.Error = x.Failures+1, err.Error()
	} else {
		x.Failures, x.Error, x.Good = 0, "", x.Pulled
	}
	w.books[f.Name] = x
	return x
}

func (l fakeLibrary) NotModified(_ context.Context, f *fact.Feed, now time.Time, state []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unmodified[f.Name]++
	l.state[f.Name] = state
	l.book(f, now, now.Add(f.Every), nil)
	return nil
}

func (l fakeLibrary) Refresh(_ context.Context, f *fact.Feed, _ time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshed = append(l.refreshed, fmt.Sprintf("%s %s", f.Name, time.Since(l.start)))
	if l.refreshErr != nil {
		return false, l.refreshErr
	}
	return len(l.refreshed) == 1, nil
}

func (l fakeLibrary) Expire(_ context.Context, now time.Time) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.expiring)
	l.expiring = slices.DeleteFunc(l.expiring, func(at time.Time) bool { return !at.After(now) })
	return before - len(l.expiring), nil
}

func (l fakeLibrary) Failed(_ context.Context, f *fact.Feed, why error, again, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed[f.Name] = append(l.failed[f.Name], why.Error())
	l.book(f, now, again, why)
	return nil
}

func (l fakeLibrary) Begin(_ context.Context, f *fact.Feed, origin string, mode fact.Mode, now time.Time) (Import, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	return &fakeImport{l: l.world, feed: *f, origin: origin, mode: mode, now: now}, nil
}

// fakeImport refuses the value "library" itself.
type fakeImport struct {
	l       *world
	feed    fact.Feed
	origin  string
	mode    fact.Mode
	now     time.Time
	lines   []string
	refused []fact.Refusal
	told    func(fact.Refusal)
	over    bool
}

func (i *fakeImport) Watch(f func(fact.Refusal)) { i.told = f }

func (i *fakeImport) Keep(func(fact.Refusal) bool) {}

func (i *fakeImport) Object(int, fact.Object) error     { return nil }
func (i *fakeImport) Relation(int, fact.Relation) error { return nil }
func (i *fakeImport) Sighting(int, fact.Sighting) error { return nil }
func (i *fakeImport) end(l *world)                      { l.open--; i.over = true }
func (i *fakeImport) missing(of, in []string) (n int) {
	for _, x := range of {
		if !slices.Contains(in, x) {
			n++
		}
	}
	return n
}

func (i *fakeImport) Said(line int, s fact.Said) error {
	if s.Value == "library" {
		return i.Refuse(fact.Refusal{Line: line, Value: s.Value, Reason: "must not stand in an index"})
	}
	i.lines = append(i.lines, s.Value)
	return nil
}

func (i *fakeImport) Refuse(r fact.Refusal) error {
	i.refused = append(i.refused, r)
	if i.told != nil {
		i.told(r)
	}
	return nil
}

func (i *fakeImport) Commit(state []byte) (Report, error) {
	i.l.mu.Lock()
	i.l.committing++
	if i.l.committing > 1 {
		i.l.t.Error("two commits at one time")
	}
	delay := i.l.commitDelay
	i.l.mu.Unlock()
	time.Sleep(delay)
	i.l.mu.Lock()
	defer i.l.mu.Unlock()
	i.l.committing--
	if i.l.commitPanics == i.feed.Name {
		panic("slice bounds out of range")
	}
	if i.l.commitErr != nil {
		return Report{}, i.l.commitErr
	}
	old, lines := i.l.stored[i.feed.Name], slices.Clone(i.lines)
	rep := Report{Read: len(lines), Added: i.missing(lines, old), Refused: len(i.refused)}
	if len(lines) == 0 && len(i.refused) > 0 {
		return rep, errors.New("none could be used")
	}
	if i.mode == fact.Replace {
		rep.Removed = i.missing(old, lines)
	} else {
		for _, x := range old {
			if !slices.Contains(lines, x) {
				lines = append(lines, x)
			}
		}
	}
	rep.Indicators = len(lines)
	i.l.stored[i.feed.Name] = lines
	if state != nil {
		i.l.state[i.feed.Name] = state
	}
	i.l.modes, i.l.shrinks = append(i.l.modes, i.mode), append(i.l.shrinks, i.feed.MaxShrink)
	x := i.l.book(&i.feed, i.now, i.now.Add(i.feed.Every), nil)
	if x.Last, x.Origin = rep, i.origin; rep.news() {
		x.Changed = x.Pulled
	}
	i.l.books[i.feed.Name] = x
	i.l.commits++
	i.end(i.l)
	return rep, nil
}

func (i *fakeImport) Abort() error {
	i.l.mu.Lock()
	defer i.l.mu.Unlock()
	if i.over {
		return nil
	}
	i.l.aborted++
	i.end(i.l)
	return nil
}

// has counts what is stored of a feed.
func (w *world) has(feed string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.stored[feed])
}

// times wants the pulls of a feed to have begun at times since the start.
func (w *world) times(feed string, want ...time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.EqualFunc(w.pulls[feed], want, func(a, b time.Duration) bool { return (a - b).Abs() < 50*time.Millisecond }) {
		w.t.Errorf("feed %s was pulled at %v, want %v", feed, w.pulls[feed], want)
	}
}

// feedStatus gives the status of a feed.
func (w *world) feedStatus(s *Service, feed string) FeedStatus {
	w.t.Helper()
	st, err := s.Status()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range st.Feeds {
		if f.Name == feed {
			return f
		}
	}
	w.t.Fatalf("feed %s has no status", feed)
	return FeedStatus{}
}
