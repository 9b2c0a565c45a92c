package library

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// Commit puts what was taken in force and keeps fetchState (JSON, or nil for what
// was kept before) for the next pull. A crash at any moment, and any error, leaves
// all as it was or, from one moment on, all as it is then. If nothing of a pull could
// be used, it is refused: that is rather an error page than an empty feed.
func (im *Import) Commit(fetchState []byte) (Report, error) {
	if err := im.ready(); err != nil {
		err = errors.Join(err, im.Abort())
		return im.report, err
	}
	fail := func(err error) (Report, error) {
		err = errors.Join(fmt.Errorf("importing feed %s: %w", im.feed.Name, err), im.Abort())
		return im.report, err
	}
	// New versions that cannot be used may still end what old ones said.
	ends := im.mode == fact.Update && len(im.ids) > 0 && im.old != nil && im.old.Facts > 0
	if im.read == 0 && im.report.Refused > 0 && !ends {
		first := "see the file of refusals"
		if len(im.report.Refusals) > 0 {
			first = im.report.Refusals[0].Reason
		}
		return fail(fmt.Errorf("none of %d could be used, the first: %s; what is stored stays as it is", im.report.Refused, first))
	}
	if err := im.noise(); err != nil {
		return fail(err)
	}
	if fetchState != nil && !json.Valid(fetchState) {
		return fail(errors.New("the state for the next pull is no JSON"))
	}
	if err := im.keepRefused(); err != nil {
		return fail(err)
	}
	if err := im.l.step("refusals"); err != nil {
		return fail(err)
	}
	if err := errors.Join(im.refusalText.Flush(), im.refusals.Sync()); err != nil {
		return fail(err)
	}
	taken := im.report
	next, err := im.generation()
	for err != nil && im.lose(err) {
		im.report = taken
		next, err = im.generation()
	}
	if err != nil {
		return fail(im.hopeless(found(im.feed.Name, err)))
	}
	if fetchState != nil {
		next.Fetch = fetchState
	}
	if err := im.shrunk(next); err != nil {
		return fail(err)
	}
	if err := im.l.writeState(next); err != nil {
		now, other := im.l.state(im.feed.Name)
		if errors.Is(other, ErrUnknownFeed) || other == nil && now.Last != next.Last {
			return fail(err)
		}
		// It counts, or may: its files must stay.
		im.done = true
		return im.report, errors.Join(fmt.Errorf("importing feed %s: it may be in force, but not outlast a loss of power: %w", im.feed.Name, err), im.refusals.Close(), im.end())
	}
	// It counts. What follows can only leave files behind, which the next import
	// sweeps.
	im.done = true
	err = errors.Join(im.l.step("committed"), im.facts.drop(), im.things.drop())
	if err == nil {
		err = im.l.sweep(next)
	}
	if err = errors.Join(err, im.refusals.Close(), im.end()); err != nil {
		err = fmt.Errorf("importing feed %s: it is done, but cleaning up failed: %w", im.feed.Name, err)
	}
	return im.report, err
}

// opened are the tables of the generation before; nil where there is none.
type opened struct{ facts, current, objects *table }

func (o opened) close() (err error) {
	for _, t := range []*table{o.facts, o.current, o.objects} {
		if t != nil {
			err = errors.Join(err, t.close())
		}
	}
	return err
}

func (im *Import) openOld() (o opened, err error) {
	if im.old == nil {
		return o, nil
	}
	open := func(dst **table, number uint64, name string, kind byte, lost bool) {
		if number == 0 || err != nil || lost {
			return
		}
		path := generationFile(im.dir, number, name)
		if err = intact(path); err == nil {
			*dst, err = openTable(path, kind)
		}
	}
	open(&o.facts, im.old.Facts, "facts", kindFacts, im.without.facts)
	open(&o.objects, im.old.Facts, "objects", kindObjects, im.without.objects)
	open(&o.current, im.old.Current, "current", kindCurrent, im.without.current)
	if err != nil {
		err = errors.Join(err, o.close())
	}
	return o, err
}

