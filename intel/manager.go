package intel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

// lookEvery is how often a manager looks whether somebody else changed the library,
// such as a command on the same machine, and a standby whether it may begin.
const lookEvery = time.Second

// rivalEvery is how often a manager looks whether another one writes.
const rivalEvery = 10 * time.Second

// ManagerState is what a manager does.
type ManagerState string

// States of a manager.
const (
	StateStarting ManagerState = "starting"
	StateStandby  ManagerState = "standby"  // another process manages in this data folder
	StateManaging ManagerState = "managing" // feeds are pulled and published here
	StateStopped  ManagerState = "stopped"  // another process has taken over, or it is of no use to go on
)

// Manager is the one process that pulls feeds, takes uploads and publishes what
// counts. Of two that share a data folder the second waits until the first is gone; of
// two with a folder each the second takes over and the first gives up, for good. A
// manager that waits or has given up is no error: its process may have other work.
type Manager struct {
	cfg   Config
	dir   string // the data folder
	parts Parts
	log   *slog.Logger

	publish chan request

	mu    sync.Mutex
	state ManagerState
	why   string                // it was replaced
	svc   *service.Service      // nil: before it has managed
	pub   *distribute.Publisher // nil: before it has managed
	done  covered
}

// covered says what of the library is on the log.
type covered struct {
	at     time.Time // of the library
	offset int64     // of the newest record
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
	// Beside is run while this process manages and is waited for. Its error ends Run;
	// one marked by stages.Permanent, such as that another process does it now, ends
	// only the managing. nil: nothing.
	Beside    func(context.Context) error
	Registry  prometheus.Registerer // nil: no metrics
	Logger    *slog.Logger
	Failpoint func(string) // nil: none
}

