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
	if out.looked { // they are as they were: what is known of them holds
		if e.due = now + millis(s.cfg.Tick); e.fails == 0 {
			e.pulled, e.good = now, now
		}
		s.mu.Unlock()
		return
	}
	e.pulled, e.told, e.took, e.print = now, now, out.ended.Sub(out.began), out.print
	if out.err != nil {
		e.fails++
		e.err = cut(out.err.Error())
	} else {
		e.good, e.fails, e.err, e.skipped, e.waiting = now, 0, "", out.result.Skipped, out.result.Waiting
	}
	again := s.next(e, out.began, out.ended, out.err)
	e.due = schema.FromTime(again)
	if e.watched() {
		e.retry, e.due = e.due, now+millis(s.cfg.Tick)
	}
	if out.committed {
		e.broken, e.origin = BrokenTexts(out.result.Broken), out.origin.String()
		s.commitBooked(e, out.report, now)
	}
	fails, broken := e.fails, e.broken
	s.mu.Unlock()

	s.metrics.pulled(out)
	if out.tried { // one that failed may yet count: only cleaning up behind it failed
		s.commitSeen()
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
		s.log.Info("feed pulled", "feed", name, "origin", out.origin.String(), "added", r.Added, "changed", r.Changed, "removed", r.Removed, "refused", r.Refused, "indicators", r.Indicators,
			"bytes", out.result.Bytes, "skipped", len(out.result.Skipped), "took", out.ended.Sub(out.began).String())
		if len(broken) > 0 {
			s.log.Warn("files of a feed cannot be used: what they said before stays, the others are in force", "feed", name, "files", len(out.result.Broken), "broken", broken)
		}
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
	// Before an alarm is raised, what another process did just now is looked at.
	_ = s.follow(s.quiet(now)) // it logs its error
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

// quiet reports that an alarm would be raised.
func (s *Service) quiet(now schema.Millis) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.feeds {
		if at := e.quietAt(); at != 0 && now >= at && !e.silent {
			return true
		}
	}
	return false
}
