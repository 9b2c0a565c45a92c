package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

// Options say what to measure with.
type Options struct {
	Kafka      kafka.Config     // of the cluster; Prefix must be fresh
	Plan       *pipeline.Plan   // over the one source Topic
	Sink       kafka.SinkConfig // of persist
	Persist    bool             // the plan has a store
	Topic      string           // raw topic; must exist with the partitions to measure
	Copy       string           // topic for the bare copy, with as many partitions
	Records    int
	Seed       uint64
	Progress   func(string)
	Profile    string        // folder for a CPU profile per row; empty: none
	WaitAtMost time.Duration // for each hop
}

// Measure is one row of the report.
type Measure struct {
	Name      string  `json:"name"`
	Records   int     `json:"records"`
	Seconds   float64 `json:"seconds"`
	CPU       float64 `json:"cpu_us_per_record"`
	PerSecond float64 `json:"records_per_second"`
	PerCore   float64 `json:"records_per_core_second"`
	Ratio     float64 `json:"ratio_to_copy"` // CPU of the bare copy / CPU of this
	// RatioOut is the same with a bare copy of records of the size that hop 1 writes.
	RatioOut float64 `json:"ratio_to_copy_of_output"`
}

// The rows that are bare copies: of the raw records, and of what hop 1 makes of
// them, which are larger by the fields.
const (
	rowCopy = "copy"
	rowOut  = "copy of out"
)

// Run fills the topic and measures: the bare copy, then each hop in turn over
// what the one before it wrote, and after the first one a bare copy of its output.
func Run(ctx context.Context, o Options) ([]Measure, error) {
	if o.WaitAtMost <= 0 {
		o.WaitAtMost = 10 * time.Minute
	}
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	say(fmt.Sprintf("producing %d alerts", o.Records))
	if err := fill(ctx, o); err != nil {
		return nil, err
	}
	var list []Measure
	say("bare exactly-once copy")
	m, err := o.copy(ctx, rowCopy, o.Topic, o.Copy)
	if err != nil {
		return nil, err
	}
	list = append(list, m)
	for _, hop := range o.Plan.Hops() {
		if hop.Name == "respond" {
			continue // works on actions, of which there are few
		}
		say("hop " + hop.Name)
		r, err := kafka.NewRunner(o.Kafka, hop, kafka.Settings{})
		if err != nil {
			return nil, err
		}
		if m, err = o.hop(ctx, hop.Name, r.Run, func() bool { return laneDone(r.Status(), o.Records) }); err != nil {
			return nil, err
		}
		list = append(list, m)
		if hop.Name == "detect" {
			say("bare exactly-once copy of its output")
			if m, err = o.copyOut(ctx); err != nil {
				return nil, err
			}
			list = append(list, m)
		}
	}
	if o.Persist {
		say("hop persist")
		s, err := kafka.NewSink(o.Kafka, o.Plan.Sink(), o.Sink, kafka.Settings{})
		if err != nil {
			return nil, err
		}
		if m, err = o.hop(ctx, "persist", s.Run, func() bool { return sinkDone(s.Status(), o.Records) }); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	whole := Measure{Name: "whole way", Records: o.Records}
	out := 0.0
	for _, m := range list {
		switch m.Name {
		case rowCopy:
		case rowOut:
			out = m.CPU
		default:
			whole.CPU += m.CPU
			whole.Seconds += m.Seconds
		}
	}
	whole.PerSecond = float64(o.Records) / whole.Seconds
	whole.PerCore = 1e6 / whole.CPU
	list = append(list, whole)
	for i := range list {
		list[i].Ratio, list[i].RatioOut = list[0].CPU/list[i].CPU, out/list[i].CPU
	}
	return list, nil
}

// fill writes the alerts; the records' timestamps are the alerts' own times.
func fill(ctx context.Context, o Options) error {
	p, err := kafka.NewProducer(o.Kafka)
	if err != nil {
		return err
	}
	defer p.Close()
	alert := gen.Suricata(o.Seed)
	for i := range o.Records {
		v := alert(nil, i)
		at, err := stamped(v)
		if err != nil {
			return fmt.Errorf("generated alert %d: %w", i, err)
		}
		p.Send(ctx, o.Topic, recordKey(i), v, at)
	}
	return p.Flush(ctx)
}

// copy measures a bare copy.
func (o Options) copy(ctx context.Context, row, from, to string) (Measure, error) {
	return measure(o.Profile, row, o.Records, func() error {
		n, err := kafka.PassThrough(ctx, o.Kafka, from, to, o.Records)
		if err == nil && n != o.Records {
			err = fmt.Errorf("copied %d of %d records", n, o.Records)
		}
		return err
	})
}

// copyOut measures a bare copy of what hop 1 wrote. The records are first put on a
// topic of their own, spread over the partitions as the raw ones were: on the
// alerts log those of one tenant share a partition.
func (o Options) copyOut(ctx context.Context) (Measure, error) {
	from, to := o.Topic+".out", o.Topic+".out-copy"
	var raw []kafka.RawTopic
	for _, name := range []string{from, to} {
		raw = append(raw, kafka.RawTopic{Name: name, Create: true, Partitions: o.Kafka.Partitions, Retention: 100 * 365 * 24 * time.Hour})
	}
	plan, err := kafka.PlanTopics(ctx, o.Kafka, raw)
	if err == nil {
		err = plan.Apply(ctx, o.Kafka)
	}
	if err != nil {
		return Measure{}, fmt.Errorf("creating topics for the copy of the output: %w", err)
	}
	p, err := kafka.NewProducer(o.Kafka)
	if err != nil {
		return Measure{}, err
	}
	defer p.Close()
	following, cancel := context.WithTimeout(ctx, o.WaitAtMost)
	defer cancel()
	n := 0
	err = kafka.Follow(following, o.Kafka, pipeline.TopicAlerts, func(r pipeline.Record) error {
		if kind, _, err := schema.DecodeEntry(r.Value); err != nil || kind != schema.EntryAlert {
			return err
		}
		if n == o.Records {
			return fmt.Errorf("more alerts than the %d raw records", n)
		}
		p.Send(ctx, from, recordKey(n), bytes.Clone(r.Value), r.Time)
		if n++; n == o.Records {
			cancel()
		}
		return nil
	})
	if err == nil {
		err = p.Flush(ctx)
	}
	if err == nil && n != o.Records {
		err = fmt.Errorf("hop 1 wrote %d of %d alerts", n, o.Records)
	}
	if err != nil {
		return Measure{}, fmt.Errorf("filling the topic for the copy of the output: %w", err)
	}
	return o.copy(ctx, rowOut, from, to)
}

// recordKey spreads records over partitions.
func recordKey(i int) []byte { return []byte{byte(i), byte(i >> 8), byte(i >> 16), 0} }

// hop runs one hop until it is done, and measures it.
func (o Options) hop(ctx context.Context, name string, run func(context.Context) error, done func() bool) (Measure, error) {
	return measure(o.Profile, name, o.Records, func() error {
		ctx, cancel := context.WithTimeout(ctx, o.WaitAtMost)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- run(ctx) }()
		for {
			select {
			case err := <-ended:
				if err == nil {
					err = errors.New("it ended before it was done")
				}
				return err
			case <-time.After(20 * time.Millisecond):
			}
			if done() {
				cancel()
				return <-ended
			}
		}
	})
}

