package service

import (
	"context"
	"sync"
	"time"
)

// publishing is what is committed and not yet published.
type publishing struct {
	wake chan struct{}

	mu    sync.Mutex
	since time.Time // of the oldest commit that is not published; zero: none
	fails int       // in a row
	err   error
}

// commitSeen notes a commit and wakes the publisher.
func (s *Service) commitSeen() {
	p := &s.publishing
	p.mu.Lock()
	if p.since.IsZero() {
		p.since = s.ports.Now()
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// lag gives how long the oldest unpublished commit has waited.
func (s *Service) lag() time.Duration {
	p := &s.publishing
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		return 0
	}
	return max(0, s.ports.Now().Sub(p.since))
}

const (
	publishRetryMin = time.Second
	publishRetryMax = time.Minute
)

// publish publishes after commits until ctx ends. Commits that come while it
// publishes or waits are published together.
func (s *Service) publish(ctx context.Context) {
	p := &s.publishing
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		for retry := publishRetryMin; !s.publishOnce(ctx); retry = min(2*retry, publishRetryMax) {
			if !sleep(ctx, retry) {
				return
			}
		}
		if !sleep(ctx, s.cfg.PublishEvery) {
			return
		}
	}
}

func (s *Service) publishOnce(ctx context.Context) bool {
	p := &s.publishing
	p.mu.Lock()
	before := p.since
	p.since = time.Time{} // what is committed from here on may miss this publication
	p.mu.Unlock()
	err := s.ports.Publish.Publish(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	if err == nil {
		p.fails = 0
		return true
	}
	if !before.IsZero() {
		p.since = before
	}
	if p.fails++; p.fails == 1 && ctx.Err() == nil { // once for each outage
		s.log.Error("indicators not published, trying again", "error", err)
	}
	return false
}

// sleep waits, and reports false where ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
