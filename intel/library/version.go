package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Version names what counts in a library at a moment: the generation of each feed
// and the last entry of the journal, such as "abuse:12,acme:3;17". Equal versions of
// one library are equal indicators. The zero Version is the empty library.
type Version string

// ErrGone says that what a version names is no longer kept, so changes since it
// cannot be told: build anew.
var ErrGone = errors.New("the generations of that version are no longer kept")

func (v Version) parse() (gens map[string]uint64, journal uint64, err error) {
	gens = map[string]uint64{}
	if v == "" {
		return gens, 0, nil
	}
	bad := fmt.Errorf("library: %q is no version", shorten(string(v), 200))
	feeds, tail, ok := strings.Cut(string(v), ";")
	if journal, err = strconv.ParseUint(tail, 10, 64); err != nil || !ok {
		return nil, 0, bad
	}
	for part := range strings.SplitSeq(feeds, ",") {
		if feeds == "" {
			break
		}
		name, number, _ := strings.Cut(part, ":")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || n == 0 || !feedName.MatchString(name) || gens[name] != 0 {
			return nil, 0, bad
		}
		gens[name] = n
	}
	if makeVersion(gens, journal) != v {
		return nil, 0, bad
	}
	return gens, journal, nil
}

func makeVersion(gens map[string]uint64, journal uint64) Version {
	if len(gens) == 0 && journal == 0 {
		return ""
	}
	var b strings.Builder
	for n, name := range slices.Sorted(maps.Keys(gens)) {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%d", name, gens[name])
	}
	fmt.Fprintf(&b, ";%d", journal)
	return Version(b.String())
}

// view is what counts at a moment. Its files stay readable whatever is written.
type view struct {
	names  []string
	tables map[string]*table // nil: not asked for
	gens   map[string]uint64
	over   *overlay
	lacks  Partial // what could not be read
}

// opening says how much of the feeds is opened.
type opening uint8

const (
	openAny   opening = iota // and read as far as it is needed
	openWhole                // and what is damaged is found before anything is yielded
)

func (v *view) close() (err error) {
	for _, t := range v.tables {
		err = errors.Join(err, t.close())
	}
	return err
}

func (v *view) version() Version { return makeVersion(v.gens, v.over.seq) }

// view opens what counts now; of other feeds than these, if any are named, only the
// generation is told. Where what counts of a feed is damaged, what it said before
// takes its place, if that is still there.
func (l *Library) view(ctx context.Context, how opening, feeds ...string) (_ *view, err error) {
	v := &view{tables: map[string]*table{}, gens: map[string]uint64{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.close())
		}
	}()
	if v.over, err = l.overlay(); err != nil {
		return nil, err
	}
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		var t *table
		var number uint64
		if len(feeds) > 0 && !slices.Contains(feeds, name) {
			err = l.reading(name, func(st *state) error { number = st.Current; return nil })
			if _, ok := damageOf(name, err); ok {
				continue
			}
		} else {
			t, number, err = l.openCurrent(ctx, name, how)
		}
		if err := v.lacks.take(name, err); err != nil {
			return nil, err
		}
		if number > 0 {
			v.names, v.gens[name] = append(v.names, name), number
		}
		if t != nil {
			v.tables[name] = t
		}
	}
	return v, nil
}

// openCurrent opens what a feed has that counts; nil where it has nothing. With an
// error that is damage there may be one that counted before.
func (l *Library) openCurrent(ctx context.Context, name string, how opening) (t *table, number uint64, err error) {
	open := func(n uint64) (err error) {
		path := generationFile(l.feedDir(name), n, "current")
		if err := intact(path); err != nil {
			return err
		}
		if t, err = openTable(path, kindCurrent); err == nil && how == openWhole {
			if err = t.verify(ctx); err != nil {
				err = errors.Join(err, t.close())
			}
		}
		if number = n; err != nil {
			t, number = nil, 0
		}
		return err
	}
	var kept []uint64
	err = l.reading(name, func(st *state) error {
		if kept = st.Kept; st.Current == 0 {
			return nil
		}
		kept = slices.DeleteFunc(slices.Clone(kept), func(n uint64) bool { return n < st.Since })
		return open(st.Current)
	})
	if _, ok := damageOf(name, err); !ok {
		return t, number, err
	}
	for _, n := range slices.Backward(kept) {
		if open(n) == nil {
			break
		}
	}
	return t, number, err
}

