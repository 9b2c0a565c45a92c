package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// folder folds what waits in the queue of one feed into the library.
type folder struct {
	s    *Service
	q    *upload.Queue
	pace pacer

	fails int       // in a row
	retry time.Time // after a failure
	limit int       // requests of the next fold; zero: any number
}

const (
	foldRetryMin = time.Second
	foldRetryMax = time.Minute
	// foldBytes of a queue are folded sooner than the pace would have it.
	foldBytes = 32 << 20
)

// fold folds a queue as it fills, until ctx ends. What waits then is left for the next
// start.
func (s *Service) fold(ctx context.Context, q *upload.Queue) {
	f := folder{s: s, q: q}
	for f.await(ctx) {
		f.once(ctx)
	}
}

// await waits until there is something that may be folded; false: ctx has ended.
func (f *folder) await(ctx context.Context) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var came time.Time
	for ctx.Err() == nil {
		var due <-chan time.Time
		if w := f.q.Waiting(); w.Bytes > 0 {
			now := f.s.ports.Now()
			if came.IsZero() {
				came = now
			}
			at := later(came.Add(foldSoon), f.pace.next())
			switch {
			case f.fails > 0:
				at = f.retry
			case f.limit > 0 || w.Bytes >= min(foldBytes, f.s.cfg.Upload.MaxWaiting/4):
				at = f.pace.soon
			}
			wait := at.Sub(now)
			if wait <= 0 {
				return true
			}
			timer.Reset(min(wait, foldBurst*foldEvery+maxRest)) // the clock may be set back
			due = timer.C
		} else {
			f.limit = 0
		}
		select {
		case <-ctx.Done():
		case <-f.q.Added():
		case <-due:
		}
	}
	return false
}

// once folds the front of the queue. Where that fails, fewer requests are tried, down to
// one: a bound of the library may be passed by all of them together.
func (f *folder) once(ctx context.Context) {
	s := f.s
	began := s.ports.Now()
	feed, n, err := f.front(ctx)
	ended := s.ports.Now()
	switch {
	case err == nil:
		f.fails = 0
		f.pace.folded(began, ended)
		if n < f.limit {
			f.limit = 0
		}
		f.limit *= 4
	case ctx.Err() != nil:
	default:
		f.fails++
		wait := min(foldRetryMin<<min(f.fails-1, 10), foldRetryMax)
		if n > 1 {
			f.limit, wait = n/2, foldRetryMin
		}
		f.retry = ended.Add(wait)
		f.failed(ctx, feed, err)
	}
}

// front folds the front of the queue, n requests.
func (f *folder) front(ctx context.Context) (feed fact.Feed, n int, err error) {
	s := f.s
	feed.Name = f.q.Feed()
	b, err := f.q.Take(f.limit)
	if err != nil || b == nil {
		return feed, 0, err
	}
	s.step("upload_taken")
	feed, n = s.settings(f.q.Feed(), b.Records), len(b.Records)
	buryForeign(&feed, b)
	err = s.ingest(ctx, &feed, b.Records)
	if bad := (*unreadableError)(nil); errors.As(err, &bad) {
		s.buryUnreadable(ctx, &feed, b)
		err = s.ingest(ctx, &feed, b.Records)
	}
	if p := (*panicError)(nil); errors.As(err, &p) && len(b.Records) == 1 {
		b.Bury(func(*upload.Record) error { return p })
		err = nil
	}
	if err != nil {
		return feed, n, err
	}
	s.step("upload_folded")
	return feed, n, b.Done()
}

// settings gives a feed's settings: those of the configuration or, where it has none any
// more, those that came last with what was accepted.
func (s *Service) settings(name string, records []upload.Record) fact.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.feeds[name]; e != nil && e.feed != nil {
		return *e.feed
	}
	f := fact.Feed{}
	if n := len(records); n > 0 {
		f = records[n-1].Feed
	}
	f.Name = name
	return f
}

// unreadableError says that a record, rather than the library, is what failed.
type unreadableError struct{ error }

func (e *unreadableError) Unwrap() error { return e.error }

