package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
)

// groups of the deployment, in the order of the data.
func (l *lab) groups() []string {
	var names []string
	for _, hop := range []string{"detect", "correlate", "respond", "persist"} {
		names = append(names, l.kafka.Prefix+"."+hop)
	}
	return names
}

// kept are the topics that persist reads.
func (l *lab) kept() []string {
	var names []string
	for _, t := range []pipeline.Topic{pipeline.TopicAlerts, pipeline.TopicIncidents, pipeline.TopicMembers, pipeline.TopicPaths, pipeline.TopicDecisions,
		pipeline.TopicLeases, pipeline.TopicActions, pipeline.TopicResults, pipeline.TopicLedger, pipeline.TopicDeadLetter, pipeline.TopicAssets} {
		names = append(names, t.Name(l.kafka.Prefix))
	}
	return names
}

// settle waits until everything that was produced is in the store: each hop in
// turn must pass what was at the end of its inputs when the one before it had.
// Heartbeats go on meanwhile, so there is no moment without any lag.
func (l *lab) settle() {
	l.t.Helper()
	var raw []string
	for _, s := range l.sources {
		raw = append(raw, s.Topic)
	}
	for _, step := range []struct {
		hop    string
		topics []string
	}{{"detect", raw}, {"correlate", []string{pipeline.TopicAlerts.Name(l.kafka.Prefix)}},
		{"respond", []string{pipeline.TopicActions.Name(l.kafka.Prefix)}}, {"persist", l.kept()}} {
		l.pass(step.hop, step.topics)
	}
}

// pass waits until a hop has committed the present ends of topics.
func (l *lab) pass(hop string, topics []string) {
	l.t.Helper()
	group := l.kafka.Prefix + "." + hop
	ends, err := l.admin.ListEndOffsets(l.t.Context(), topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		l.t.Fatalf("reading the ends of %v: %v", topics, err)
	}
	behind := ""
	eventually(l.t, "hop "+hop+" takes what is there", func() bool {
		for _, p := range l.procs {
			if p.broke() {
				l.t.Fatalf("%s ended by itself: %s\n%s", p.name, p.ended(), p.tail(60))
			}
		}
		got, err := l.admin.FetchOffsets(l.t.Context(), group)
		if err != nil {
			behind = err.Error()
			return false
		}
		for topic, parts := range ends {
			for part, end := range parts {
				at := int64(0)
				if o, ok := got.Lookup(topic, part); ok {
					at = o.At
				}
				if at < end.Offset {
					behind = fmt.Sprintf("%s/%d: at %d of %d", topic, part, at, end.Offset)
					return false
				}
			}
		}
		return true
	}, func() string { return behind + "\n" + l.dump() })
}

// dump says how the deployment is, for a test that failed.
func (l *lab) dump() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var b strings.Builder
	lag, err := kafka.Lag(ctx, l.kafka, time.Now(), l.groups()...)
	text, _ := json.Marshal(lag)
	fmt.Fprintf(&b, "lag: %s %v\n", text, err)
	for _, p := range l.procs {
		if e := p.ended(); e != "" {
			if !p.killed() {
				fmt.Fprintf(&b, "%s has ended: %s\n", p.name, e)
			}
			continue
		}
		st, err := p.status(ctx)
		text, _ := json.Marshal(st)
		fmt.Fprintf(&b, "%s: %s %v\n%s\n", p.name, text, err, p.tail(30))
	}
	return b.String()
}

// place is a record's place on a topic.
type place struct {
	topic     string
	partition int32
}

// committed gives the offsets of the records that read_committed consumers see
// of the topics now, by partition in order.
func (l *lab) committed(topics ...string) map[place][]int64 {
	l.t.Helper()
	found := map[place][]int64{}
	l.each(topics, func(r *kgo.Record) {
		at := place{r.Topic, r.Partition}
		found[at] = append(found[at], r.Offset)
	})
	return found
}

// each gives every committed record of the topics.
func (l *lab) each(topics []string, record func(*kgo.Record)) {
	l.t.Helper()
	ends, err := l.admin.ListCommittedOffsets(l.t.Context(), topics...)
	if err != nil {
		l.t.Fatal(err)
	}
	left := map[place]int64{}
	from := map[string]map[int32]kgo.Offset{}
	for topic, parts := range ends {
		for p, o := range parts {
			if o.Offset > 0 {
				left[place{topic, p}] = o.Offset
				if from[topic] == nil {
					from[topic] = map[int32]kgo.Offset{}
				}
				from[topic][p] = kgo.NewOffset().AtStart()
			}
		}
	}
	if len(left) == 0 {
		return
	}
	opts, err := l.kafka.Options()
	if err != nil {
		l.t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumePartitions(from))...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			l.t.Fatalf("reading %v: %v, still missing up to %v", topics, err, left)
		}
		for it := fs.RecordIter(); !it.Done(); {
			r := it.Next()
			at := place{r.Topic, r.Partition}
			end, ok := left[at]
			if !ok {
				continue
			}
			if !r.Attrs.IsControl() {
				record(r)
			}
			if r.Offset+1 >= end {
				delete(left, at)
			}
		}
	}
}
