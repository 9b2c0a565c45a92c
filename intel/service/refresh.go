package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// refreshEvery is how often feeds that are filled by uploads are derived anew, where
// that is due: nobody may send anything for months, while ends come and rules change.
const refreshEvery = time.Hour

// refresh does so at once and then by the clock, until ctx ends.
func (s *Service) refresh(ctx context.Context) {
	for {
		for _, f := range s.sent() {
			if err := s.refreshOne(ctx, &f); err != nil && ctx.Err() == nil {
				s.log.Warn("what was uploaded is not derived anew", "feed", f.Name, "again", refreshEvery.String(), "error", err)
			}
		}
		if !sleep(ctx, refreshEvery) {
			return
		}
	}
}

// expireEvery is how late the feeds may decide again after an override's time has come.
const expireEvery = time.Minute

// expire takes overrides back whose time has come, and has that published, until ctx
// ends.
func (s *Service) expire(ctx context.Context) {
	for {
		n, err := s.ports.Library.Expire(ctx, s.ports.Now())
		if err != nil && ctx.Err() == nil {
			s.log.Warn("overrides whose time has come are not taken back", "again", expireEvery.String(), "error", err)
		}
		if n > 0 {
			s.log.Info("overrides have come to their end: the feeds decide again", "overrides", n)
			s.commitSeen()
		}
		if !sleep(ctx, expireEvery) {
			return
		}
	}
}

// sent lists the feeds that are filled by uploads and whose settings are known, in
// order.
func (s *Service) sent() []fact.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []fact.Feed
	for _, e := range s.feeds {
		if e.feed != nil && !e.pulls() {
			list = append(list, *e.feed)
		}
	}
	slices.SortFunc(list, func(a, b fact.Feed) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// refreshOne does not take its turn to commit: an upload has the feed's lock while it
// waits for its own.
func (s *Service) refreshOne(ctx context.Context, f *fact.Feed) error {
	changed := false
	err := contain(func() (err error) {
		changed, err = s.ports.Library.Refresh(ctx, f, s.ports.Now())
		return err
	})
	if changed {
		s.commitSeen()
	}
	return err
}