// laneDone reports that the lanes have taken at least so many records and
// everything that is there.
func laneDone(st kafka.Status, records int) bool {
	var taken int64
	for _, l := range st.Lanes {
		if l.Phase != "running" || l.Lag != 0 {
			return false
		}
		taken += l.Committed
	}
	return taken >= int64(records)
}

// sinkDone reports the same of the store: every alert is a row, at least.
func sinkDone(st kafka.SinkStatus, records int) bool {
	for _, p := range st.Partitions {
		if p.Lag != 0 {
			return false
		}
	}
	return st.Totals.Rows >= int64(records)
}

// measure runs do and charges it with this process's CPU time.
func measure(profile, name string, records int, do func() error) (m Measure, err error) {
	runtime.GC()
	if profile != "" {
		f, err := os.Create(filepath.Join(profile, strings.ReplaceAll(name, " ", "-")+".pprof"))
		if err != nil {
			return m, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return m, err
		}
		defer pprof.StopCPUProfile()
	}
	cpu, start := cpuTime(), time.Now()
	if err := do(); err != nil {
		return m, fmt.Errorf("measuring %s: %w", name, err)
	}
	m = Measure{Name: name, Records: records, Seconds: time.Since(start).Seconds()}
	used := cpuTime() - cpu
	m.CPU = float64(used.Microseconds()) / float64(records)
	m.PerSecond = float64(records) / m.Seconds
	m.PerCore = 1e6 / m.CPU
	return m, nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// stamp is the form of the time that begins an EVE record.
const (
	stampHead = `{"timestamp":"`
	stamp     = "2006-01-02T15:04:05.000000-0700"
)

// restamp puts another time into an EVE record, in place.
func restamp(eve []byte, at time.Time) []byte {
	copy(eve[len(stampHead):], at.UTC().Format(stamp))
	return eve
}

// stamped reads the time of an EVE record.
func stamped(eve []byte) (schema.Millis, error) {
	t, err := time.Parse(stamp, string(eve[len(stampHead):len(stampHead)+len(stamp)]))
	return schema.FromTime(t), err
}
