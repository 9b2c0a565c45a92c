package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/schema"
)

// outcome is how a pull ended.
type outcome struct {
	began, ended time.Time
	result       fetch.Result
	report       Report
	committed    bool
	tried        bool // a commit was begun
	origin       origin
	looked       bool   // files were looked at and left: there was no pull
	print        string // of the files that were pulled
	state        []byte // for the next pull, where nothing was committed
	err          error
}

var (
	errTooLong  = errors.New("the pull took too long")
	errWavers   = errors.New("what the parts mean changed from one pull to the next")
	errNotMeant = errors.New("the facts mean something else than was planned")
)

// look pulls a feed that is due, unless it is of files that are as they were or are
// being written: half a file is no feed.
func (s *Service) look(ctx context.Context, f fact.Feed) outcome {
	if f.Transport != fact.TransportFile {
		return s.pull(ctx, f, origin{})
	}
	seen, worth := s.worth(&f)
	if !worth {
		now := s.ports.Now()
		return outcome{began: now, ended: now, looked: true}
	}
	out := s.pull(ctx, f, origin{})
	out.print = seen.Print
	return out
}

// worth reports whether files are to be read: they have changed and are whole, or it
// has been long since they were; a file that is written all the time is never whole. What
// could not be used is tried again at once when it is another, and as it is after the
// back-off.
func (s *Service) worth(f *fact.Feed) (seen fetch.Seen, worth bool) {
	state, _, err := s.ports.Library.State(f.Name)
	if err != nil {
		state = nil // the pull says so
	}
	seen = s.ports.Fetch.Look(f, remember(state).Fetch)
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.feeds[f.Name]
	other := seen.Settled && seen.Print != e.print
	switch {
	case e.read == 0 || now < e.read:
		worth = true
	case e.fails > 0:
		worth = other || now >= e.retry
	default:
		worth = now-e.read >= millis(f.Every) || seen.Settled && seen.Changed || len(e.broken) > 0 && other
	}
	if worth {
		e.read = now
	}
	return seen, worth
}

// origin is who wants a pull.
type origin struct {
	shrink bool // somebody has looked, and lets the feed lose what it may
}

// String tells people.
func (o origin) String() string {
	if o.shrink {
		return "pull that may shrink the feed (--accept-shrink)"
	}
	return "pull"
}

// pull gets, parses and commits one feed. What was taken is thrown away unless the
// commit succeeds.
func (s *Service) pull(ctx context.Context, f fact.Feed, o origin) (out outcome) {
	out.began, out.origin = s.ports.Now(), o
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PullTimeout, errTooLong)
	defer cancel()
	out.err = s.pullTwice(ctx, &f, o, &out)
	if out.err != nil && context.Cause(ctx) == errTooLong {
		out.err = fmt.Errorf("%w (%s): %w", errTooLong, s.cfg.PullTimeout, out.err)
	}
	out.ended = s.ports.Now()
	return out
}

// pullTwice pulls, and once more where only the end of the pull tells that its
// facts mean something else than they were taken for: the feed's place is new, or
// not all of it could be had.
func (s *Service) pullTwice(ctx context.Context, f *fact.Feed, o origin, out *outcome) error {
	state, known, err := s.ports.Library.State(f.Name)
	if err != nil {
		return fmt.Errorf("feed %s: reading its state: %w", f.Name, err)
	}
	m := remember(state)
	p := s.plan(f, m, known, o.shrink)
	if o.shrink {
		f.MaxShrink = 0
	}
	err = s.pullInto(ctx, f, o, p, m, known, out)
	if errors.Is(err, errNotMeant) {
		s.log.Info("feed is pulled anew", "feed", f.Name, "full", out.result.Full, "skipped", len(out.result.Skipped), "broken", len(out.result.Broken))
		err = s.pullInto(ctx, f, o, p.again(&out.result, m, f), m, known, out)
	}
	if errors.Is(err, errNotMeant) {
		return fmt.Errorf("feed %s: %w", f.Name, errWavers)
	}
	return err
}

func (s *Service) pullInto(ctx context.Context, f *fact.Feed, o origin, p plan, m memory, known bool, out *outcome) (err error) {
	var imp Import // begun when there is something to take
	defer func() {
		if imp != nil && !out.committed {
			err = errors.Join(err, contain(imp.Abort))
		}
	}()
	begin := func() (err error) {
		if imp == nil {
			imp, err = s.ports.Library.Begin(ctx, f, o.String(), p.mode, s.ports.Now())
		}
		return err
	}
	read := map[string]bool{}
	err = contain(func() (err error) {
		out.result, err = s.ports.Fetch.Pull(ctx, f, p.state, func(part fact.Part, body io.Reader) error {
			if why := p.leave[part.Name]; why != nil {
				return fetch.BadPart(why)
			}
			read[part.Name] = true
			if err := begin(); err != nil {
				return err
			}
			to := &intake{Import: imp}
			err := s.ports.Parse(ctx, body, f, part, schema.FromTime(s.ports.Now()), to)
			if err != nil && to.err == nil && ctx.Err() == nil {
				return fetch.BadPart(err)
			}
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	if out.state, err = m.after(&out.result, s.ports.Now()); err != nil {
		return fmt.Errorf("feed %s: keeping the fetcher's state: %w", f.Name, err)
	}
	if out.result.NotModified {
		return nil
	}
	if known && meant(&out.result) != p.mode || !p.left(&out.result) { // where nothing is stored, both are the same
		return errNotMeant
	}
	if err := begin(); err != nil { // a feed may say that it has nothing left to say
		return err
	}
	if p.mode == fact.Update && (out.result.Whole || len(p.leave) > 0) { // each part is all there is of its name
		for _, name := range out.result.Gone {
			read[name] = true
		}
		imp.Keep(func(r fact.Refusal) bool { return r.Part != "" && !read[r.Part] })
	}
	out.tried = true
	out.report, err = s.commit(ctx, imp, out.state)
	out.committed = err == nil
	return err
}

// commit commits an import when no other is being committed.
func (s *Service) commit(ctx context.Context, imp Import, state []byte) (r Report, err error) {
	select {
	case s.committing <- struct{}{}:
		defer func() { <-s.committing }()
	case <-ctx.Done():
		return Report{}, fmt.Errorf("waiting to commit: %w", context.Cause(ctx))
	}
	err = contain(func() (err error) {
		r, err = imp.Commit(state)
		return err
	})
	return r, err
}

// contain turns a panic into an error: text that a parser or the library was not
// made for may cost its own feed, not the others, and not again at every start.
func contain(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return do()
}

// panicError is a panic that was contained.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }
