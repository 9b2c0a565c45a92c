package indicators

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"golang.org/x/sync/errgroup"
)

// ChurnReport compares matching at full speed with and without changes. The two take
// turns, so that a machine that others use meanwhile slows both alike.
type ChurnReport struct {
	Rate      int           `json:"changes_per_second"`
	Changes   int           `json:"changes"`
	Applied   match.Applied `json:"applied"`
	Control   Speed         `json:"control"`
	Changing  Speed         `json:"changing"`
	Ratio     float64       `json:"ratio"`                   // of questions per second
	CPURatio  float64       `json:"cpu_ratio"`               // of what a question takes of its thread's time: what is left when changes have a core of their own
	ChangeCPU float64       `json:"cpu_us_per_change"`       // of the thread that changes
	OtherCPU  float64       `json:"other_cpu_us_per_change"` // of all other threads but the matcher's: the collector
	StaleP50  float64       `json:"staleness_p50_ms"`        // from when a change was due until a matcher uses it
	StaleP99  float64       `json:"staleness_p99_ms"`
	StaleMax  float64       `json:"staleness_max_ms"`
	ApplyP99  float64       `json:"apply_p99_ms"`
	Index     match.Stats   `json:"index_after"`
	Memory    Memory        `json:"memory_after"`
	Checked   int           `json:"changed_indicators_checked"`
	Wrong     int           `json:"wrong_after_changes"`
}

// Speed is how one matcher got on.
type Speed struct {
	PerSecond float64 `json:"questions_per_second"`
	CPU       float64 `json:"cpu_ns"`           // a question
	Pause     float64 `json:"longest_pause_ms"` // of a batch of questions
}

// Parameters of the runs.
const (
	tick      = 10 * time.Millisecond
	batchSize = 256
	turns     = 4 // of each of the two
)

// versions is where the changer puts an index and the matcher finds it.
type versions struct {
	current match.Holder
	mu      sync.Mutex
	unseen  time.Time // due time of the oldest version that no matcher has used yet
}

func (v *versions) publish(x *match.Index, due time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unseen.IsZero() {
		v.unseen = due
	}
	v.current.Store(x)
}

// What is known of a changed indicator: its revision, or that it is not there. An ended
// one has a revision below zero.
const gone = math.MinInt

// changesOf gives the changes of one tick: additions, changes, ends and revocations
// in turn, and notes in state what holds then.
func changesOf(n uint64, from, count int, state map[uint64]int) []match.Change {
	list := make([]match.Change, count)
	for k := range list {
		seq := uint64(from + k)
		i, revision := mix(seq)>>8%n, 1+int(seq)
		switch seq % 4 {
		case 0:
			i, revision = n+seq, 0
		case 1: // other terms
		case 2:
			revision = -revision
		default:
			state[i] = gone
			list[k] = match.Change{Op: match.Remove, Indicator: Indicator(i, 0)}
			continue
		}
		state[i] = revision
		list[k] = match.Change{Op: match.Add, Indicator: Indicator(i, revision)}
	}
	return list
}

// matcher asks at full speed.
type matcher struct {
	v    *versions
	list []schema.Observable
	at   int

	asked int
	took  time.Duration
	cpu   int64
	pause time.Duration
	stale []time.Duration
}

// run asks until ctx ends, on a thread of its own.
func (m *matcher) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := match.NewReader()
	start, cpu := time.Now(), threadTime()
	last := start
	for ctx.Err() == nil {
		m.v.mu.Lock()
		now, unseen := m.v.current.Load(), m.v.unseen
		m.v.unseen = time.Time{}
		m.v.mu.Unlock()
		if !unseen.IsZero() {
			m.stale = append(m.stale, time.Since(unseen))
		}
		for range batchSize {
			r.Find(now, m.list[m.at], func(*schema.Indicator) {})
			if m.at++; m.at == len(m.list) {
				m.at = 0
			}
		}
		m.asked += batchSize
		t := time.Now()
		m.pause = max(m.pause, t.Sub(last))
		last = t
	}
	m.took += last.Sub(start)
	m.cpu += threadTime() - cpu
}

func (m *matcher) speed() Speed {
	return Speed{PerSecond: float64(m.asked) / m.took.Seconds(), CPU: float64(m.cpu) / float64(m.asked), Pause: millis(m.pause)}
}