// NewManager prepares a manager over a data folder. Nothing is touched before Run.
func NewManager(cfg Config, dataDir string, p Parts) (*Manager, error) {
	if _, err := portsOf(cfg, p.Library); err != nil {
		return nil, err
	}
	if cfg.Snapshots.Listen != "" {
		if _, err := cfg.Snapshots.tls(); err != nil {
			return nil, err
		}
	}
	return &Manager{cfg: cfg, dir: dataDir, parts: p, log: p.Logger, publish: make(chan request), state: StateStarting}, nil
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

// ManagerStatus is a manager's part of `interdict status`.
type ManagerStatus struct {
	State ManagerState `json:"state"`
	Why   string       `json:"why,omitzero"` // it has stopped
	// The rest is there while it manages and after.
	Publisher *distribute.PublisherStatus `json:"publisher,omitempty"`
	Feeds     *service.Status             `json:"feeds,omitempty"`
	Uploads   []upload.Waiting            `json:"uploads,omitempty"` // accepted and not in the library yet
	Error     string                      `json:"error,omitzero"`    // the library cannot be read
}

// Status gives the state of the manager, the feeds and the publisher. It may be called
// at any time.
func (m *Manager) Status() ManagerStatus {
	m.mu.Lock()
	st := ManagerStatus{State: m.state, Why: m.why}
	svc, pub := m.svc, m.pub
	m.mu.Unlock()
	if pub == nil {
		return st
	}
	p := pub.Status()
	st.Publisher = &p
	feeds, err := svc.Status()
	st.Feeds, st.Uploads = &feeds, svc.Waiting()
	if err != nil {
		st.Error = err.Error()
	}
	return st
}

func (m *Manager) become(s ManagerState, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.why = s, why
}

// Covered gives a moment of which all that the library held is on the log, and the
// offset of the newest record then; false before anything was published.
func (m *Manager) Covered() (at time.Time, offset int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done.at, m.done.offset, !m.done.at.IsZero()
}

// Run manages as soon as no other process does in this data folder, until ctx ends. That
// another takes over is no error. It fails if it cannot begin, such as when the address
// of uploads is taken.
func (m *Manager) Run(ctx context.Context) error {
	c, err := m.await(ctx)
	if c == nil || err != nil {
		return err
	}
	err = errors.Join(m.lead(ctx), c.release())
	if !stages.IsPermanent(err) || ctx.Err() != nil {
		return err
	}
	m.become(StateStopped, err.Error())
	m.log.Error("threat intelligence is not managed here any more: no feed is pulled or published until this process is started again, its other work goes on", "error", err)
	return nil
}

// await waits until the data folder is free; nil if ctx ends before.
func (m *Manager) await(ctx context.Context) (*claim, error) {
	for told := false; ctx.Err() == nil; told = true {
		c, err := claimed(m.dir, "manager")
		if !errors.Is(err, errClaimed) {
			return c, err
		}
		if !told {
			m.become(StateStandby, "")
			m.log.Info("another process manages threat intelligence in this data folder, standing by", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
	return nil, nil
}

// lead manages until ctx ends or something ends it.
func (m *Manager) lead(ctx context.Context) (err error) {
	cfg, p := m.cfg, m.parts
	pub, err := distribute.NewPublisher(cfg.Publish, filepath.Join(m.dir, "publisher"), newSource(p.Library, p.Match, p.Logger), p.Writer, cfg.Snapshots.folder(m.dir),
		distribute.PublisherSettings{Logger: p.Logger, Failpoint: p.Failpoint})
	if err != nil {
		return fmt.Errorf("preparing to publish indicators: %w", err)
	}
	defer func() { err = errors.Join(err, pub.Close()) }()
	ports, err := portsOf(cfg, p.Library)
	if err != nil {
		return err
	}
	uploads := filepath.Join(m.dir, "uploads")
	ports.Publish, ports.Failpoint = m, p.Failpoint
	ports.Trial = service.Folder{Library: library.Open(filepath.Join(uploads, ".trial"), cfg.Library)}
	cfg.Pull.Feeds, cfg.Pull.Upload, cfg.Pull.UploadDir = cfg.Feeds, cfg.Upload, uploads
	svc, err := service.New(cfg.Pull, ports, p.Logger)
	if err != nil {
		return err
	}
	if p.Registry != nil {
		if err := p.Registry.Register(svc); err != nil {
			return fmt.Errorf("registering metrics of feeds: %w", err)
		}
		defer p.Registry.Unregister(svc)
	}
	m.mu.Lock()
	m.svc, m.pub, m.state = svc, pub, StateManaging
	m.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.publishing(ctx, pub) })
	g.Go(func() error { return svc.Run(ctx) })
	if cfg.Snapshots.Listen != "" {
		g.Go(func() error { return cfg.Snapshots.serve(ctx, cfg.Snapshots.folder(m.dir).Dir, m.log) })
	}
	if p.Beside != nil {
		g.Go(func() error { return p.Beside(ctx) })
	}
	return g.Wait()
}

// publishing publishes when it is asked to, when the library has become another, and
// now and then, since a snapshot may be due by time alone. It ends with an error when
// another publishes.
func (m *Manager) publishing(ctx context.Context, pub *distribute.Publisher) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var last library.Version
	var next time.Time // no try before
	var good, looked time.Time
	for {
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
		now := time.Now()
		if !good.IsZero() && now.Sub(looked) > rivalEvery {
			looked = now
			if err := m.rival(ctx, pub.Status().Offset); err != nil {
				return err
			}
		}
		v, err := m.parts.Library.Version()
		if err == nil && (r.done != nil || good.IsZero() || v != last || now.Sub(good) > time.Minute) {
			var p distribute.Published
			if p, err = pub.Publish(ctx); err == nil {
				last, good = v, time.Now()
				if p.Changes > 0 || p.Snapshot != "" {
					m.log.Info("published indicators", "changes", p.Changes, "snapshot", p.Snapshot, "reason", p.Reason, "refused", p.Refused)
				}
			} else {
				good = time.Time{} // where the log is, is not known
			}
		}
		if err == nil {
			m.mu.Lock()
			m.done = covered{now, pub.Status().Offset}
			m.mu.Unlock()
		}
		if r.done != nil {
			r.done <- err // whoever asked tells of it
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case stages.IsPermanent(err):
			return err
		case r.done == nil:
			next = time.Now().Add(10 * time.Second)
			m.log.Warn("indicators could not be published", "error", err, "again", next)
		}
	}
}

// rival fails if somebody has written to the log since this manager did, and so has
// taken over. Where the log cannot be read nothing is said.
func (m *Manager) rival(ctx context.Context, own int64) error {
	_, _, err := m.parts.Writer.Poll(ctx, own+1, func(offset int64, _ []byte) error {
		if offset <= own {
			return nil
		}
		return stages.Permanent(fmt.Errorf("the record at offset %d of the indicators log is another manager's", offset))
	})
	if stages.IsPermanent(err) {
		return err
	}
	return nil
}

// Follower is a worker's follower of what is published, in a folder that it holds.
type Follower struct {
	*distribute.Follower
	folder *claim
}

// Close gives up the folder, after Run.
func (f *Follower) Close() error { return f.folder.release() }

// NewFollower makes a worker's follower of what is published. base gives the index
// where nothing is. Close it.
func NewFollower(cfg Config, dataDir string, log distribute.Log, holder *match.Holder, base func(context.Context) (*match.Index, error), logger *slog.Logger) (*Follower, error) {
	src, err := cfg.Snapshots.source(dataDir)
	if err != nil {
		return nil, err
	}
	dir, c, err := followerDir(dataDir)
	if err != nil {
		return nil, err
	}
	f, err := distribute.NewFollower(cfg.Follow, dir, log, src, holder, distribute.FollowerSettings{Logger: logger, Base: base})
	if err != nil {
		return nil, errors.Join(err, c.release())
	}
	return &Follower{f, c}, nil
}

// Holds reports whether the follower's index holds all that the manager's library held
// at a moment.
func (f *Follower) Holds(m *Manager, at time.Time) bool {
	covered, offset, ok := m.Covered()
	st := f.Status()
	return ok && covered.After(at) && st.State == distribute.StateFollowing && st.Offset > offset
}
