package distribute

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

// PublisherConfig says when the publisher does what.
type PublisherConfig struct {
	// MaxChanges is how many changes are published one by one; if there are more
	// at once, a snapshot is. Default: 200000.
	MaxChanges int `yaml:"max_changes"`
	// SnapshotChanges is after how many changes a new snapshot is published, so
	// that a worker that starts has little to read. Default: 1000000.
	SnapshotChanges int `yaml:"snapshot_changes"`
	// SnapshotEvery is after how long a snapshot is published in any case; if
	// nothing has changed, the last one again. It must be well below the retention
	// of the topic. Default: 6h.
	SnapshotEvery time.Duration `yaml:"snapshot_every"`
	// KeepFor is how long a snapshot is kept after the next one was published. The
	// last two are kept in any case. Default: 24h.
	KeepFor time.Duration `yaml:"keep_for"`
}

// DefaultPublisherConfig gives the defaults named in PublisherConfig.
func DefaultPublisherConfig() PublisherConfig {
	return PublisherConfig{MaxChanges: 200_000, SnapshotChanges: 1_000_000, SnapshotEvery: 6 * time.Hour, KeepFor: 24 * time.Hour}
}

// Validate reports every setting that cannot work.
func (c PublisherConfig) Validate() error {
	return errors.Join(positive("max_changes", c.MaxChanges), positive("snapshot_changes", c.SnapshotChanges), positive("snapshot_every", c.SnapshotEvery),
		notNegative("keep_for", c.KeepFor))
}

// positive reports a setting that is not.
func positive[N int | int64 | time.Duration](key string, n N) error {
	if n > 0 {
		return nil
	}
	return fmt.Errorf("%s: must be positive, not %v", key, n)
}

func notNegative(key string, d time.Duration) error {
	if d >= 0 {
		return nil
	}
	return fmt.Errorf("%s: must not be negative, as %v is", key, d)
}

// PublisherSettings is what the publisher is given besides its configuration.
type PublisherSettings struct {
	Logger *slog.Logger     // default: discards
	Clock  func() time.Time // default: time.Now
	// Failpoint is told of the moments at which a crash must do no harm; tests end
	// there.
	Failpoint func(string)
}

// Moments that a failpoint is told of, in their order.
const (
	FailApplied  = "applied"  // changes are in the index, nothing is written
	FailPending  = "pending"  // it is noted what will be appended
	FailStored   = "stored"   // the snapshot is with the store
	FailAppended = "appended" // the log has it, nobody knows
	FailSettled  = "settled"  // it is noted that the log has it
	FailExpired  = "expired"  // a snapshot is deleted, but still noted
)

// Published is what one Publish did.
type Published struct {
	Changes  int    `json:"changes"`           // in deltas
	Refused  int    `json:"refused,omitzero"`  // that no index takes
	Snapshot string `json:"snapshot,omitzero"` // name of the one that was referred to
	Reason   string `json:"reason,omitzero"`   // why a snapshot
	Content  uint64 `json:"content,string"`    // that the log leads to now
}

// PublisherStatus is the publisher's part of `interdict status`.
type PublisherStatus struct {
	Content    ContentID     `json:"content"`
	Indicators int           `json:"indicators"`
	Offset     int64         `json:"offset"`  // of the newest record
	Changes    int           `json:"changes"` // since the newest snapshot
	Snapshot   string        `json:"snapshot,omitzero"`
	SnapshotAt schema.Millis `json:"snapshot_at,omitzero"`
	Published  int64         `json:"published_total"` // changes, since the start
	Refused    int64         `json:"refused_total"`
	Rebuilds   int64         `json:"rebuilds_total"`
	Failures   int64         `json:"failures_total"`
	LastError  string        `json:"last_error,omitzero"`
}

// Publisher writes the library to the log. There is one for a log; one that is started
// later fences those before it.
type Publisher struct {
	cfg   PublisherConfig
	dir   string
	lib   Library
	log   Writer
	store Store
	slog  *slog.Logger
	now   func() time.Time
	fail  func(string)
	lock  *os.File

	mu   sync.Mutex // one Publish at a time
	x    *match.Index
	st   state
	open bool   // x and st are what the log has
	why  string // x is nil: why it must be built anew
	dead error  // another publisher has taken over

	statusMu sync.Mutex
	status   PublisherStatus
}

// NewPublisher makes a publisher that keeps its files in a folder, which is its alone.
// It does nothing before the first Publish. Close it.
func NewPublisher(cfg PublisherConfig, dir string, lib Library, log Writer, store Store, s PublisherSettings) (*Publisher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("publisher: %w", err)
	}
	p := &Publisher{cfg: cfg, dir: dir, lib: lib, log: log, store: store, slog: s.Logger, now: s.Clock, fail: s.Failpoint}
	if p.slog == nil {
		p.slog = slog.New(slog.DiscardHandler)
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.fail == nil {
		p.fail = func(string) {}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("publisher: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("publisher: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("publisher: folder %s is another process's: %w", dir, err), lock.Close())
	}
	p.lock = lock
	return p, nil
}

// Close gives up the folder. It must not be called while Publish is.
func (p *Publisher) Close() error { return p.lock.Close() }

// Status gives the publisher's state. It may be called at any time.
func (p *Publisher) Status() PublisherStatus {
	p.statusMu.Lock()
	defer p.statusMu.Unlock()
	return p.status
}

