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
	"time"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Past asks the alerts of the past about indicators that are new in the library. It
// keeps in a file up to which version of the library it has asked, so that nothing
// is left out over a restart; what is asked twice is not told twice.
type Past struct {
	lib    *library.Library
	seen   *retro.Seen
	finder *retro.Finder
	file   string
	delay  time.Duration
	log    *slog.Logger
}

// pastEvery is how often the library is looked at for what is new.
const pastEvery = 5 * time.Second

// pastDelay is how long new indicators wait until the past is asked: by then the
// workers match with them, and what passed a worker before has been remembered, so
// that no alert falls between the two.
const pastDelay = time.Minute

// pastBatch is how many new indicators are held in memory at a time.
const pastBatch = 50_000

// NewPast opens the memory of what alerts named, in a folder of its own below the data
// folder. deps.Seen is set here. Close it.
func NewPast(cfg retro.Config, dataDir string, lib *library.Library, deps retro.Deps, log *slog.Logger) (*Past, error) {
	cfg.Dir = filepath.Join(dataDir, "retro")
	seen, err := retro.Open(cfg)
	if err != nil {
		return nil, err
	}
	deps.Seen = seen
	f, err := retro.NewFinder(cfg, deps)
	if err != nil {
		return nil, errors.Join(err, seen.Close())
	}
	return &Past{lib: lib, seen: seen, finder: f, file: filepath.Join(dataDir, "retro", "asked.json"), delay: pastDelay, log: log}, nil
}

// See remembers what alerts name; it is durable when See returns.
func (p *Past) See(alerts []schema.Alert) error { return p.seen.See(alerts) }

// Close ends the memory, after Run and after the last See.
func (p *Past) Close() error { return p.seen.Close() }

// Run asks until ctx ends. That the store cannot be asked now stops nothing: it is
// tried again.
func (p *Past) Run(ctx context.Context) error {
	tick := time.NewTicker(pastEvery)
	defer tick.Stop()
	var since time.Time // when there was first something new
	var fold time.Time
	var retry time.Time
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
				p.log.Warn("what alerts named could not be put in order", "error", err)
			}
		}
		if now.Before(retry) {
			continue
		}
		asked, err := p.asked()
		var v library.Version
		if err == nil {
			v, err = p.lib.Version()
		}
		switch {
		case err == nil && v == asked:
			since = time.Time{}
			continue
		case err == nil && since.IsZero():
			since = now
			continue
		case err == nil && now.Sub(since) < p.delay:
			continue
		}
		if err == nil {
			err = p.ask(ctx, asked)
			since = time.Time{}
		}
		if err != nil && ctx.Err() == nil {
			retry = now.Add(time.Minute)
			p.log.Warn("the past could not be asked about new indicators", "error", err, "again", retry)
		}
	}
}

// ask asks about everything new since a version.
func (p *Past) ask(ctx context.Context, from library.Version) error {
	var (
		batch []schema.IndicatorChange
		sum   retro.Progress
	)
	flush := func() error {
		got, err := p.finder.Match(ctx, batch, 0, func(retro.Progress) error { return nil })
		batch = batch[:0]
		sum.Asked, sum.Seen, sum.Queries, sum.Found, sum.Counting, sum.Cut = sum.Asked+got.Asked, sum.Seen+got.Seen, sum.Queries+got.Queries,
			sum.Found+got.Found, sum.Counting+got.Counting, sum.Cut+got.Cut
		return err
	}
	take := func(i schema.Indicator) error {
		if batch = append(batch, schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: i}); len(batch) < pastBatch {
			return nil
		}
		return flush()
	}
	to, err := p.lib.Changes(ctx, from, func(c match.Change) error {
		if c.Op != match.Add {
			return nil
		}
		return take(c.Indicator)
	})
	if errors.Is(err, library.ErrGone) {
		p.log.Warn("asking the past about the whole library: what is new since the last time is not known any more")
		batch = batch[:0]
		to, err = p.lib.Each(ctx, take)
	}
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	if sum.Found > 0 || sum.Cut > 0 {
		p.log.Info("the past was asked about new indicators", "indicators", sum.Asked, "maybe_seen", sum.Seen, "queries", sum.Queries,
			"matches", sum.Found, "counting", sum.Counting, "given_up", sum.Cut)
	}
	return p.keep(to)
}

// asked gives the version of the library about which everything has been asked.
func (p *Past) asked() (v library.Version, err error) {
	text, err := os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return "", fmt.Errorf("reading what the past was asked about: %w", err)
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