// reading calls use with a feed's state, again when a writer has replaced its files
// meanwhile. A feed that is not known has no files. Of damage a note is left.
func (l *Library) reading(name string, use func(*state) error) error {
	for {
		st, err := l.state(name)
		if errors.Is(err, ErrUnknownFeed) {
			return use(&state{Feed: name})
		}
		if err != nil {
			return err
		}
		err = use(st)
		if err == nil {
			return nil
		}
		again, err2 := l.state(name)
		if !errors.Is(err, fs.ErrNotExist) || err2 != nil || again.same(st) {
			return found(name, err)
		}
	}
}

// Each calls yield with every indicator that counts, feed by feed, in order of type,
// value and id, what analysts added at the end. Bound ones and those of tenants are
// among them: see schema.Indicator. What was yielded before an error must not be
// used, but for one: a *Partial names feeds whose indicators are missing, or are those
// of before, and all else was yielded; the version says what was.
func (l *Library) Each(ctx context.Context, yield func(schema.Indicator) error) (Version, error) {
	return l.each(ctx, nil, yield)
}

// each is Each of some feeds and what analysts added; nil: of all.
func (l *Library) each(ctx context.Context, feeds []string, yield func(schema.Indicator) error) (_ Version, err error) {
	v, err := l.view(ctx, openWhole, feeds...)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	if l.holder != "" {
		if err := l.Hold(ctx, v.version()); err != nil {
			return "", err
		}
	}
	for _, name := range v.names {
		w := newWalker(name, v.tables[name], v.over)
		for {
			if err := w.next(ctx); err != nil {
				return "", found(name, err)
			}
			if w.key == nil {
				break
			}
			if err := yield(w.i); err != nil {
				return "", err
			}
		}
	}
	for _, i := range v.over.own() {
		if err := yield(i); err != nil {
			return "", err
		}
	}
	return v.version(), v.lacks.Err()
}

// walker goes through the indicators of a feed as they count.
type walker struct {
	feed string
	c    *cursor
	over *overlay
	n    int
	key  []byte // nil at the end
	i    schema.Indicator
}

func newWalker(feed string, t *table, over *overlay) *walker {
	return &walker{feed: feed, c: t.scan(), over: over}
}

func (w *walker) next(ctx context.Context) error {
	for {
		if w.n++; w.n&0xfff == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := w.c.next(); err != nil {
			return err
		}
		if w.key = w.c.key; w.c.done {
			return nil
		}
		i, a, ok := decodeCurrent(w.feed, w.c.key, w.c.payload)
		if !ok {
			return w.c.t.damaged("an indicator is none")
		}
		var why string
		if w.i, why, _ = w.over.apply(i, a); why == "" {
			return nil
		}
	}
}

// Changes calls yield with what turns the indicators of a version into those that
// count now. ErrGone: that version is no longer kept (see For).
//
// A *Partial names feeds that are damaged: they stay as they were in that version, or
// as near to now as can be read, which the version that is given says; the changes of
// all else were yielded.
func (l *Library) Changes(ctx context.Context, from Version, yield func(match.Change) error) (_ Version, err error) {
	gens, journal, err := from.parse()
	if err != nil {
		return "", err
	}
	v, err := l.view(ctx, openAny)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	if err := l.settled(ctx, v, gens); err != nil {
		return "", err
	}
	if l.holder != "" {
		if err := l.Hold(ctx, from, v.version()); err != nil {
			return "", err
		}
	}
	if from == v.version() {
		return from, v.lacks.Err()
	}
	before := newOverlay()
	if journal > 0 {
		if before, err = l.overlayAt(journal); err != nil {
			return "", err
		}
	}
	if journal > v.over.seq || before.seq != journal {
		return "", fmt.Errorf("changes since %s: %w", from, ErrGone)
	}
	var stopped error // by yield
	tell := func(c match.Change) error {
		stopped = yield(c)
		return stopped
	}
	all := maps.Clone(gens)
	maps.Copy(all, v.gens)
	differ := touched(before, v.over)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if gens[name] == v.gens[name] {
			if err = places(name, v.tables[name], differ, before, v.over, tell); err != nil && stopped == nil {
				// What analysts set since is put on when the feed is whole again: the way
				// from this generation is then not known, and all is built anew.
				err = v.lacks.take(name, found(name, err))
			}
		} else if err = l.changesOf(ctx, name, gens[name], v.tables[name], before, v.over, tell); err != nil && stopped == nil {
			err = found(name, err)
		}
		if err != nil {
			return "", err
		}
	}
	if err := listChanges(before.own(), v.over.own(), tell); err != nil {
		return "", err
	}
	return v.version(), v.lacks.Err()
}