// changer applies changes at a rate.
type changer struct {
	v     *versions
	o     Options
	x     *match.Index
	state map[uint64]int

	changes int
	applied match.Applied
	took    []time.Duration
	cpu     int64
}

// run changes until ctx ends, on a thread of its own.
func (c *changer) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu := threadTime()
	defer func() { c.cpu += threadTime() - cpu }()
	perTick := c.o.Rate * int(tick) / int(time.Second)
	start := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		due := start.Add(time.Duration(n) * tick)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		list := changesOf(c.o.Indicators, c.changes, perTick, c.state)
		before := time.Now()
		next, applied, err := c.x.Apply(list)
		if err != nil {
			return err
		}
		c.took = append(c.took, time.Since(before))
		c.x = next
		c.changes += len(list)
		c.applied.Added += applied.Added
		c.applied.Changed += applied.Changed
		c.applied.Removed += applied.Removed
		c.applied.Unchanged += applied.Unchanged
		c.v.publish(next, due)
	}
	return nil
}

// Churn matches at full speed with and without changes in turn, and then checks every
// indicator that was changed.
func Churn(ctx context.Context, x *match.Index, o Options) (rep ChurnReport, err error) {
	list := questions(1<<18, func(i uint64) ([]byte, schema.ObservableType) {
		if i%100 == 0 {
			return Question(nil, o.Indicators, i)
		}
		return appendValue(nil, (o.Indicators+mix(i)>>8)/kinds*kinds+4)
	})
	v := &versions{}
	v.current.Store(x)
	control, changing := &matcher{v: v, list: list}, &matcher{v: v, list: list}
	c := &changer{v: v, o: o, x: x, state: map[uint64]int{}}
	other := int64(0)
	for range turns {
		limited, cancel := context.WithTimeout(ctx, o.Churn/turns)
		control.run(limited)
		cancel()
		limited, cancel = context.WithTimeout(ctx, o.Churn/turns)
		all, own := processTime(), changing.cpu+c.cpu
		g := errgroup.Group{}
		g.Go(func() error { changing.run(limited); return nil })
		g.Go(func() error { defer cancel(); return c.run(limited) })
		if err := g.Wait(); err != nil {
			return rep, fmt.Errorf("changing the index: %w", err)
		}
		other += processTime() - all - (changing.cpu + c.cpu - own)
	}
	if err := ctx.Err(); err != nil {
		return rep, err
	}
	if len(changing.stale) == 0 || c.changes == 0 || control.asked == 0 {
		return rep, fmt.Errorf("no change came through in %s", o.Churn)
	}
	rep = ChurnReport{Rate: o.Rate, Changes: c.changes, Applied: c.applied, Control: control.speed(), Changing: changing.speed(),
		ChangeCPU: float64(c.cpu) / 1000 / float64(c.changes), OtherCPU: float64(max(0, other)) / 1000 / float64(c.changes), Index: c.x.Stats(), Memory: memory()}
	rep.Ratio, rep.CPURatio = rep.Changing.PerSecond/rep.Control.PerSecond, rep.Control.CPU/rep.Changing.CPU
	stale := changing.stale
	slices.Sort(stale)
	slices.Sort(c.took)
	rep.StaleP50, rep.StaleP99, rep.StaleMax = millis(stale[len(stale)/2]), millis(stale[len(stale)*99/100]), millis(stale[len(stale)-1])
	rep.ApplyP99 = millis(c.took[len(c.took)*99/100])
	rep.Checked, rep.Wrong = len(c.state), verify(c.x, c.state)
	return rep, nil
}

// verify counts the indicators of state that the index does not show as they are, or that
// are judged otherwise: what has ended must make no match.
func verify(x *match.Index, state map[uint64]int) int {
	wrong := 0
	for i, revision := range state {
		want := Indicator(i, max(revision, -1<<62))
		o := schema.Observable{Type: want.Type, Value: want.Value}
		var found []schema.Indicator
		x.Find(o, func(got *schema.Indicator) { found = append(found, *got) })
		if revision == gone {
			if len(found) > 0 {
				wrong++
			}
			continue
		}
		right := len(found) == 1 && same(found[0], want)
		for _, r := range match.Judge(match.Decay{}, match.Subject{Created: until - 1, Retro: true}, o, found, nil) {
			right = right && (r.Reason == match.Ended) == (revision < 0)
		}
		if !right {
			wrong++
		}
	}
	return wrong
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
