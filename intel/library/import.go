package library

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Import takes the facts of one pull. It is a fact.Sink for one goroutine. Commit
// puts them in force; until then, and after Abort, all is as it was.
type Import struct {
	l      *Library
	ctx    context.Context
	feed   fact.Feed
	mode   fact.Mode
	now    schema.Millis
	lock   *lock
	old    *state // nil: the feed is new
	dir    string
	number uint64 // of the generation that is being made

	facts, things *sorter
	ids           ids
	refusals      *os.File
	refusalText   *bufio.Writer
	refusalBytes  int
	told          func(fact.Refusal)      // nil: nobody asked
	stands        func(fact.Refusal) bool // of what was refused before; nil: nothing does
	report        Report
	read          int  // of everything that was taken
	without       lost // tables of before that are not built upon
	renew         bool // derives anew what is stored: nothing is pulled
	still         bool // and the feed is known to be as it was
	relations     int
	key, payload  []byte
	err           error // first of the sink
	done          bool
}

var _ fact.Sink = (*Import)(nil)

// Begin starts an import and waits until no other writer has the feed. origin says
// where the facts come from, for people.
func (l *Library) Begin(ctx context.Context, feed *fact.Feed, origin string, mode fact.Mode, now time.Time) (*Import, error) {
	if l.bad != nil {
		return nil, l.bad
	}
	im := &Import{l: l, ctx: ctx, feed: *feed, mode: mode, now: schema.FromTime(now), dir: l.feedDir(feed.Name), ids: ids{}}
	if err := l.mayHave(feed); err != nil {
		return nil, err
	}
	fail := func(err error) (*Import, error) {
		return nil, errors.Join(fmt.Errorf("importing feed %s: %w", feed.Name, err), im.Abort())
	}
	var err error
	if im.lock, err = lockFile(ctx, filepath.Join(im.dir, "lock"), "import of "+origin); err != nil {
		return fail(err)
	}
	if err := im.begin(); err != nil {
		return fail(err)
	}
	im.facts = &sorter{dir: im.dir, name: "facts", limit: l.cfg.SortBytes}
	im.things = &sorter{dir: im.dir, name: "objects", limit: max(1<<10, l.cfg.SortBytes/4)}
	im.report = Report{Feed: feed.Name, Origin: origin, Time: im.now}
	if err := l.step("begin"); err != nil {
		return fail(err)
	}
	im.report.File = generationFile(im.dir, im.number, refusedFile)
	if im.refusals, err = os.Create(im.report.File); err != nil {
		return fail(err)
	}
	im.refusalText = bufio.NewWriter(im.refusals)
	return im, nil
}

// begin looks at what is stored, and numbers the generation that is made.
func (im *Import) begin() (err error) {
	im.old, err = im.l.state(im.feed.Name)
	known := im.old
	switch _, damaged := damageOf(im.feed.Name, err); {
	case errors.Is(err, ErrUnknownFeed):
		im.old, known = nil, &state{Feed: im.feed.Name}
	case damaged && im.mode == fact.Replace:
		im.old = nil
		if known, err = im.l.numbered(im.feed.Name, im.now); err != nil {
			return err
		}
	case err != nil:
		return im.hopeless(err)
	}
	im.number = known.Last + 1
	if im.old != nil {
		if err := im.owned(); err != nil {
			return err
		}
	}
	if damaged := im.old == nil && known.Last > 0; damaged {
		return nil // a commit sweeps; until then nobody knows what is needed
	}
	return im.l.sweep(known)
}

// mayHave reports a feed that the library cannot take.
func (l *Library) mayHave(feed *fact.Feed) error {
	if !feedName.MatchString(feed.Name) {
		return fmt.Errorf("feed name %q: want letters, digits, dot, dash and underscore, at most 100", feed.Name)
	}
	if feed.Name == Analyst {
		return fmt.Errorf("feed name %q is that of what analysts add themselves", Analyst)
	}
	return nil
}

// fail makes an error stick: nothing that follows it may be committed.
func (im *Import) fail(err error) error {
	if err != nil && im.err == nil {
		im.err = fmt.Errorf("importing feed %s: %w", im.feed.Name, err)
	}
	return im.err
}

// ready reports why nothing can be taken.
func (im *Import) ready() error {
	if im.done {
		return fmt.Errorf("importing feed %s: the import is over", im.feed.Name)
	}
	if im.err == nil && im.ctx.Err() != nil {
		return im.fail(context.Cause(im.ctx))
	}
	return im.err
}

const maxID = 1 << 10

// lastTime is the last that can be written as text.
const lastTime schema.Millis = 253402300799999

func inRange(times ...schema.Millis) bool {
	for _, t := range times {
		if t < 0 || t > lastTime {
			return false
		}
	}
	return true
}

func badID(id string) bool { return len(id) > maxID || strings.IndexByte(id, 0) >= 0 }