// ingest takes requests into a feed, in their order, as one commit. What they say that
// is refused is in the feed's list of refusals.
func (s *Service) ingest(ctx context.Context, f *fact.Feed, records []upload.Record) (err error) {
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PullTimeout, errTooLong)
	defer cancel()
	imp, err := s.ports.Library.Begin(ctx, f, fromUpload, fact.Update, s.ports.Now())
	if err != nil {
		return fmt.Errorf("feed %s: %w", f.Name, err)
	}
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, contain(imp.Abort))
		}
	}()
	to := &intake{Import: imp}
	for i := range records {
		r := &records[i]
		if err := s.parse(ctx, f, r.Objects, r.Time.Time(), to); err != nil {
			err = fmt.Errorf("feed %s: parsing an upload: %w", f.Name, err)
			if to.err == nil && ctx.Err() == nil {
				err = &unreadableError{err}
			}
			return err
		}
	}
	report, err := s.commit(ctx, imp, nil)
	if err != nil && !to.others && report.Read == 0 && report.Refused > 0 {
		s.log.Warn("uploads say nothing that is taken any more", "feed", f.Name, "requests", len(records), "refused", report.Refused, "error", err)
		return nil // the library takes no pull of which it can use nothing
	}
	if err != nil {
		s.commitSeen() // it may yet count: only cleaning up behind it failed
		return fmt.Errorf("feed %s: committing uploads: %w", f.Name, err)
	}
	committed = true
	s.uploaded(f, report)
	return nil
}

// intake passes facts on and remembers whether the library failed.
type intake struct {
	Import
	others bool // it was given something besides indicators
	err    error
}

func (x *intake) keep(err error) error {
	if err != nil && x.err == nil {
		x.err = err
	}
	return err
}

func (x *intake) Said(line int, f fact.Said) error { return x.keep(x.Import.Said(line, f)) }
func (x *intake) Refuse(r fact.Refusal) error      { return x.keep(x.Import.Refuse(r)) }

func (x *intake) Object(line int, f fact.Object) error {
	x.others = true
	return x.keep(x.Import.Object(line, f))
}

func (x *intake) Relation(line int, f fact.Relation) error {
	x.others = true
	return x.keep(x.Import.Relation(line, f))
}

func (x *intake) Sighting(line int, f fact.Sighting) error {
	x.others = true
	return x.keep(x.Import.Sighting(line, f))
}

// buryUnreadable buries every record of a batch that cannot be parsed. Each could be
// when it was accepted: the program has become another one since.
func (s *Service) buryUnreadable(ctx context.Context, f *fact.Feed, b *upload.Batch) {
	b.Bury(func(r *upload.Record) error {
		if err := s.parse(ctx, f, r.Objects, r.Time.Time(), nowhere{}); ctx.Err() == nil {
			return err
		}
		return nil
	})
}

// buryForeign buries what was accepted for another tenant than the feed's, which must
// not see it, and all where the feed's name is that of one that is pulled now. What was
// everybody's may become a tenant's.
func buryForeign(f *fact.Feed, b *upload.Batch) {
	b.Bury(func(r *upload.Record) error {
		if f.Transport != fact.TransportUpload {
			return fmt.Errorf("it was uploaded, the feed is pulled by %s now", f.Transport)
		}
		if t := r.Feed.Tenant; t != "" && t != f.Tenant {
			return fmt.Errorf("it was accepted for tenant %q, the feed is of tenant %q now", t, f.Tenant)
		}
		return nil
	})
}

// nowhere takes facts and keeps none.
type nowhere struct{}

func (nowhere) Said(int, fact.Said) error         { return nil }
func (nowhere) Object(int, fact.Object) error     { return nil }
func (nowhere) Relation(int, fact.Relation) error { return nil }
func (nowhere) Sighting(int, fact.Sighting) error { return nil }
func (nowhere) Refuse(fact.Refusal) error         { return nil }

// uploaded notes a commit of uploads.
func (s *Service) uploaded(f *fact.Feed, r Report) {
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	e := s.entry(f.Name)
	if e.feed == nil {
		e.adopt(f, now)
	}
	e.pulled, e.told, e.good, e.fails, e.err = now, now, now, 0, ""
	s.commitBooked(e, r, now)
	s.mu.Unlock()
	s.commitSeen()
	s.wake()
}

// failed notes a fold that failed.
func (f *folder) failed(ctx context.Context, feed fact.Feed, err error) {
	s, now := f.s, f.s.ports.Now()
	s.mu.Lock()
	e := s.entry(f.q.Feed())
	e.pulled, e.told, e.fails, e.err = schema.FromTime(now), schema.FromTime(now), f.fails, cut(err.Error())
	s.mu.Unlock()
	w := f.q.Waiting()
	attrs := []any{"feed", f.q.Feed(), "failures", f.fails, "requests", w.Requests, "bytes", w.Bytes, "next", schema.FromTime(f.retry).String(), "error", cut(err.Error())}
	if p := (*panicError)(nil); errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	s.log.Warn("accepted uploads are not in the library yet", attrs...)
	if feed.Transport != "" {
		ctx, cancel := context.WithTimeout(ctx, foldRetryMax)
		defer cancel()
		s.tellLibrary(feed.Name, s.ports.Library.Failed(ctx, &feed, err, f.retry, now))
	}
}