// generation writes the files of the new generation and gives the state that puts
// them in force.
func (im *Import) generation() (next *state, err error) {
	old, err := im.openOld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, old.close()) }()
	over, err := im.l.overlay()
	if err != nil {
		return nil, err
	}
	im.report.Aside, im.report.Types, im.report.Became = map[string]int{}, map[string]int{}, map[string]int{}
	d := &deriver{feed: &im.feed, rules: im.l.rules, grace: spanMillis(im.l.cfg.Grace), now: im.now, over: over, seen: map[digest]schema.Millis{}}
	g := newGraphBuilder(im.l.cfg.MaxThreats)
	if err := im.writeTable("objects", kindObjects, func(out *tableWriter) error {
		return im.mergeThings(old.objects, out, func(t *thing) error {
			switch {
			case t.Object != nil:
				im.report.Objects++
			case t.Relation != nil:
				im.report.Relations++
			case t.Sighting != nil:
				im.report.Sightings++
				d.sight(t.Sighting)
			}
			g.add(t)
			return nil
		})
	}); err != nil {
		return nil, err
	}
	d.graph = g.build()
	next = &state{Feed: im.feed.Name, Last: im.number, Facts: im.number, Current: im.number, Tenant: im.feed.Tenant, Mode: im.mode, Journal: over.seq, Settings: im.l.settings(&im.feed)}
	if im.old != nil && !im.without.facts && !im.without.objects {
		next.Before = im.old.Facts
	}
	if err := im.writeTable("current", kindCurrent, func(current *tableWriter) error {
		return im.writeTable("facts", kindFacts, func(facts *tableWriter) error {
			return im.mergeFacts(old, d, facts, current, next)
		})
	}); err != nil {
		return nil, err
	}
	next.Since = im.number
	if im.old != nil && im.old.Facts > 0 && im.old.Tenant == next.Tenant {
		next.Since = im.old.Since
	}
	if err := im.fill(next); err != nil {
		return nil, err
	}
	return next, im.l.syncFolders(im.folders()...)
}

// folders lists those whose names must be durable before the generation may count: of
// a new feed also the ones that it stands in.
func (im *Import) folders() []string {
	if im.old != nil {
		return []string{im.dir}
	}
	return []string{filepath.Dir(im.l.dir), im.l.dir, filepath.Dir(im.dir), im.dir}
}

func (im *Import) writeTable(name string, kind byte, fill func(*tableWriter) error) error {
	if err := im.l.step(name); err != nil {
		return err
	}
	t, err := createTable(generationFile(im.dir, im.number, name), kind)
	if err != nil {
		return err
	}
	if err := fill(t); err != nil {
		return errors.Join(err, t.abandon())
	}
	if err := im.l.step(name + " written"); err != nil {
		return errors.Join(err, t.abandon())
	}
	return t.finish(true)
}

func (d *deriver) sight(s *fact.Sighting) {
	at := placeDigest(s.Type, s.Value)
	if s.Of != "" {
		at = digestOf(s.Of)
	}
	d.seen[at] = max(d.seen[at], s.Last)
}

// mergeFacts settles what was known with what the pull says, value by value, and
// writes both files.
func (im *Import) mergeFacts(old opened, d *deriver, facts, current *tableWriter, next *state) error {
	if im.mode == fact.Update && len(im.ids) > 0 && old.facts != nil {
		for c := old.facts.scan(); ; {
			if err := c.next(); err != nil {
				return err
			}
			if c.done {
				break
			}
			f, ok := decodeStored(im.feed.Name, c.key, c.payload)
			if !ok {
				return old.facts.damaged("a fact is none")
			}
			im.ids.known(digestOf(f.ID), &f)
		}
	}
	w := &factWriter{im: im, d: d, facts: facts, current: current, next: next, before: old.current.scan(), table: old.current}
	if err := w.before.next(); err != nil {
		return err
	}
	cur := old.facts.scan()
	if err := cur.next(); err != nil {
		return err
	}
	decode := func(t *table, key, payload []byte) (*stored, error) {
		f, ok := decodeStored(im.feed.Name, key, payload)
		if !ok {
			return nil, t.damaged("a fact is none")
		}
		return &f, nil
	}
	oldOne := func() error { // one that the pull does not have
		f, err := decode(old.facts, cur.key, cur.payload)
		if err == nil {
			err = w.settle(cur.key, f, nil)
		}
		return errors.Join(err, cur.next())
	}
	err := im.facts.merged(func(m *merger) error {
		var key []byte
		for n := 0; !m.done(); n++ {
			if n&0xffff == 0 && im.ctx.Err() != nil {
				return im.ctx.Err()
			}
			key = append(key[:0], m.key()...)
			for !cur.done && bytes.Compare(cur.key, key) < 0 {
				if err := oldOne(); err != nil {
					return err
				}
			}
			var fresh, before *stored
			for !m.done() && bytes.Equal(m.key(), key) {
				f, err := decode(m.cursors[0].t, key, m.payload())
				if err != nil {
					return err
				}
				if fresh != nil {
					f = together(fresh, f)
					im.report.Became[BecameDuplicate]++
				}
				fresh = f
				if err := m.next(); err != nil {
					return err
				}
			}
			if !cur.done && bytes.Equal(cur.key, key) {
				var err error
				if before, err = decode(old.facts, cur.key, cur.payload); err != nil {
					return err
				}
				if err := cur.next(); err != nil {
					return err
				}
			}
			if err := w.settle(key, before, fresh); err != nil {
				return err
			}
		}
		return nil
	})
	for n := 1; err == nil && !cur.done; n++ {
		if n&0xffff == 0 {
			err = im.ctx.Err()
		}
		err = errors.Join(err, oldOne())
	}
	if err != nil {
		return err
	}
	return w.gone(nil)
}

