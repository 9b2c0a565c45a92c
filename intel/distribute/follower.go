package distribute

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// FollowerConfig says how a worker follows.
type FollowerConfig struct {
	// SnapshotEvery is the publisher's: how far back a reference is looked for
	// first. Default: 6h.
	SnapshotEvery time.Duration `yaml:"snapshot_every"`
	// Tick is how often changes come into force at most. Default: 20ms.
	Tick time.Duration `yaml:"tick"`
	// ReadyWithin is how long a worker waits at its start until it has caught up;
	// then it goes on with what it has. Default: 2m.
	ReadyWithin time.Duration `yaml:"ready_within"`
	// RetryEvery is how often a snapshot that could not be had is tried again.
	// Default: 30s.
	RetryEvery time.Duration `yaml:"retry_every"`
	// MaxOverlay is how many bytes the changes since the snapshot may take in
	// memory before the index is opened anew from the next snapshot. Default:
	// 67108864.
	MaxOverlay int64 `yaml:"max_overlay"`
	// MaxSnapshot is the largest snapshot that is taken, in bytes. On disk there are
	// up to three: the one in use, the one before, and one that is coming.
	// Default: 34359738368.
	MaxSnapshot int64 `yaml:"max_snapshot"`
}

// DefaultFollowerConfig gives the defaults named in FollowerConfig.
func DefaultFollowerConfig() FollowerConfig {
	return FollowerConfig{SnapshotEvery: 6 * time.Hour, Tick: 20 * time.Millisecond, ReadyWithin: 2 * time.Minute, RetryEvery: 30 * time.Second, MaxOverlay: 64 << 20, MaxSnapshot: 32 << 30}
}

// Validate reports every setting that cannot work.
func (c FollowerConfig) Validate() error {
	return errors.Join(positive("snapshot_every", c.SnapshotEvery), positive("tick", c.Tick), notNegative("ready_within", c.ReadyWithin),
		positive("retry_every", c.RetryEvery), positive("max_overlay", c.MaxOverlay), positive("max_snapshot", c.MaxSnapshot))
}

// FollowerSettings is what a follower is given besides its configuration.
type FollowerSettings struct {
	Logger *slog.Logger     // default: discards
	Clock  func() time.Time // default: time.Now
	// Base gives the index to work with where the log refers to no snapshot, or to
	// none that can be had: that of the local library. It is called at most once.
	// nil: there is none, and nothing is matched until there is a snapshot.
	Base func(context.Context) (*match.Index, error)
}

// place is an offset, as reached from a snapshot.
type place struct{ from, offset int64 }

// Follower keeps a Holder at what the log says. Whatever goes wrong, the holder keeps
// the last index that was whole; Status tells how old that is.
type Follower struct {
	cfg    FollowerConfig
	dir    string
	log    Log
	src    Source
	holder *match.Holder
	slog   *slog.Logger
	now    func() time.Time
	base   func(context.Context) (*match.Index, error)

	// What follows belongs to the goroutine of Run.
	files   *cache
	c       *chain
	next    int64  // offset to go on from
	hold    int64  // the holder keeps what it has until next is there
	from    int64  // offset of the reference that the chain began with; -1: none
	top     uint64 // largest number met since the chain began
	lost    bool   // the chain does not lead to what the log says
	retried place  // where going back to the same snapshot was tried already
	goal    int64  // end of the log when Run began
	search  search
	found   chan search
	applied time.Time // when changes came into force last
	away    trouble

	caught chan struct{} // closed when the goal is reached
	once   sync.Once

	mu     sync.Mutex
	status FollowerStatus
}

// NewFollower makes a follower that keeps snapshots in a folder, which is its alone.
func NewFollower(cfg FollowerConfig, dir string, log Log, src Source, holder *match.Holder, s FollowerSettings) (*Follower, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("following indicators: %w", err)
	}
	f := &Follower{cfg: cfg, dir: dir, log: log, src: src, holder: holder, slog: s.Logger, now: s.Clock, base: s.Base,
		c: newChain(nil, 0, 0), from: -1, found: make(chan search, 1), caught: make(chan struct{}),
		status: FollowerStatus{State: StateStarting, Resyncs: map[string]int64{}}}
	if f.slog == nil {
		f.slog = slog.New(slog.DiscardHandler)
	}
	if f.now == nil {
		f.now = time.Now
	}
	return f, nil
}