// Said takes an indicator. One that must not stand in an index is refused.
func (im *Import) Said(line int, s fact.Said) error {
	if err := im.ready(); err != nil {
		return err
	}
	s.Feed = im.feed.Name
	bare := s.Revoked && s.Value == ""
	void := !s.Revoked && s.Value == "" && s.Version > 0
	if s.ID == "" && s.Value != "" {
		s.ID = derivedID(s.Feed, s.Type, s.Value)
	}
	why := ""
	switch {
	case s.ID == "":
		why = "has neither an id nor a value"
	case badID(s.ID):
		why = "its id is too long, or has a zero byte"
	case strings.IndexByte(s.Value, 0) >= 0:
		why = "its value has a zero byte"
	case s.Confidence > 100:
		why = fmt.Sprintf("confidence %d: want 0 to 100", s.Confidence)
	case !inRange(s.Version, s.ValidFrom, s.ValidUntil, s.Fresh):
		why = "a time lies before 1970 or behind the year 9999"
	case !bare && !void:
		probe := s.Indicator
		if probe.Tenant == "" {
			probe.Tenant = im.feed.Tenant
		}
		why = standing(&probe)
	}
	if s.Revoked && !bare && why != "" && s.ID != "" && !badID(s.ID) && s.Version >= 0 && s.Version <= lastTime {
		bare, why = true, "" // what its value is does not matter to taking it back
	}
	if why != "" {
		return im.Refuse(fact.Refusal{Line: line, Value: s.Value, Reason: why})
	}
	if bare {
		s.Indicator = schema.Indicator{ID: s.ID, Feed: s.Feed}
	}
	if s.Version > 0 || s.Revoked {
		if len(im.ids) >= im.l.cfg.MaxVersioned {
			return im.fail(fmt.Errorf("more than %d objects with a version in one pull: raise max_versioned, or split it", im.l.cfg.MaxVersioned))
		}
		im.ids.note(digestOf(s.ID), &s)
	}
	if void { // that there is this version is all it says
		return nil
	}
	if im.report.Read >= im.l.cfg.MaxIndicators {
		return im.fail(im.l.tooMany())
	}
	f := stored{Said: s}
	if s.Revoked {
		f.End = revoked
	}
	im.read++
	im.report.Read++
	im.key = appendKey(im.key[:0], s.Type, s.Value, s.ID)
	im.payload = appendStored(im.payload[:0], &f)
	return im.fail(im.facts.add(im.key, im.payload))
}

// Watch has every refusal told to f, those of the library itself too: a report has
// only the first.
func (im *Import) Watch(f func(fact.Refusal)) { im.told = f }

// maxRefusalText bounds the file of refusals, in bytes.
const maxRefusalText = 64 << 20

func (l *Library) tooMany() error {
	return fmt.Errorf("more than %d indicators: raise max_indicators, or split the feed", l.cfg.MaxIndicators)
}

// Refuse notes what was not taken. The report has the first ones, the generation's
// file as many as it may hold.
func (im *Import) Refuse(r fact.Refusal) error {
	if err := im.ready(); err != nil {
		return err
	}
	if len(r.Value) > 120 {
		r.Value = strings.ToValidUTF8(r.Value[:120], "") + "..."
	}
	r.Reason, r.Part = shorten(r.Reason, 1000), shorten(r.Part, 1000)
	if im.told != nil {
		im.told(r)
	}
	return im.fail(im.list(r))
}

// list notes a refusal in the report and the file.
func (im *Import) list(r fact.Refusal) error {
	im.report.Refused++
	if r.Noise {
		im.report.Noise++
	}
	if len(im.report.Refusals) < im.l.cfg.MaxListed {
		im.report.Refusals = append(im.report.Refusals, r)
	}
	if im.refusalBytes >= maxRefusalText { // a feed of nonsense would fill the disk many times over
		return nil
	}
	text, err := json.Marshal(r)
	if err == nil {
		im.refusalBytes += len(text) + 1
		_, err = im.refusalText.Write(append(text, '\n'))
	}
	if err == nil && im.refusalBytes >= maxRefusalText {
		text, err = json.Marshal(fact.Refusal{Reason: "what else was refused is counted, not listed"})
		if err == nil {
			_, err = im.refusalText.Write(append(text, '\n'))
		}
	}
	return err
}

// Abort ends an import without effect. It may be called more than once, and after
// Commit.
func (im *Import) Abort() error {
	if im.done {
		return nil
	}
	im.done = true
	im.report.File = "" // it goes, too
	var err error
	if im.refusals != nil { // the lock is held, and the number is not in force
		err = im.refusals.Close()
		for _, kind := range [...]string{"facts", "current", "objects", refusedFile} {
			if e := os.Remove(generationFile(im.dir, im.number, kind)); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return errors.Join(err, im.end())
}

// end gives back what an import holds.
func (im *Import) end() (err error) {
	for _, s := range []*sorter{im.facts, im.things} {
		if s != nil {
			err = errors.Join(err, s.drop())
		}
	}
	if im.lock != nil {
		err = errors.Join(err, im.lock.release())
		im.lock = nil
	}
	return err
}