// factWriter writes facts and the indicators derived from them, and counts what is
// other than before.
type factWriter struct {
	im             *Import
	d              *deriver
	facts, current *tableWriter
	next           *state
	before         *cursor // of the .current before
	table          *table
	buf            []byte

	value []byte // type and value of the fact before
	alike int    // facts of it that count
}

// maxAlike is how many ids of one value count in a feed. Each costs every alert that
// names the value, also those of other tenants.
const maxAlike = 256

// crowd counts the facts of one value, which come one after another, and reports
// that there were enough before this one.
func (w *factWriter) crowd(key []byte) bool {
	if len(w.value) == 0 || !samePlace(key, w.value) {
		w.value, w.alike = append(w.value[:0], key[:bytes.IndexByte(key[1:], 0)+1]...), 0
	}
	w.alike++
	return w.alike > maxAlike
}

// settle decides about one value of an id and writes the outcome.
func (w *factWriter) settle(key []byte, old, fresh *stored) error {
	im := w.im
	var e pulled
	ok := false
	if len(im.ids) > 0 {
		id := ""
		if fresh != nil {
			id = fresh.ID
		} else {
			id = old.ID
		}
		e, ok = im.ids[digestOf(id)]
	}
	mode := im.mode
	if im.renew {
		mode = fact.Update
		if im.still && im.mode == fact.Replace && old.End == stands {
			old.Seen = im.now // it still says it
		}
	}
	f, known := settle(mode, im.now, old, fresh, e, ok)
	became := func(what string) {
		if fresh != nil {
			im.report.Became[what]++
		}
	}
	if !known {
		became(BecameOlder)
		return nil
	}
	if w.forgotten(&f) {
		became(f.passed())
		return nil
	}
	i, a, why := w.d.derive(&f)
	if a == counts && w.crowd(key) {
		a, why = refused, "the feed has more than "+strconv.Itoa(maxAlike)+" ids for this value"
	}
	f.Effect, f.Aside = a, why
	switch {
	case fresh != nil && f.Version > fresh.Version && f.End == stands:
		became(BecameOlder)
	case a == counts:
		became(BecameCounting)
	default:
		became(f.reason())
	}
	w.buf = appendStored(w.buf[:0], &f)
	if err := w.facts.add(key, w.buf); err != nil {
		return err
	}
	if a != counts {
		im.report.Aside[f.reason()]++
		if a == skipped {
			im.report.Skipped++
		}
		if i.Type == schema.ObservableUnknown || a != ended && a != expired || !w.d.over.about(&i) {
			return nil
		}
	}
	return w.indicator(key, &i, a)
}

// reason is the word for a fact that does not count.
func (f *stored) reason() string {
	switch f.End {
	case revoked:
		return AsideRevoked
	case missing:
		return AsideMissing
	case superseded:
		return AsideSuperseded
	}
	return f.Effect.String()
}

// passed is the word for a fact that ended so long ago that it is not kept.
func (f *stored) passed() string {
	if f.End == stands {
		return AsideExpired
	}
	return f.reason()
}

