package intel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/stages/match"
)

// lookEvery is how often a manager looks whether somebody else changed the library,
// such as a command on the same machine.
const lookEvery = time.Second

// Manager is the one process that pulls feeds, takes uploads and publishes what
// counts. Two of one cluster do no harm: the second to start takes over.
type Manager struct {
	cfg Config
	dir string // the data folder
	lib *library.Library
	svc *service.Service
	pub *distribute.Publisher
	log *slog.Logger

	publish chan request
}

// request asks the one goroutine that publishes to do so.
type request struct {
	ctx  context.Context
	done chan error
}

// Parts are what a manager is given.
type Parts struct {
	Library *library.Library
	Writer  distribute.Writer // of the indicators log
	Match   match.Config
	// Matched gives how often each feed matched; nil: not known.
	Matched   func(context.Context) (map[string]service.Count, error)
	Registry  prometheus.Registerer // nil: no metrics
	Logger    *slog.Logger
	Failpoint func(string) // nil: none
}

// NewManager prepares a manager over a data folder. Close it.
func NewManager(cfg Config, dataDir string, p Parts) (*Manager, error) {
	m := &Manager{cfg: cfg, dir: dataDir, lib: p.Library, log: p.Logger, publish: make(chan request)}
	var err error
	m.pub, err = distribute.NewPublisher(cfg.Publish, filepath.Join(dataDir, "publisher"), source{p.Library, p.Match}, p.Writer, cfg.Snapshots.folder(dataDir),
		distribute.PublisherSettings{Logger: p.Logger, Failpoint: p.Failpoint})
	if err != nil {
		return nil, fmt.Errorf("preparing to publish indicators: %w", err)
	}
	ports, err := portsOf(cfg, p.Library)
	if err != nil {
		return nil, errors.Join(err, m.pub.Close())
	}
	ports.Publish, ports.Matched = m, p.Matched
	cfg.Pull.Feeds, cfg.Pull.Upload = cfg.Feeds, cfg.Upload
	if m.svc, err = service.New(cfg.Pull, ports, p.Logger); err != nil {
		return nil, errors.Join(err, m.pub.Close())
	}
	if p.Registry != nil {
		p.Registry.MustRegister(m.svc)
	}
	return m, nil
}

// Publish brings what the library holds to the workers. It returns when that is
// durable in the log, or when ctx ends.
func (m *Manager) Publish(ctx context.Context) error {
	r := request{ctx, make(chan error, 1)}
	select {
	case m.publish <- r:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status gives the state of the feeds and of the publisher.
func (m *Manager) Status(ctx context.Context) (service.Status, distribute.PublisherStatus, error) {
	st, err := m.svc.Status(ctx)
	return st, m.pub.Status(), err
}

// Run works until ctx ends or something cannot go on.
func (m *Manager) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.publishing(ctx) })
	g.Go(func() error { return m.svc.Run(ctx) })
	if m.cfg.Snapshots.Listen != "" {
		g.Go(func() error { return m.cfg.Snapshots.serve(ctx, m.cfg.Snapshots.folder(m.dir).Dir) })
	}
	return g.Wait()
}

// Close ends what NewManager began, after Run.
func (m *Manager) Close() error { return m.pub.Close() }

// publishing publishes when it is asked to, when the library has become another, and
// now and then, since a snapshot may be due by time alone.
func (m *Manager) publishing(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var last library.Version
	var next time.Time // no try before
	for first := true; ; first = false {
		var r request
		select {
		case <-ctx.Done():
			return nil
		case r = <-m.publish:
		case <-look.C:
			if time.Now().Before(next) {
				continue
			}
		}
		v, err := m.lib.Version()
		due := r.done != nil || first || v != last || time.Since(next) > time.Minute
		if err == nil && due {
			var p distribute.Published
			if p, err = m.pub.Publish(ctx); err == nil {
				last, next = v, time.Now()
				if p.Changes > 0 || p.Snapshot != "" {
					m.log.Info("published indicators", "changes", p.Changes, "snapshot", p.Snapshot, "reason", p.Reason, "refused", p.Refused)
				}
			}
		}
		if r.done != nil {
			r.done <- err
		} else if err != nil && ctx.Err() == nil {
			next = time.Now().Add(10 * time.Second)
			m.log.Warn("indicators could not be published", "error", err, "again", next)
		}
	}
}

// NewFollower makes a worker's follower of what is published. base gives the index
// where nothing is.
func NewFollower(cfg Config, dataDir string, log distribute.Log, holder *match.Holder, base func(context.Context) (*match.Index, error), logger *slog.Logger) (*distribute.Follower, error) {
	src, err := cfg.Snapshots.source(dataDir)
	if err != nil {
		return nil, err
	}
	return distribute.NewFollower(cfg.Follow, filepath.Join(dataDir, "follower"), log, src, holder, distribute.FollowerSettings{Logger: logger, Base: base})
}
