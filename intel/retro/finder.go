package retro

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Finder finds past alerts for new indicators. One run at a time.
type Finder struct {
	cfg     Config
	seen    *Seen
	store   Store
	emit    Emit
	index   func() *match.Index
	decay   match.Decay
	tenants func() []string
	clock   func() time.Time

	reader *match.Reader
	next   time.Time // of the next query
}

// Deps is what a Finder works with; all are required.
type Deps struct {
	Seen    *Seen
	Store   Store
	Emit    Emit
	Index   func() *match.Index // that holds the changes of a run, or newer ones
	Decay   match.Decay         // the match stage's
	Tenants func() []string     // whose alerts an indicator for all is looked for in
	Clock   func() time.Time
}

// NewFinder makes a finder. The configuration must be that of Seen.
func NewFinder(cfg Config, d Deps) (*Finder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Finder{cfg: cfg, seen: d.Seen, store: d.Store, emit: d.Emit, index: d.Index, decay: d.Decay, tenants: d.Tenants, clock: d.Clock,
		reader: match.NewReader()}, nil
}

// Progress tells how far a run is.
type Progress struct {
	Next       int           `json:"next"`        // changes before it are done: where to go on
	Asked      int           `json:"asked"`       // new bad indicators among them
	Seen       int           `json:"seen"`        // of those, that some hour may have seen
	Hours      int           `json:"hours"`       // hours that are remembered
	HoursAsked int           `json:"hours_asked"` // hours that the store was asked for, over all queries
	Queries    int           `json:"queries"`
	Rows       int           `json:"rows"`
	Found      int           `json:"found"` // matches
	Counting   int           `json:"counting"`
	Cut        int           `json:"cut"` // values that were given up, see Config.Most
	Took       time.Duration `json:"took"`
}

// pass is how many changes are looked up together: each hour's filter is read once
// for all of them.
const pass = 50_000

// Match looks for alerts that saw the indicators which the changes add. It goes on
// from changes[from] and tells done after each part, whose matches are on the log by
// then: a caller that keeps Progress.Next can go on from there after a restart. What
// was found already is not found again. An error of done ends the run.
func (f *Finder) Match(ctx context.Context, changes []schema.IndicatorChange, from int, done func(Progress) error) (p Progress, err error) {
	start := f.clock()
	p.Next = max(from, 0)
	for p.Next < len(changes) {
		part := changes[p.Next:min(p.Next+pass, len(changes))]
		if err := f.part(ctx, part, &p); err != nil {
			return p, fmt.Errorf("retro-match: %w", err)
		}
		p.Next += len(part)
		p.Took = f.clock().Sub(start)
		if done != nil {
			if err := done(p); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// wanted reports a change that can speak against past alerts.
func wanted(c *schema.IndicatorChange) bool {
	i := &c.Indicator
	return c.Op == schema.IndicatorAdd && !i.Listed && i.Wish != schema.WishAllow && (i.Verdict == schema.VerdictMalicious || i.Verdict == schema.VerdictSuspicious)
}

// identity is what an indicator is known by.
type identity struct {
	typ             schema.ObservableType
	value, feed, id string
}

func identityOf(i *schema.Indicator) identity { return identity{i.Type, i.Value, i.Feed, i.ID} }

func (f *Finder) part(ctx context.Context, changes []schema.IndicatorChange, p *Progress) error {
	var list []*schema.Indicator
	var questions []uint64
	for k := range changes {
		if wanted(&changes[k]) {
			i := &changes[k].Indicator
			list = append(list, i)
			questions = append(questions, question(i))
		}
	}
	p.Asked += len(list)
	if len(list) == 0 {
		return nil
	}
	oldest := hourOf(schema.FromTime(f.clock().Add(-f.cfg.Retention)))
	hours, known, err := f.seen.look(ctx, questions, oldest)
	if err != nil {
		return err
	}
	p.Hours = known
	run := &run{Finder: f, progress: p, changed: map[identity]bool{}, told: map[xxh3.Uint128]bool{}, made: schema.FromTime(f.clock())}
	for k, i := range list {
		if len(hours[k]) > 0 {
			p.Seen++
			run.changed[identityOf(i)] = true
			run.want(i, hours[k])
		}
	}
	return run.ask(ctx)
}

// pace waits until the next query may be made.
func (f *Finder) pace(ctx context.Context) error {
	now := f.clock()
	if wait := f.next.Sub(now); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	f.next = f.clock().Add(time.Duration(float64(time.Second) / f.cfg.QueriesPerSecond))
	return ctx.Err()
}

// batches cuts values with their hours into groups of at most n values, those of
// like hours together.
func batches(values []valueHours, n int) [][]valueHours {
	slices.SortFunc(values, func(a, b valueHours) int {
		if c := slices.Compare(a.hours, b.hours); c != 0 {
			return c
		}
		return compareText(a.value, b.value)
	})
	return groups(values, n, func(v valueHours) int { return len(v.value) })
}

// maxText is how many bytes the values of one question have together, unless a single
// one has more: a store takes only so much, and one that never took a question would be
// asked it again for ever.
const maxText = 64 << 10

// groups cuts a list into groups of at most n elements that are not longer than maxText
// together.
func groups[T any](list []T, n int, length func(T) int) (out [][]T) {
	for len(list) > 0 {
		k, size := 1, length(list[0])
		for k < min(n, len(list)) {
			if size += length(list[k]); size > maxText {
				break
			}
			k++
		}
		out, list = append(out, list[:k:k]), list[k:]
	}
	return out
}
