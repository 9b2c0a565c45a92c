package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/match"
)

// Past asks the alerts of the past about indicators that are new in the library, and
// about matches that count no more, or again, by what the library says now. It keeps in a file up to which version of the library it has asked, so that nothing
// is left out over a restart; what is asked twice is not told twice.
type Past struct {
	cfg  PastConfig
	deps PastDeps
	file string
	held *library.Library // in which the versions that are gone on from are held

	seen   *retro.Seen // from Open on
	finder *retro.Finder

	metrics pastMetrics
	mu      sync.Mutex
	status  PastStatus
}

// PastConfig is how the past is asked.
type PastConfig struct {
	retro.Config
	// After is how long new indicators wait until the past is asked about them: by
	// then the workers match with them, and what passed a worker before has been
	// remembered, so that no alert falls between the two.
	After time.Duration
}

// PastDeps is what asking the past takes besides.
type PastDeps struct {
	Library *library.Library
	// Finder is all but Seen, which is set here.
	Finder retro.Deps
	// Holds reports whether Finder.Index holds what the library held at a moment.
	// Nobody is asked before it does. nil: it always does.
	Holds  func(time.Time) bool
	Logger *slog.Logger
}

// pastEvery is how often the library is looked at for what is new.
const pastEvery = 5 * time.Second

// pastBatch is how many new indicators are held in memory at a time.
const pastBatch = 50_000

// NewPast prepares the memory of what alerts named, in a folder of its own below the
// data folder. Nothing is touched before Open.
func NewPast(cfg PastConfig, dataDir string, deps PastDeps) (*Past, error) {
	cfg.Dir = filepath.Join(dataDir, "retro")
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.After < 0 {
		return nil, errors.New("retro_after: must not be negative")
	}
	return &Past{cfg: cfg, deps: deps, file: filepath.Join(cfg.Dir, "asked.json"), held: deps.Library.For("past"), metrics: newPastMetrics()}, nil
}

// Open opens the memory. One process at a time may have it: that which manages.
func (p *Past) Open() (err error) {
	if p.seen, err = retro.Open(p.cfg.Config); err != nil {
		return err
	}
	deps := p.deps.Finder
	deps.Seen, deps.Revoked = p.seen, revokedIn(p.deps.Library)
	if p.finder, err = retro.NewFinder(p.cfg.Config, deps); err != nil {
		return errors.Join(err, p.Close())
	}
	return nil
}

// See remembers what alerts name; it is durable when See returns. It is called between
// Open and Close.
func (p *Past) See(alerts []schema.Alert) error { return p.seen.See(alerts) }

// Close ends the memory, after Run and after the last See.
func (p *Past) Close() error { return p.seen.Close() }

// Run asks until ctx ends. That the store cannot be asked now stops nothing: it is
// tried again. An error that stages.Permanent marks says that another process asks.
func (p *Past) Run(ctx context.Context) error {
	log := p.deps.Logger
	tick := time.NewTicker(min(pastEvery, max(p.cfg.After/4, 100*time.Millisecond)))
	defer tick.Stop()
	var (
		since time.Time       // when there was first something new
		until library.Version // what there was then
		fold  time.Time
		retry time.Time
	)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(fold) >= time.Minute {
			fold = now
			if err := p.seen.Fold(schema.FromTime(now)); err != nil {
				log.Warn("what alerts named could not be put in order", "error", err)
			}
		}
		if now.Before(retry) {
			continue
		}
		asked, err := p.asked()
		var v library.Version
		if err == nil {
			v, err = p.deps.Library.Version()
		}
		if err == nil && since.IsZero() {
			until = v
		}
		if err == nil { // however often feeds change until then
			err = p.held.Hold(ctx, asked, until)
		}
		if err == nil {
			switch {
			case v == asked:
				since = time.Time{}
				p.tell(func(st *PastStatus) { st.Asked, st.Waiting, st.Error, st.Again = now, time.Time{}, "", time.Time{} })
				continue
			case since.IsZero():
				since = now
				p.tell(func(st *PastStatus) {
					if st.Waiting.IsZero() {
						st.Waiting = now
					}
				})
				continue
			case now.Sub(since) < p.cfg.After || p.deps.Holds != nil && !p.deps.Holds(since):
				continue
			}
			if err = p.ask(ctx, asked, until); err == nil {
				p.tell(func(st *PastStatus) { st.Asked, st.Waiting, st.Error, st.Again = since, time.Time{}, "", time.Time{} })
			}
			since = time.Time{}
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case stages.IsPermanent(err):
			return fmt.Errorf("asking the past about new indicators: %w", err)
		default:
			retry = now.Add(time.Minute)
			p.tell(func(st *PastStatus) { st.Error, st.Again = err.Error(), retry })
			log.Warn("the past could not be asked about new indicators", "error", err, "again", retry)
		}
	}
}

// ask asks about everything new since a version. Of that, what was new at until has
// waited for long enough and counts as asked; what came later is asked about again.
func (p *Past) ask(ctx context.Context, from, until library.Version) (err error) {
	var (
		batch []schema.IndicatorChange
		sum   retro.Progress
	)
	defer func() { p.told(sum, err) }()
	flush := func() error {
		got, err := p.finder.Match(ctx, batch, 0, func(retro.Progress) error { return nil })
		batch = batch[:0]
		sum = sum.And(got)
		return err
	}
	take := func(op schema.IndicatorOp, i schema.Indicator) error {
		if batch = append(batch, schema.IndicatorChange{Op: op, Indicator: i}); len(batch) < pastBatch {
			return nil
		}
		return flush()
	}
	_, err = p.deps.Library.Changes(ctx, from, func(c match.Change) error {
		if c.Op == match.Remove {
			return take(schema.IndicatorRemove, c.Indicator)
		}
		return take(schema.IndicatorAdd, c.Indicator)
	})
	if errors.Is(err, library.ErrGone) {
		p.deps.Logger.Warn("asking the past about the whole library: what is new since the last time is not known any more")
		batch = batch[:0]
		_, err = p.deps.Library.Each(ctx, func(i schema.Indicator) error { return take(schema.IndicatorAdd, i) })
	}
	if lacks := new(library.Partial); errors.As(err, &lacks) {
		p.deps.Logger.Warn("asking the past about the feeds that can be read", "error", err)
		err = nil
	}
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	if sum.Found+sum.Withdrawn+sum.Reinstated > 0 || sum.Cut > 0 {
		p.deps.Logger.Info("the past was asked about changed indicators", "indicators", sum.Asked, "maybe_seen", sum.Seen, "queries", sum.Queries,
			"matches", sum.Found, "counting", sum.Counting, "withdrawn", sum.Withdrawn, "reinstated", sum.Reinstated, "given_up", sum.Cut)
	}
	return p.keep(until)
}

// asked gives the version of the library about which everything has been asked.
func (p *Past) asked() (v library.Version, err error) {
	text, err := os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading what the past was asked about: %w", err)
	}
	if err := json.Unmarshal(text, &v); err != nil { // cut off by a loss of power
		p.deps.Logger.Warn("asking the past about the whole library: the note about the last time is damaged", "file", p.file, "error", err)
		return "", p.keep("")
	}
	return v, nil
}

func (p *Past) keep(v library.Version) error {
	text, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(p.file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(p.file+".new", p.file)
	}
	if err != nil {
		return fmt.Errorf("noting what the past was asked about: %w", err)
	}
	return nil
}
