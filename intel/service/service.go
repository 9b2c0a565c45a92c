package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// Service runs feeds. Run does so by schedule, PullOnce one at once; its methods
// may be called from several goroutines.
type Service struct {
	cfg     Config
	ports   Ports
	log     *slog.Logger
	upload  *upload.Handler // nil: off
	journal *upload.Journal // nil: there is none
	step    func(string)

	committing chan struct{} // holds one while an import is committed
	checking   chan struct{} // and while an upload is checked
	done       chan string   // a pull has ended
	woken      chan struct{} // something happened beside the loop
	metrics    metrics
	publishing publishing
	following  following

	mu    sync.Mutex
	feeds map[string]*entry
}

// New makes a service. What is due when it reads from the library.
func New(cfg Config, ports Ports, log *slog.Logger) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, ports: ports, log: log, committing: make(chan struct{}, 1), checking: make(chan struct{}, 1),
		done: make(chan string), woken: make(chan struct{}, 1), feeds: map[string]*entry{}, step: ports.Failpoint}
	if s.step == nil {
		s.step = func(string) {}
	}
	s.publishing.wake = make(chan struct{}, 1)
	s.metrics = newMetrics(s)
	stored, err := ports.Library.Feeds()
	if err != nil {
		return nil, fmt.Errorf("listing the library's feeds: %w", err)
	}
	if cfg.UploadDir != "" {
		if s.journal, err = upload.OpenJournal(cfg.UploadDir, cfg.Upload.MaxWaiting, ports.Failpoint, log); err != nil {
			return nil, err
		}
	}
	if cfg.Upload.Listen != "" {
		if s.journal == nil || ports.Trial == nil {
			return nil, errors.New("the upload API needs a journal and a library to try uploads in")
		}
		if s.upload, err = upload.New(cfg.Upload, cfg.Feeds, s, s.journal, ports.Now, log); err != nil {
			return nil, err
		}
	}
	now := schema.FromTime(ports.Now())
	for i := range stored {
		s.entry(stored[i].Name).restore(&stored[i])
	}
	for i := range cfg.Feeds {
		s.entry(cfg.Feeds[i].Name).adopt(&cfg.Feeds[i], now)
	}
	if s.upload != nil {
		for _, f := range s.upload.Feeds() {
			if e := s.entry(f.Name); e.feed == nil {
				e.adopt(&f, now)
			}
		}
	}
	return s, nil
}

// entry gives the entry of a feed, a new one if need be.
func (s *Service) entry(name string) *entry {
	e := s.feeds[name]
	if e == nil {
		e = &entry{}
		s.feeds[name] = e
	}
	return e
}

// Run pulls feeds as they fall due, publishes what is committed, serves uploads and
// folds them, until ctx ends; then pulls and folds under way are aborted. It fails only
// if uploads cannot be served.
func (s *Service) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside sync.WaitGroup
	if s.journal != nil {
		defer func() { err = errors.Join(err, s.journal.Close()) }()
	}
	defer beside.Wait()
	if s.upload != nil {
		l, err := s.upload.Listen(ctx)
		if err != nil {
			return err
		}
		s.log.Info("upload API", "address", l.Addr().String())
		beside.Go(func() {
			if err := s.upload.Serve(ctx, l); err != nil {
				cancel(err)
			}
		})
	}
	if s.journal != nil {
		for _, q := range s.journal.Queues() {
			beside.Go(func() { s.fold(ctx, q) })
		}
	}
	s.commitSeen() // what was committed and not published before the last end
	beside.Go(func() { s.publish(ctx) })
	beside.Go(func() { s.refresh(ctx) })
	beside.Go(func() { s.expire(ctx) })
	s.loop(ctx)
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (s *Service) loop(ctx context.Context) {
	running := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		for running < s.cfg.Parallel {
			name, f, ok := s.claim()
			if !ok {
				break
			}
			running++
			go func() {
				s.book(ctx, name, s.look(ctx, f))
				s.done <- name
			}()
		}
		s.alarms()
		timer.Reset(s.wait(running < s.cfg.Parallel))
		select {
		case <-timer.C:
		case <-s.done:
			running--
		case <-s.woken:
		case <-ctx.Done():
		}
	}
	for ; running > 0; running-- {
		<-s.done
	}
}

// wake has the loop look again at what is due.
func (s *Service) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// claim takes the feed that has been due the longest.
func (s *Service) claim() (string, fact.Feed, bool) {
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *entry
	for _, e := range s.feeds {
		if e.pulls() {
			e.bound(now)
		}
		if e.pulls() && !e.running && e.due <= now && (best == nil || e.due < best.due || e.due == best.due && e.feed.Name < best.feed.Name) {
			best = e
		}
	}
	if best == nil {
		return "", fact.Feed{}, false
	}
	best.running = true
	return best.feed.Name, *best.feed, true
}

// wait gives the time until something is to be done.
func (s *Service) wait(pulls bool) time.Duration {
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	next := now + millis(followEvery)
	for _, e := range s.feeds {
		if pulls && e.pulls() && !e.running {
			next = min(next, e.due)
		}
		if at := e.quietAt(); at != 0 && !e.silent {
			next = min(next, at)
		}
	}
	return max(time.Duration(next-now)*time.Millisecond, time.Millisecond)
}

// ErrUnknown and ErrBusy are why PullOnce did not pull.
var (
	ErrUnknown = errors.New("no such feed is configured to be pulled")
	ErrBusy    = errors.New("the feed is being pulled")
)

// PullOnce pulls a configured feed now, whenever it is due, books it and has it
// published by Run, if that runs. The report is of the commit; NotModified tells
// of a pull that brought nothing.
func (s *Service) PullOnce(ctx context.Context, name string) (Report, fetch.Result, error) {
	return s.pullNow(ctx, name, origin{})
}

// PullShrunk is PullOnce of all that the feed has, however much it has lost (see
// fact.Feed.MaxShrink): somebody has looked and accepts it this once. The report's
// origin says so.
func (s *Service) PullShrunk(ctx context.Context, name string) (Report, fetch.Result, error) {
	return s.pullNow(ctx, name, origin{shrink: true})
}

func (s *Service) pullNow(ctx context.Context, name string, o origin) (Report, fetch.Result, error) {
	s.mu.Lock()
	e := s.feeds[name]
	switch {
	case e == nil || !e.pulls():
		s.mu.Unlock()
		return Report{}, fetch.Result{}, fmt.Errorf("feed %s: %w", name, ErrUnknown)
	case e.running:
		s.mu.Unlock()
		return Report{}, fetch.Result{}, fmt.Errorf("feed %s: %w", name, ErrBusy)
	}
	e.running = true
	f := *e.feed
	s.mu.Unlock()
	out := s.pull(ctx, f, o)
	s.book(ctx, name, out)
	s.wake()
	return out.report, out.result, out.err
}

// Waiting tells what was uploaded and is not in the library yet.
func (s *Service) Waiting() []upload.Waiting {
	if s.journal == nil {
		return nil
	}
	return s.journal.Waiting()
}

// Names lists the feeds that are pulled, in order.
func (s *Service) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, e := range s.feeds {
		if e.pulls() {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
