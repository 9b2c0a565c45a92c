package indicators

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"golang.org/x/sync/errgroup"
)

// Options say what is measured.
type Options struct {
	Indicators uint64
	Lookups    uint64 // of the comparison with the oracle
	Dir        string // for the snapshot and what waits to be sorted into it
	Match      match.Config
	Rate       int           // changes per second
	Churn      time.Duration // how long matching with changes takes, and how long without
	Progress   func(string)
}

// Report is what was measured.
type Report struct {
	Indicators uint64      `json:"indicators"`
	LoadBefore string      `json:"load_average_before"`
	LoadAfter  string      `json:"load_average_after"`
	Build      BuildReport `json:"build"`
	Open       OpenReport  `json:"open"`
	Lookup     Lookup      `json:"lookup"`
	Oracle     Comparison  `json:"oracle"`
	Churn      ChurnReport `json:"churn"`
}

// BuildReport is the price of a snapshot made of indicators in any order.
type BuildReport struct {
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	Bytes     int64   `json:"snapshot_bytes"`
	Memory    Memory  `json:"memory"` // of the process, the most there was
}

// OpenReport is the price of loading it.
type OpenReport struct {
	Seconds float64     `json:"seconds"`
	Index   match.Stats `json:"index"`
	Before  Memory      `json:"before"`
	After   Memory      `json:"after"`
}

// Memory is what the kernel says of this process, in bytes.
type Memory struct {
	Private int64 `json:"private"` // memory of its own
	File    int64 `json:"file"`    // pages of mapped files, which the kernel may take back at any time
	Peak    int64 `json:"peak"`    // the most of both together that there was
}

// Lookup is the price of a question.
type Lookup struct {
	First          Cost    `json:"positive_first"` // records whose pages this process has not touched yet
	Negative       Cost    `json:"negative"`
	Positive       Cost    `json:"positive"`       // a record that was not asked for lately
	PositiveRecent Cost    `json:"positive_again"` // one that was
	Setting        float64 `json:"false_positives_setting"`
	FalsePositives float64 `json:"false_positives"`
	Asked          int     `json:"false_positives_asked"`
	FileAfter      Memory  `json:"memory_after"`
}

// Cost is nanoseconds per question: of the thread's processor time, and of the clock,
// which on a busy machine counts the others' turns too.
type Cost struct {
	CPU  float64 `json:"cpu_ns"`
	Wall float64 `json:"wall_ns"`
}

// threadTime is the processor time that this thread has used.
func threadTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// processTime is the processor time that all threads of the process have used.
func processTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// rusageThread is RUSAGE_THREAD of Linux, which package syscall does not name.
const rusageThread = 1

// Comparison is the outcome of asking both the index and the oracle.
type Comparison struct {
	Lookups uint64  `json:"lookups"`
	Named   uint64  `json:"named"` // by the oracle
	False   uint64  `json:"false_matches"`
	Missed  uint64  `json:"misses"`
	Wrong   uint64  `json:"wrong_records"` // the value is right, something else of the indicator is not
	Seconds float64 `json:"seconds"`
}

// Run measures everything.
func Run(ctx context.Context, o Options) (rep Report, err error) {
	rep.Indicators, rep.LoadBefore = o.Indicators, loadAverage()
	path := filepath.Join(o.Dir, "indicators.snapshot")
	o.Progress("building")
	if rep.Build, err = Build(ctx, o, path); err != nil {
		return rep, err
	}
	o.Progress("opening")
	x, open, err := Open(path)
	if err != nil {
		return rep, err
	}
	rep.Open = open
	o.Progress("asking")
	if rep.Lookup, err = Ask(x, o); err != nil {
		return rep, err
	}
	o.Progress("comparing with the oracle")
	if rep.Oracle, err = Compare(ctx, x, o); err != nil {
		return rep, err
	}
	if o.Churn > 0 {
		o.Progress("changing while matching")
		if rep.Churn, err = Churn(ctx, x, o); err != nil {
			return rep, err
		}
	}
	rep.LoadAfter = loadAverage()
	return rep, nil
}

// Build writes the snapshot of the first n numbers.
func Build(ctx context.Context, o Options, path string) (rep BuildReport, err error) {
	spill, err := os.CreateTemp(o.Dir, "spill-*")
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, spill.Close(), os.Remove(spill.Name())) }()
	start := time.Now()
	b, err := match.NewBuilder(o.Match, spill)
	if err != nil {
		return rep, err
	}
	for i := range o.Indicators {
		if i&0xfffff == 0 && ctx.Err() != nil {
			return rep, ctx.Err()
		}
		if err := b.Add(Indicator(i, 0)); err != nil {
			return rep, err
		}
	}
	if err := b.WriteSnapshot(path); err != nil {
		return rep, err
	}
	rep.Seconds = time.Since(start).Seconds()
	rep.PerSecond = float64(o.Indicators) / rep.Seconds
	info, err := os.Stat(path)
	if err != nil {
		return rep, err
	}
	rep.Bytes, rep.Memory = info.Size(), memory()
	return rep, nil
}

// Open loads a snapshot with the memory of what came before given back.
func Open(path string) (*match.Index, OpenReport, error) {
	var rep OpenReport
	debug.FreeOSMemory()
	rep.Before = memory()
	start := time.Now()
	x, err := match.OpenSnapshot(path)
	if err != nil {
		return nil, rep, err
	}
	rep.Seconds = time.Since(start).Seconds()
	rep.Index, rep.After = x.Stats(), memory()
	return x, rep, nil
}