// forgotten reports whether a fact ended so long ago that it is not kept. What a feed
// still says is kept for as long, whenever it ended: who asks is told why it does not
// count.
func (w *factWriter) forgotten(f *stored) bool {
	cfg, now := &w.im.l.cfg, w.im.now
	switch {
	case w.d.over.about(&f.Indicator):
		return false
	case f.End == missing:
		return f.Ended+spanMillis(cfg.ForgetMissing) <= now
	case f.End != stands:
		return f.Ended+spanMillis(cfg.ForgetAfter) <= now
	}
	return f.ValidUntil != 0 && max(f.ValidUntil, f.Seen)+spanMillis(cfg.ForgetAfter) <= now
}

// indicator writes one that counts, or that an override may let count.
func (w *factWriter) indicator(key []byte, i *schema.Indicator, a aside) error {
	if err := w.gone(key); err != nil {
		return err
	}
	w.buf = appendCurrent(w.buf[:0], i, a)
	r := &w.im.report
	had := !w.before.done && bytes.Equal(w.before.key, key)
	same := had && bytes.Equal(w.before.payload, w.buf)
	did := had && aside(w.before.payload[0]) == counts
	switch {
	case a != counts && did && a == expired:
		r.Expired++
	case a != counts && did:
		r.Removed++
	case a != counts && !same:
		r.Changed++
	case a != counts:
	case same:
		r.Unchanged++
	case did:
		r.Changed++
	default:
		r.Added++
	}
	if a == counts {
		if r.Indicators++; r.Indicators > w.im.l.cfg.MaxIndicators {
			return w.im.l.tooMany()
		}
		r.Types[i.Type.String()]++
		if i.ValidUntil != 0 && (w.next.NextExpiry == 0 || i.ValidUntil+w.d.grace < w.next.NextExpiry) {
			w.next.NextExpiry = min(i.ValidUntil+w.d.grace, lastTime)
		}
	}
	if had {
		if err := w.before.next(); err != nil {
			return err
		}
	}
	return w.current.add(key, w.buf)
}

// gone counts what stood in the .current before up to the key (nil: to the end) and
// no longer does.
func (w *factWriter) gone(key []byte) error {
	for !w.before.done && (key == nil || bytes.Compare(w.before.key, key) < 0) {
		i, a, ok := decodeCurrent(w.im.feed.Name, w.before.key, w.before.payload)
		switch {
		case !ok:
			return w.table.damaged("an indicator is none")
		case i.ValidUntil != 0 && i.ValidUntil+w.d.grace <= w.im.now && a == counts:
			w.im.report.Expired++
		default:
			w.im.report.Removed++
		}
		if err := w.before.next(); err != nil {
			return err
		}
	}
	return nil
}

// fill completes the state of a generation whose files are written.
func (im *Import) fill(next *state) (err error) {
	r := &im.report
	next.Summary = summary(&im.feed)
	next.Derived, next.Pulled, next.Good, next.Changed = im.now, im.now, im.now, im.now
	next.Due = im.now + spanMillis(im.feed.Every)
	next.Refused, next.First, next.Settled = im.number, im.now, im.now
	if old := im.old; old != nil {
		if old.Settings == next.Settings {
			next.Settled = old.Settled
		}
		next.Fetch = old.Fetch
		if old.First > 0 {
			next.First = old.First
		}
		if next.Kept = old.kept(); im.without.current {
			next.Kept = old.Kept
		} else if old.Current > 0 && !r.changes() {
			next.Current, next.Kept, next.Changed = old.Current, old.Kept, old.Changed
		}
		if im.renew { // no pull: only what was derived is other
			next.Mode, next.Pulled, next.Good, next.Due, next.Error, next.Errors = old.Mode, old.Pulled, old.Good, old.Due, old.Error, old.Errors
			next.Changed, next.Refused = old.Changed, old.Refused
		}
	}
	if next.Kept, err = im.l.needed(im.feed.Name, next.Kept, im.l.cfg.Keep-1); err != nil {
		return err
	}
	r.Generation = next.Current
	next.Report = *r
	next.Standing = Standing{Indicators: r.Indicators, Types: r.Types, Aside: r.Aside, Objects: r.Objects, Relations: r.Relations, Sightings: r.Sightings}
	if im.renew {
		next.Report = im.old.Report
	}
	return nil
}

// settings is a digest of everything besides facts that indicators are derived from.
func (l *Library) settings(feed *fact.Feed) string {
	text, err := json.Marshal(struct {
		Rules          []Rule
		Grace, Threats int64
		Feed           Summary
	}{l.cfg.Rules, int64(l.cfg.Grace), int64(l.cfg.MaxThreats), summary(feed)})
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%016x", xxh3.Hash(text))
}