// Publish brings what has changed in the library to the log. After an error, or a
// crash at any moment, the next call goes on from what the log has. An error marked by
// stages.Permanent says that another publisher has taken over; this one will not
// publish again.
func (p *Publisher) Publish(ctx context.Context) (Published, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return Published{}, p.dead
	}
	rep, err := p.run(ctx)
	if err != nil {
		p.open, p.x = false, nil
		err = fmt.Errorf("publishing indicators: %w", err)
		if stages.IsPermanent(err) {
			p.dead = err
		}
	}
	rep.Content = p.st.Content
	p.note(rep, err)
	return rep, err
}

func (p *Publisher) note(rep Published, err error) {
	p.statusMu.Lock()
	defer p.statusMu.Unlock()
	s := &p.status
	s.Content, s.Offset, s.Changes = ContentID(p.st.Content), p.st.Offset, p.st.Changes
	if p.x != nil {
		s.Indicators = p.x.Len()
	}
	if last := p.st.newest(); last != nil {
		s.Snapshot, s.SnapshotAt = last.Name, last.Made
	}
	s.Published += int64(rep.Changes)
	s.Refused += int64(rep.Refused)
	s.LastError = ""
	if err != nil {
		s.Failures++
		s.LastError = err.Error()
	}
}

func (p *Publisher) run(ctx context.Context) (rep Published, err error) {
	if !p.open {
		if err := p.recover(ctx); err != nil {
			return rep, err
		}
	}
	if p.x == nil {
		rep.Reason = p.why
		return rep, p.rebuild(ctx, &rep)
	}
	got, err := p.collect(ctx)
	rep.Refused = got.refused
	switch {
	case errors.Is(err, ErrGone):
		rep.Reason = "the library does not remember what was published last"
		return rep, p.rebuild(ctx, &rep)
	case err != nil:
		return rep, err
	case got.large:
		rep.Reason = fmt.Sprintf("%d changes at once", got.changes)
		return rep, p.snapshot(ctx, got.version, &rep)
	case len(got.records) > 0:
		p.fail(FailApplied)
		p.st.Pending = &pending{Version: got.version, Content: p.x.ID(), Seq: got.seq, Changes: p.st.Changes + got.changes}
		if err := p.append(ctx, got.records); err != nil {
			return rep, err
		}
		rep.Changes = got.changes
	case !bytes.Equal(got.version, p.st.Version):
		p.st.Version = got.version
		if err := p.st.save(p.dir); err != nil {
			return rep, err
		}
	}
	if rep.Reason = p.due(); rep.Reason != "" {
		if err := p.snapshot(ctx, p.st.Version, &rep); err != nil {
			return rep, err
		}
	}
	return rep, p.expire(ctx)
}

// append writes records between the two notes about them.
func (p *Publisher) append(ctx context.Context, records [][]byte) error {
	if err := p.st.save(p.dir); err != nil {
		return err
	}
	p.fail(FailPending)
	last, err := p.log.Append(ctx, records)
	if err != nil {
		return err
	}
	p.fail(FailAppended)
	p.st.settle(last)
	if err := p.st.save(p.dir); err != nil {
		return err
	}
	p.fail(FailSettled)
	return nil
}

// nextSeq gives a number that no list had. It is the clock where that is ahead, so that
// numbers grow even if this publisher has lost its files and the log is empty.
func (p *Publisher) nextSeq(last uint64) uint64 {
	return max(last+1, uint64(max(0, p.now().UnixMilli())))
}

// collected is what the library had to say.
type collected struct {
	version json.RawMessage
	records [][]byte // nil if large
	bytes   int
	changes int
	refused int
	seq     uint64
	large   bool
}

// maxBytes bounds the records of one transaction, which wait in memory.
const maxBytes = 256 << 20

// collect applies what has changed in the library to the index, list by list, and
// writes the records that tell of it, as long as there are not too many.
func (p *Publisher) collect(ctx context.Context) (got collected, err error) {
	got.seq = p.st.Seq
	var list []match.Change
	flush := func() error {
		if len(list) == 0 {
			return nil
		}
		before := p.x.ID()
		x, did, err := p.x.Apply(list)
		if err != nil {
			return fmt.Errorf("applying %d changes: %w", len(list), err)
		}
		p.x = x
		if x.ID() != before {
			got.seq = p.nextSeq(got.seq)
			got.changes += did.Added + did.Changed + did.Removed
			got.large = got.large || got.changes > p.cfg.MaxChanges || got.bytes > maxBytes
			if got.large {
				got.records = nil
			} else {
				records, err := encodeList(schema.IndicatorDelta{Seq: got.seq, Before: before, After: x.ID(), Feed: feedOf(list), Made: schema.FromTime(p.now())}, list)
				if err != nil {
					return err
				}
				for _, r := range records {
					got.bytes += len(r)
				}
				got.records = append(got.records, records...)
			}
		}
		clear(list)
		list = list[:0]
		return nil
	}
	got.version, err = p.lib.Changes(ctx, p.st.Version, func(c match.Change) error {
		if err := refusal(&c); err != nil {
			if got.refused++; got.refused <= 10 {
				p.slog.Warn("an indicator cannot be published", "feed", c.Indicator.Feed, "id", c.Indicator.ID, "type", c.Indicator.Type, "error", err)
			}
			if c.Op != match.Add {
				return nil
			}
			// What stood there before is no more what its feed says.
			c = match.Change{Op: match.Remove, Indicator: known(&c.Indicator)}
			if refusal(&c) != nil {
				return nil
			}
		}
		if list = append(list, c); len(list) < listSize {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return got, err
}

// refusal says why a change can be in no index.
func refusal(c *match.Change) error {
	switch {
	case c.Op != match.Add && c.Op != match.Remove:
		return fmt.Errorf("operation %d is unknown", c.Op)
	case !fits(c):
		return errLarge
	case c.Op == match.Add:
		return match.Check(c.Indicator)
	}
	return nil
}
