package service

import (
	"context"
	"errors"

	"github.com/interdict/interdict/schema"
)

// maxError bounds an error that is kept, in bytes.
const maxError = 500

// book notes how a pull ended. One that was aborted because the service stops
// did not happen: the feed stays due.
func (s *Service) book(ctx context.Context, name string, out outcome) {
	s.mu.Lock()
	e := s.feeds[name]
	e.running = false
	if out.err != nil && ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	now := schema.FromTime(out.ended)
	f := *e.feed
	idle := out.err == nil && !out.committed && e.watched() // a look at files that are as they were
	tell := !idle || e.fails > 0 || now-e.told >= millis(f.Every)
	e.pulled, e.took = now, out.ended.Sub(out.began)
	if out.err != nil {
		e.fails++
		e.err = cut(out.err.Error())
	} else {
		e.good, e.fails, e.err, e.skipped = now, 0, "", out.result.Skipped
	}
	again := s.next(e, out.began, out.ended, out.err)
	e.due = schema.FromTime(again)
	if out.committed {
		s.commitBooked(e, out.report, now)
	}
	if tell {
		e.told = now
	}
	fails := e.fails
	s.mu.Unlock()

	s.metrics.pulled(out)
	if out.tried { // one that failed may yet count: only cleaning up behind it failed
		s.commitSeen()
	}
	if !tell {
		return
	}
	switch {
	case out.err != nil:
		attrs := []any{"feed", name, "failures", fails, "next", schema.FromTime(again).String(), "error", cut(out.err.Error())}
		if p := new(panicError); errors.As(out.err, &p) {
			attrs = append(attrs, "stack", string(p.stack))
		}
		s.log.Warn("feed not pulled", attrs...)
		s.tellLibrary(name, s.ports.Library.Failed(ctx, &f, out.err, again, out.ended))
	case out.committed:
		r := out.report
		s.log.Info("feed pulled", "feed", name, "added", r.Added, "changed", r.Changed, "removed", r.Removed, "refused", r.Refused, "indicators", r.Indicators,
			"bytes", out.result.Bytes, "skipped", len(out.result.Skipped), "took", out.ended.Sub(out.began).String())
	default:
		s.log.Debug("feed not modified", "feed", name)
		s.tellLibrary(name, s.ports.Library.NotModified(ctx, &f, out.ended, out.state))
		s.commitSeen() // what follows from the time may have changed
	}
}

// commitBooked notes a commit in a feed's entry. The caller holds the lock.
func (s *Service) commitBooked(e *entry, r Report, now schema.Millis) {
	e.last = r
	if r.news() {
		e.news = now
	}
	t := &e.totals
	t.Added, t.Changed, t.Removed, t.Refused = t.Added+r.Added, t.Changed+r.Changed, t.Removed+r.Removed, t.Refused+r.Refused
}

func (s *Service) tellLibrary(name string, err error) {
	if err != nil {
		s.log.Error("pull not booked in the library", "feed", name, "error", err)
	}
}

func cut(text string) string {
	if len(text) > maxError {
		return text[:maxError] + "..."
	}
	return text
}

// alarms raises and clears the alarm of feeds that bring nothing new: one line in
// the log for each change, and a metric for as long as it lasts.
func (s *Service) alarms() {
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.feeds {
		at := e.quietAt()
		silent := at != 0 && now >= at
		if silent == e.silent {
			continue
		}
		e.silent = silent
		if silent {
			s.log.Error("feed is silent: it has brought nothing new", "feed", name, "since", e.since().String(), "allowed", e.feed.Silence.String(), "failures", e.fails)
		} else {
			s.log.Info("feed is no longer silent", "feed", name)
		}
	}
}