// settled decides which generation of each feed there are changes to. Of one that is
// damaged the generation that is asked from stays, unless a newer one is whole.
func (l *Library) settled(ctx context.Context, v *view, from map[string]uint64) error {
	for name, number := range v.gens {
		if number == from[name] {
			continue
		}
		err := v.tables[name].verify(ctx)
		if err == nil {
			continue
		}
		if err := v.lacks.take(name, found(name, err)); err != nil { // the note has what was before opened
			return err
		}
		t, before, err := l.openCurrent(ctx, name, openWhole)
		if _, ok := damageOf(name, err); err != nil && !ok {
			return err
		}
		err = v.tables[name].close()
		if v.tables[name], v.gens[name] = t, before; t == nil {
			delete(v.tables, name)
			delete(v.gens, name)
		}
		if err != nil {
			return err
		}
	}
	for _, d := range v.lacks.Damaged {
		if from[d.Feed] > v.gens[d.Feed] {
			if t := v.tables[d.Feed]; t != nil {
				if err := t.close(); err != nil {
					return err
				}
				delete(v.tables, d.Feed)
			}
			v.gens[d.Feed] = from[d.Feed]
		}
	}
	return nil
}

// changesOf compares a feed's generation with what it has now, side by side.
func (l *Library) changesOf(ctx context.Context, name string, number uint64, now *table, before, after *overlay, yield func(match.Change) error) (err error) {
	var old *table
	if number > 0 {
		old, err = openTable(generationFile(l.feedDir(name), number, "current"), kindCurrent)
		if err == nil {
			defer func() { err = errors.Join(err, old.close()) }()
			if err = intact(old.path); err == nil {
				err = old.verify(ctx)
			}
		}
		if _, ok := damageOf(name, err); ok {
			return fmt.Errorf("generation %d: %w: %w", number, ErrGone, err)
		}
		if err != nil {
			return err
		}
	}
	a, b := newWalker(name, old, before), newWalker(name, now, after)
	if err := errors.Join(a.next(ctx), b.next(ctx)); err != nil {
		return err
	}
	for a.key != nil || b.key != nil {
		order := bytes.Compare(a.key, b.key)
		switch {
		case b.key == nil || a.key != nil && order < 0:
			err = errors.Join(yield(match.Change{Op: match.Remove, Indicator: a.i}), a.next(ctx))
		case a.key == nil || order > 0:
			err = errors.Join(yield(match.Change{Op: match.Add, Indicator: b.i}), b.next(ctx))
		default:
			if a.i.Tenant != b.i.Tenant { // the one whose it was is told, too
				err = yield(match.Change{Op: match.Remove, Indicator: a.i})
			}
			if err == nil && !equal(&a.i, &b.i) {
				err = yield(match.Change{Op: match.Add, Indicator: b.i})
			}
			err = errors.Join(err, a.next(ctx), b.next(ctx))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// equal reports indicators of one key and feed that are the same.
func equal(a, b *schema.Indicator) bool {
	return bytes.Equal(appendIndicator(nil, a), appendIndicator(nil, b))
}

// places compares what overrides make of the values that they are about.
func places(name string, t *table, list []string, before, after *overlay, yield func(match.Change) error) error {
	if t == nil { // it is damaged, and known to be
		return nil
	}
	for _, at := range list {
		err := t.find([]byte(at), func(key, payload []byte) error {
			i, a, ok := decodeCurrent(name, key, payload)
			if !ok {
				return t.damaged("an indicator is none")
			}
			x, why1, _ := before.apply(i, a)
			y, why2, _ := after.apply(i, a)
			switch {
			case why2 != "" && why1 == "":
				return yield(match.Change{Op: match.Remove, Indicator: x})
			case why2 == "" && (why1 != "" || !equal(&x, &y)):
				return yield(match.Change{Op: match.Add, Indicator: y})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// listChanges compares what analysts added.
func listChanges(a, b []schema.Indicator, yield func(match.Change) error) error {
	have := map[string]*schema.Indicator{}
	for n := range a {
		have[a[n].ID] = &a[n]
	}
	for n := range b {
		old := have[b[n].ID]
		delete(have, b[n].ID)
		if old == nil || !equal(old, &b[n]) {
			if err := yield(match.Change{Op: match.Add, Indicator: b[n]}); err != nil {
				return err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if err := yield(match.Change{Op: match.Remove, Indicator: *have[id]}); err != nil {
			return err
		}
	}
	return nil
}

// sightingAt is a sighting of a place.
func sightingAt(at string, last schema.Millis) *fact.Sighting {
	return &fact.Sighting{Type: schema.ObservableType(at[0]), Value: at[1:], Last: last}
}