// questions are made beforehand, so that making them is not measured.
func questions(count int, value func(i uint64) ([]byte, schema.ObservableType)) []schema.Observable {
	list := make([]schema.Observable, count)
	for i := range list {
		v, t := value(uint64(i))
		list[i] = schema.Observable{Type: t, Value: string(v)}
	}
	return list
}

// Ask measures the price of questions about values that are listed and that are not.
// The absent are addresses and hashes, one key a question; of the listed a fifth are
// mailboxes, whose domain is asked for as well.
func Ask(x *match.Index, o Options) (rep Lookup, err error) {
	n := o.Indicators
	count := int(min(n, 1<<20))
	absent := questions(count, func(i uint64) ([]byte, schema.ObservableType) { // of the kinds that ask for one key
		kind := [...]uint64{3, 4, 6}[i%3]
		return appendValue(nil, (n/kinds+1+mix(i)>>8%((1<<32)-n/kinds-1))*kinds+kind) // 2^32 numbers have addresses of their own
	})
	present := questions(count, func(i uint64) ([]byte, schema.ObservableType) {
		return appendValue(nil, mix(i)>>8%n/kinds*kinds+[...]uint64{0, 3, 4, 6, 7}[i%5])
	})
	found := 0
	r := match.NewReader()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	count1 := func(*schema.Indicator) { found++ }
	time1 := func(list []schema.Observable) Cost {
		wall, cpu := time.Now(), threadTime()
		for i := range list {
			r.Find(x, list[i], count1)
		}
		return Cost{CPU: float64(threadTime()-cpu) / float64(len(list)), Wall: float64(time.Since(wall).Nanoseconds()) / float64(len(list))}
	}
	best := func(list []schema.Observable) Cost { // the machine is shared: the median of three
		c := []Cost{time1(list), time1(list), time1(list)}
		slices.SortFunc(c, func(a, b Cost) int { return cmp.Compare(a.CPU, b.CPU) })
		return c[1]
	}
	rep.First = time1(present)
	found = 0
	rep.Negative = best(absent)
	if found > 0 {
		return rep, fmt.Errorf("%d of %d absent values were found", found, len(absent))
	}
	rep.Positive = best(present)
	if want := 3 * len(present); found < want*99/100 { // the last few numbers may lie beyond the library
		return rep, fmt.Errorf("%d of %d present values were found", found, want)
	}
	recent := make([]schema.Observable, count)
	for i := range recent {
		recent[i] = present[i%min(1000, count)]
	}
	rep.PositiveRecent = best(recent)
	rep.Setting, rep.Asked = o.Match.FalsePositives, 20*count
	through := 0
	var buf [128]byte
	for i := range uint64(rep.Asked) {
		v, t := appendValue(buf[:0], (n+1<<50)/kinds*kinds+i*kinds)
		if filter, exact := x.Contains(schema.Observable{Type: t, Value: string(v)}); exact {
			return rep, fmt.Errorf("%s was found", v)
		} else if filter {
			through++
		}
	}
	rep.FalsePositives = float64(through) / float64(rep.Asked)
	rep.FileAfter = memory()
	return rep, nil
}

// Compare asks index and oracle the same questions.
func Compare(ctx context.Context, x *match.Index, o Options) (Comparison, error) {
	start := time.Now()
	workers := uint64(runtime.GOMAXPROCS(0))
	parts := make([]Comparison, workers)
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		g.Go(func() error {
			r, c := match.NewReader(), &parts[w]
			buf := make([]byte, 0, 256)
			for seed := w; seed < o.Lookups; seed += workers {
				if seed>>20 != (seed+workers)>>20 && ctx.Err() != nil {
					return ctx.Err()
				}
				v, t := Question(buf[:0], o.Indicators, seed)
				q := schema.Observable{Type: t, Value: string(v)}
				number, named := Truth(o.Indicators, q)
				hits := 0
				r.Find(x, q, func(i *schema.Indicator) {
					hits++
					if named && !same(*i, Indicator(number, 0)) {
						c.Wrong++
					}
				})
				c.Lookups++
				switch {
				case named && hits == 0:
					c.Missed++
				case !named && hits > 0, hits > 1:
					c.False++
				}
				if named {
					c.Named++
				}
			}
			return nil
		})
	}
	err := g.Wait()
	var sum Comparison
	for _, c := range parts {
		sum.Lookups, sum.Named, sum.False, sum.Missed, sum.Wrong = sum.Lookups+c.Lookups, sum.Named+c.Named, sum.False+c.False, sum.Missed+c.Missed, sum.Wrong+c.Wrong
	}
	sum.Seconds = time.Since(start).Seconds()
	return sum, err
}

func same(a, b schema.Indicator) bool {
	return a.ID == b.ID && a.Feed == b.Feed && a.Type == b.Type && a.Value == b.Value && a.Verdict == b.Verdict && a.Severity == b.Severity &&
		a.Confidence == b.Confidence && a.TLP == b.TLP && a.ValidFrom == b.ValidFrom && a.ValidUntil == b.ValidUntil && len(a.Labels) == len(b.Labels)
}

// memory reads what the kernel says of this process; zeros where it does not.
func memory() Memory {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Memory{}
	}
	field := func(name string) int64 {
		_, rest, _ := strings.Cut(string(text), name+":")
		line, _, _ := strings.Cut(rest, "\n")
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
		if err != nil {
			return 0
		}
		return n << 10
	}
	return Memory{Private: field("RssAnon"), File: field("RssFile"), Peak: field("VmHWM")}
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
