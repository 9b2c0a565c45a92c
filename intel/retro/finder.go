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
	revoked Revoked

	reader *match.Reader
	next   time.Time // of the next query
}

// Deps is what a Finder works with; all but Revoked are required.
type Deps struct {
	Seen    *Seen
	Store   Store
	Emit    Emit
	Index   func() *match.Index // that holds the changes of a run, or newer ones
	Decay   match.Decay         // the match stage's
	Tenants func() []string     // whose alerts an indicator for all is looked for in
	Clock   func() time.Time
	Revoked Revoked // nil: nothing is ever revoked
}

// NewFinder makes a finder. The configuration must be that of Seen.
func NewFinder(cfg Config, d Deps) (*Finder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Finder{cfg: cfg, seen: d.Seen, store: d.Store, emit: d.Emit, index: d.Index, decay: d.Decay, tenants: d.Tenants, clock: d.Clock,
		revoked: d.Revoked, reader: match.NewReader()}, nil
}

// Progress tells how far a run is.
type Progress struct {
	Next       int           `json:"next"`        // changes before it are done: where to go on
	Asked      int           `json:"asked"`       // of them, those that may say something of past alerts
	Seen       int           `json:"seen"`        // of those, that some hour may have seen
	Hours      int           `json:"hours"`       // hours that are remembered
	HoursAsked int           `json:"hours_asked"` // hours that the store was asked for, over all queries
	Queries    int           `json:"queries"`
	Rows       int           `json:"rows"`
	Found      int           `json:"found"`      // matches that their alerts did not have
	Counting   int           `json:"counting"`   // of them
	Withdrawn  int           `json:"withdrawn"`  // matches that counted and do not any more
	Reinstated int           `json:"reinstated"` // matches that did not count and do now
	Cut        int           `json:"cut"`        // values that were given up, see Config.Most
	Took       time.Duration `json:"took"`
}

// And adds up two runs.
func (p Progress) And(q Progress) Progress {
	return Progress{Next: p.Next + q.Next, Asked: p.Asked + q.Asked, Seen: p.Seen + q.Seen, Hours: max(p.Hours, q.Hours), HoursAsked: p.HoursAsked + q.HoursAsked,
		Queries: p.Queries + q.Queries, Rows: p.Rows + q.Rows, Found: p.Found + q.Found, Counting: p.Counting + q.Counting, Withdrawn: p.Withdrawn + q.Withdrawn,
		Reinstated: p.Reinstated + q.Reinstated, Cut: p.Cut + q.Cut, Took: p.Took + q.Took}
}

// pass is how many changes are looked up together: each hour's filter is read once
// for all of them.
const pass = 50_000

// Match looks for alerts that saw the indicators which the changes add, and for matches
// of alerts that the changes take back or put back. It goes on from changes[from] and
// tells done after each part, whose findings are on the log by then: a caller that keeps
// Progress.Next can go on from there after a restart. What was found already is not
// found again. An error of done ends the run.
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

// bad reports an indicator that can speak against alerts.
func bad(i *schema.Indicator) bool {
	return !i.Listed && i.Wish != schema.WishAllow && (i.Verdict == schema.VerdictMalicious || i.Verdict == schema.VerdictSuspicious)
}

// concern is whom a change may say something about.
type concern uint8

const (
	concernsNobody  concern = iota
	concernsAlerts          // that saw its value
	concernsMatched         // that have matches: it takes some back, or no longer does
)

// concernOf says whom a change at now may say something about. That something has come to
// its own end says nothing of what was: it takes nothing back and puts nothing back.
func concernOf(c *schema.IndicatorChange, now schema.Millis) concern {
	i := &c.Indicator
	switch {
	case c.Op == schema.IndicatorAdd && bad(i):
		return concernsAlerts
	case c.Op == schema.IndicatorRemove && i.ValidUntil != 0 && i.ValidUntil <= now:
		return concernsNobody
	case c.Op == schema.IndicatorAdd || c.Op == schema.IndicatorRemove:
		return concernsMatched
	}
	return concernsNobody
}

// identity is what an indicator is known by.
type identity struct {
	typ             schema.ObservableType
	value, feed, id string
}

func identityOf(i *schema.Indicator) identity { return identity{i.Type, i.Value, i.Feed, i.ID} }

func (f *Finder) part(ctx context.Context, changes []schema.IndicatorChange, p *Progress) error {
	var list []*schema.IndicatorChange
	var questions []uint64
	made := schema.FromTime(f.clock())
	for k := range changes {
		if c := &changes[k]; concernOf(c, made) != concernsNobody {
			list = append(list, c)
			questions = append(questions, question(&c.Indicator))
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
	run := &run{Finder: f, progress: p, changed: map[identity]bool{}, removed: map[identity]*revocation{}, told: map[xxh3.Uint128]bool{}, made: made}
	for k, c := range list {
		if len(hours[k]) == 0 {
			continue
		}
		p.Seen++
		switch i := &c.Indicator; {
		case !bad(i): // it takes back or puts back what others say
		case c.Op == schema.IndicatorAdd:
			run.changed[identityOf(i)] = true
		default:
			run.removed[identityOf(i)] = nil
		}
		run.want(&c.Indicator, concernOf(c, made) == concernsMatched, hours[k])
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
