package indicators

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"golang.org/x/sync/errgroup"
)

// ChurnReport compares matching at full speed with and without changes.
type ChurnReport struct {
	Rate        int           `json:"changes_per_second"`
	Changes     int           `json:"changes"`
	Applied     match.Applied `json:"applied"`
	Control     float64       `json:"control_lookups_per_second"`
	Changing    float64       `json:"changing_lookups_per_second"`
	Ratio       float64       `json:"ratio"`
	StaleP50    float64       `json:"staleness_p50_ms"` // from when a change was due until a matcher uses it
	StaleP99    float64       `json:"staleness_p99_ms"`
	StaleMax    float64       `json:"staleness_max_ms"`
	PauseBefore float64       `json:"control_longest_pause_ms"` // of a batch of questions
	Pause       float64       `json:"changing_longest_pause_ms"`
	ApplyP99    float64       `json:"apply_p99_ms"`
	Index       match.Stats   `json:"index_after"`
	Memory      Memory        `json:"memory_after"`
	Checked     int           `json:"changed_indicators_checked"`
	Wrong       int           `json:"wrong_after_changes"`
}

// Parameters of the runs.
const (
	tick      = 10 * time.Millisecond
	batchSize = 256
)

// version is an index with the time at which the oldest of its changes was due.
type version struct {
	x   *match.Index
	due time.Time
}

// versions is where the changer puts an index and the matcher finds it.
type versions struct {
	current atomic.Pointer[version]
	mu      sync.Mutex
	unseen  time.Time // due time of the oldest version that no matcher has used yet
}

func (v *versions) publish(x *match.Index, due time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unseen.IsZero() {
		v.unseen = due
	}
	v.current.Store(&version{x, due})
}

// changesOf gives the changes of one tick: additions, changes, ends and revocations
// in turn, and notes in state what holds then: revision, or -1 for not there.
func changesOf(n uint64, from, count int, state map[uint64]int) []match.Change {
	list := make([]match.Change, count)
	for k := range list {
		seq := uint64(from + k)
		old := mix(seq) >> 8 % n
		c := &list[k]
		switch seq % 4 {
		case 0:
			state[n+seq] = 0
			*c = match.Change{Op: match.Add, Indicator: Indicator(n+seq, 0)}
		case 1, 2: // other terms, and an end
			state[old] = 1 + int(seq)
			*c = match.Change{Op: match.Add, Indicator: Indicator(old, state[old])}
		default:
			state[old] = -1
			*c = match.Change{Op: match.Remove, Indicator: Indicator(old, 0)}
		}
	}
	return list
}

// Churn matches at full speed for a while, then again while changes come in, and
// then checks every indicator that was changed.
func Churn(ctx context.Context, x *match.Index, o Options) (rep ChurnReport, err error) {
	list := questions(1<<18, func(i uint64) ([]byte, schema.ObservableType) {
		if i%100 == 0 {
			return Question(nil, o.Indicators, i)
		}
		return appendValue(nil, (o.Indicators+mix(i)>>8)/kinds*kinds+4)
	})
	rep.Rate = o.Rate
	v := &versions{}
	v.publish(x, time.Now())
	v.unseen = time.Time{}
	match1 := func(ctx context.Context) (perSecond float64, longest time.Duration, stale []time.Duration) {
		r := match.NewReader()
		start := time.Now()
		last, asked, at := start, 0, 0
		for ctx.Err() == nil {
			now := v.current.Load()
			v.mu.Lock()
			if !v.unseen.IsZero() {
				now = v.current.Load()
				stale = append(stale, time.Since(v.unseen))
				v.unseen = time.Time{}
			}
			v.mu.Unlock()
			for range batchSize {
				r.Find(now.x, list[at], func(*schema.Indicator) {})
				if at++; at == len(list) {
					at = 0
				}
			}
			asked += batchSize
			t := time.Now()
			longest = max(longest, t.Sub(last))
			last = t
		}
		return float64(asked) / last.Sub(start).Seconds(), longest, stale
	}
	limited, cancel := context.WithTimeout(ctx, o.Churn)
	perSecond, longest, _ := match1(limited)
	cancel()
	rep.Control, rep.PauseBefore = perSecond, millis(longest)

	state := map[uint64]int{}
	limited, cancel = context.WithTimeout(ctx, o.Churn)
	defer cancel()
	var stale, took []time.Duration
	g := errgroup.Group{}
	g.Go(func() error {
		rep.Changing, longest, stale = match1(limited)
		return nil
	})
	g.Go(func() error {
		perTick := o.Rate * int(tick) / int(time.Second)
		start := time.Now()
		for n := 0; limited.Err() == nil; n++ {
			due := start.Add(time.Duration(n) * tick)
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			}
			changes := changesOf(o.Indicators, rep.Changes, perTick, state)
			before := time.Now()
			next, applied, err := x.Apply(changes)
			if err != nil {
				cancel()
				return err
			}
			took = append(took, time.Since(before))
			x = next
			rep.Changes += len(changes)
			rep.Applied.Added += applied.Added
			rep.Applied.Changed += applied.Changed
			rep.Applied.Removed += applied.Removed
			rep.Applied.Unchanged += applied.Unchanged
			v.publish(x, due)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return rep, fmt.Errorf("changing the index: %w", err)
	}
	if len(stale) == 0 || len(took) == 0 {
		return rep, fmt.Errorf("no change came through in %s", o.Churn)
	}
	slices.Sort(stale)
	slices.Sort(took)
	rep.StaleP50, rep.StaleP99, rep.StaleMax = millis(stale[len(stale)/2]), millis(stale[len(stale)*99/100]), millis(stale[len(stale)-1])
	rep.ApplyP99 = millis(took[len(took)*99/100])
	rep.Ratio, rep.Pause = rep.Changing/rep.Control, millis(longest)
	rep.Index, rep.Memory = x.Stats(), memory()
	rep.Checked, rep.Wrong = len(state), verify(x, state)
	return rep, nil
}

// verify counts the indicators of state that the index does not show as they are.
func verify(x *match.Index, state map[uint64]int) int {
	wrong := 0
	for i, revision := range state {
		want := Indicator(i, max(0, revision))
		right := revision < 0
		x.Find(schema.Observable{Type: want.Type, Value: want.Value}, func(got *schema.Indicator) { right = revision >= 0 && same(*got, want) })
		if !right {
			wrong++
		}
	}
	return wrong
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