// Run follows the log until ctx ends. It returns an error only if it cannot begin:
// the folder is in use or cannot be written. It must be called once.
func (f *Follower) Run(ctx context.Context) (err error) {
	if f.files, err = openCache(f.dir, f.src, f.cfg.MaxSnapshot); err != nil {
		return fmt.Errorf("following indicators: %w", err)
	}
	defer func() { err = errors.Join(err, f.files.close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer f.wait() // before the folder is given up
	defer cancel()
	for ctx.Err() == nil {
		err := f.begin(ctx)
		if err == nil {
			f.well()
			break
		}
		f.failed(ctx, err)
	}
	for ctx.Err() == nil {
		if err := f.step(ctx); err != nil {
			f.failed(ctx, err)
		} else {
			f.well()
		}
	}
	return nil
}

// Ready waits until the holder has what was on the log when Run began, for as long as
// the configuration says. caughtUp is false when that was not enough; Status says what
// is missing. The error is that of ctx.
func (f *Follower) Ready(ctx context.Context) (caughtUp bool, err error) {
	limit := time.NewTimer(f.cfg.ReadyWithin)
	defer limit.Stop()
	select {
	case <-f.caught:
		return true, nil
	case <-limit.C:
		s := f.Status()
		f.slog.Warn("going on without the newest indicators", "waited", f.cfg.ReadyWithin, "indicators", s.Indicators, "behind", s.Behind, "state", s.State, "last_error", s.LastError)
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// begin finds the place to follow from.
func (f *Follower) begin(ctx context.Context) error {
	start, end, err := f.log.Bounds(ctx)
	if err != nil {
		return err
	}
	f.goal = end
	got := f.look(ctx, search{reason: "start", after: -1})
	switch {
	case got.err != nil:
		return got.err
	case got.x != nil:
		f.adopt(got)
		return nil
	}
	f.lost = true
	f.next = start
	f.set(func(s *FollowerStatus) { s.State = StateWaiting })
	if got.seen > 0 {
		// What there is could not be had. Deltas that are there would lead nowhere.
		f.next = end
		f.search = got
		f.search.again = f.now().Add(f.cfg.RetryEvery)
	}
	if f.base == nil {
		f.slog.Warn("there is no snapshot of the indicators yet, nothing is matched until there is one", "references", got.seen)
		return nil
	}
	base := f.base
	f.base = nil
	x, err := base(ctx)
	if err != nil {
		f.slog.Error("there is no snapshot of the indicators, and the local library cannot be used", "references", got.seen, "error", err)
		f.set(func(s *FollowerStatus) { s.LastError = err.Error() })
		return nil
	}
	f.slog.Warn("there is no snapshot of the indicators, matching with the local library", "references", got.seen, "indicators", x.Len())
	f.c = newChain(x, 0, 0)
	f.holder.Store(x)
	f.set(func(s *FollowerStatus) { s.Base = true })
	return nil
}

// step reads on, and brings into force what has come.
func (f *Follower) step(ctx context.Context) error {
	select {
	case got := <-f.found:
		f.search.running = false
		f.ended(got)
	default:
	}
	if !f.search.again.IsZero() && !f.search.running && !f.now().Before(f.search.again) {
		f.begun(ctx, f.search)
	}
	next, end, err := f.log.Poll(ctx, f.next, func(offset int64, value []byte) error {
		f.take(ctx, offset, value)
		return nil
	})
	if err != nil {
		return f.gone(ctx, err)
	}
	f.next = next
	f.flush(ctx)
	f.publish(ctx, end)
	return nil
}

// gone looks into an error of the log: if what was to come next is not there any more,
// because it is too old or the topic was made anew, only a snapshot helps.
func (f *Follower) gone(ctx context.Context, err error) error {
	start, end, boundsErr := f.log.Bounds(ctx)
	if boundsErr != nil || f.next >= start && f.next <= end {
		return err
	}
	f.slog.Warn("the place to go on from is not in the indicators log any more", "offset", f.next, "start", start, "end", end)
	f.next, f.hold, f.goal = end, min(f.hold, end), min(f.goal, end)
	f.c.discard()
	f.from, f.top = start-1, 0
	f.lose(ctx, "log", start-1, start)
	return nil
}

// take looks at one record.
func (f *Follower) take(ctx context.Context, offset int64, value []byte) {
	kind, body, err := schema.DecodeIndicatorEntry(value)
	switch kind {
	case schema.IndicatorEntryDelta:
		var d schema.IndicatorDelta
		if err = d.DecodeWire(body); err == nil {
			f.takeDelta(ctx, offset, &d, len(value))
		}
	case schema.IndicatorEntrySnapshot:
		var s schema.IndicatorSnapshot
		if err = s.DecodeWire(body); err == nil {
			f.takeSnapshot(ctx, offset, &s)
		}
	default:
		f.set(func(s *FollowerStatus) { s.Unknown++ })
	}
	if err != nil {
		f.slog.Error("a record of the indicators log cannot be read", "offset", offset, "error", err)
		f.set(func(s *FollowerStatus) { s.Unknown++ })
	}
}

func (f *Follower) takeDelta(ctx context.Context, offset int64, d *schema.IndicatorDelta, size int) {
	f.top = max(f.top, d.Seq)
	switch f.c.take(d, size) {
	case stepTaken:
		f.regain(offset)
		if len(f.c.ready) >= 4*listSize {
			f.flush(ctx)
		}
	case stepDuplicate:
		f.set(func(s *FollowerStatus) { s.Duplicates++ })
		if f.c.content() == d.After && d.Seq >= f.top {
			f.regain(offset)
		}
	case stepTorn:
		f.slog.Warn("a list of changes is not complete and is left out", "offset", offset, "seq", d.Seq)
		f.set(func(s *FollowerStatus) { s.Torn++ })
	case stepLost:
		f.loseChain(ctx, "gap", offset)
	}
}

func (f *Follower) takeSnapshot(ctx context.Context, offset int64, s *schema.IndicatorSnapshot) {
	// While lost, an old reference to what the chain still has says nothing.
	if f.c.x != nil && s.Content == f.c.content() && (!f.lost || s.Seq > f.top) {
		f.c.seq, f.top = max(f.c.seq, s.Seq), max(f.top, s.Seq)
		f.c.made = max(f.c.made, s.Made)
		f.regain(offset)
		if f.flush(ctx); f.c.x == nil {
			return
		}
		if st := f.c.x.Stats(); st.Records > f.cfg.MaxOverlay && !f.search.running {
			f.begun(ctx, search{reason: "memory", after: f.from})
		} else if len(f.c.refused) > 0 && !f.search.running {
			f.begun(ctx, search{reason: "refused", after: f.from}) // the snapshot has what could not be applied
		}
		return
	}
	if s.Seq <= f.top {
		f.set(func(s *FollowerStatus) { s.Duplicates++ })
		return // an old one again
	}
	f.top = s.Seq
	f.lose(ctx, "snapshot", offset-1, offset)
}

// lose notes that the chain has come to its end at an offset, and has a snapshot looked
// for with a reference after another offset.
func (f *Follower) lose(ctx context.Context, reason string, after, offset int64) {
	f.lost = true
	f.slog.Warn("the indicators are out of step, looking for a snapshot", "reason", reason, "offset", offset, "content", fmt.Sprintf("%016x", f.c.content()))
	f.set(func(s *FollowerStatus) { s.Resyncs[reason]++; s.LastResync = reason; s.State = StateOutOfStep })
	f.begun(ctx, search{reason: reason, after: after})
}

// loseChain notes that the deltas do not lead on. The snapshot that they began with may
// help, if something was lost on the way here; if it does not, only a newer one will.
func (f *Follower) loseChain(ctx context.Context, reason string, offset int64) {
	if f.lost {
		return
	}
	at := place{f.from, offset}
	after := f.from - 1
	if f.retried == at {
		after = f.from
	}
	f.retried = at
	f.lose(ctx, reason, after, offset)
}

// regain notes that the chain leads to what the log says.
func (f *Follower) regain(offset int64) {
	if !f.lost {
		return
	}
	f.lost = false
	f.slog.Info("the indicators are in step again", "offset", offset)
	if !f.search.running {
		f.search = search{}
	}
}

// flush applies what is ready.
func (f *Follower) flush(ctx context.Context) {
	told := 0
	n, err := f.c.flush(func(i *schema.Indicator, why error) {
		if told++; told > 10 {
			return
		}
		f.slog.Error("a published indicator does not pass this build's rules and is left out until there is a snapshot", "feed", i.Feed, "id", i.ID, "type", i.Type, "error", why)
	})
	if err != nil {
		f.slog.Error("changes of indicators cannot be applied", "error", err)
		f.set(func(s *FollowerStatus) { s.LastError = err.Error() })
		f.loseChain(ctx, "apply", -1)
		return
	}
	f.set(func(s *FollowerStatus) { s.Applied += int64(n); s.Lacking = len(f.c.refused) })
}

// publish gives the holder the index, unless that is older than what it has, and waits
// for the next tick.
func (f *Follower) publish(ctx context.Context, end int64) {
	x := f.c.x
	fresh := x != nil && f.next >= f.hold && f.holder.Load() != x
	if fresh {
		f.holder.Store(x)
	}
	served := f.holder.Load()
	f.set(func(s *FollowerStatus) {
		s.Offset, s.Behind, s.Checked = f.next, max(0, end-f.next), schema.FromTime(f.now())
		if served != nil {
			s.Content, s.Indicators = ContentID(served.ID()), served.Len()
		}
		if served == x && x != nil {
			s.Made, s.Seq = f.c.made, f.c.seq
		}
		switch {
		case !f.lost && served == x && x != nil:
			s.State = StateFollowing
			s.Base = s.Base && f.from < 0 && f.c.seq == 0
		case !f.lost:
			s.State = StateCatchingUp
		}
	})
	// A log without any reference is read to its end all the same.
	if f.next >= f.goal && !f.search.running && (!f.lost && served == x || f.from < 0 && f.search.again.IsZero()) {
		f.once.Do(func() { close(f.caught) })
	}
	if fresh {
		pause(ctx, f.cfg.Tick-time.Since(f.applied)) // no settable clock: it may jump
		f.applied = time.Now()
	}
}

// pause waits, or not if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
