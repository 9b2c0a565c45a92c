package kafka

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sinkPart is one partition while it is ours. Everything in it is guarded by the
// sink's lock, but for the contents of a flight that is running.
type sinkPart struct {
	at      tp
	id      string // of the topic
	compact bool   // a second read may differ, so there are no intents

	recs  []pipeline.Record // read and not yet durable; a flight holds the first of them
	bytes int64             // of recs
	next  int64             // offset after what was read, transaction markers included
	since time.Time         // when the first record after those of the flight arrived; with none, when next moved

	committed int64
	end       int64 // last stable offset at the last fetch; -1: not known

	recovered *intent // found in the group and not yet taken up
	flight    *flight // the range under way, or waiting to be tried again
	running   bool    // a goroutine is at the flight
	leaving   bool    // being given up: nothing new is started
	gone      bool    // given up: nothing is committed any more
	paused    bool
	lastError string
}

// flight is one range on its way to the store, over as many attempts as it takes.
type flight struct {
	rng    pipeline.Range // no records: only the position is committed
	after  int64          // the position when done: past hi and transaction markers next to it
	bytes  int64
	in     *intent // nil on compacted topics
	verify bool    // in is another member's: the records must be the ones it announced

	inserted bool // only the commit is missing
	tries    int
	retryAt  time.Time
	estimate float64 // blocks the budget was charged for this attempt

	// Of the attempt that is running.
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// recordOverhead is what a record costs in memory besides its bytes, roughly.
const recordOverhead = 160

func recordSize(r *pipeline.Record) int64 {
	n := len(r.Key) + len(r.Value) + recordOverhead
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value) + 40
	}
	return int64(n)
}

// add takes one record as it was read and reports by how many bytes the buffer
// grew. Transaction markers only move the position.
func (p *sinkPart) add(r *kgo.Record, now time.Time) (int64, error) {
	if r.Offset < p.next {
		return 0, fmt.Errorf("%s/%d gave offset %d after %d: the broker lost records and took others in their place", p.at.topic, p.at.partition, r.Offset, p.next-1)
	}
	if p.waiting() == 0 && (!r.Attrs.IsControl() || p.next == p.committed) {
		p.since = now
	}
	p.next = r.Offset + 1
	if r.Attrs.IsControl() {
		return 0, nil
	}
	rec := pipeline.Record{Offset: r.Offset, Time: schema.FromTime(r.Timestamp), Key: r.Key, Value: r.Value}
	if len(r.Headers) > 0 {
		rec.Headers = make([]pipeline.Header, len(r.Headers))
		for i, h := range r.Headers {
			rec.Headers[i] = pipeline.Header{Key: h.Key, Value: h.Value}
		}
	}
	size := recordSize(&rec)
	p.recs = append(p.recs, rec)
	p.bytes += size
	return size, nil
}

// waiting is how many records no flight holds.
func (p *sinkPart) waiting() int {
	if p.flight != nil {
		return len(p.recs) - len(p.flight.rng.Records)
	}
	return len(p.recs)
}

// filling reports whether the rest of another member's range is still to be read.
func (p *sinkPart) filling() bool { return p.recovered != nil && p.next <= p.recovered.hi }

// due gives when the partition next wants an attempt, if ever as things are.
func (p *sinkPart) due(c *SinkConfig) (time.Time, bool) {
	switch {
	case p.leaving || p.running || p.filling():
		return time.Time{}, false
	case p.flight != nil:
		return p.flight.retryAt, true
	case p.recovered != nil:
		return p.since, true
	case len(p.recs) >= c.Rows || p.bytes >= c.Bytes:
		return p.since, true
	case len(p.recs) > 0 || p.next > p.committed:
		return p.since.Add(c.Linger), true
	}
	return time.Time{}, false
}

// cut makes a flight of the buffer: up to limit bytes of it, or the range that
// another member announced.
func (p *sinkPart) cut(limit int64, now time.Time) *flight {
	f := &flight{rng: pipeline.Range{Topic: p.at.topic, TopicID: p.id, Partition: p.at.partition}}
	n := 0
	if in := p.recovered; in != nil {
		n = sort.Search(len(p.recs), func(i int) bool { return p.recs[i].Offset > in.hi })
		f.in, f.verify, p.recovered = in, true, nil
		// The token is made of the announced bounds.
		f.rng.Lo, f.rng.Hi = p.committed, in.hi
		for i := range n {
			f.bytes += recordSize(&p.recs[i])
		}
	} else {
		for ; n < len(p.recs); n++ {
			size := recordSize(&p.recs[n])
			if n > 0 && f.bytes+size > limit {
				break
			}
			f.bytes += size
		}
		if n > 0 {
			f.rng.Lo, f.rng.Hi = p.recs[0].Offset, p.recs[n-1].Offset
			if !p.compact {
				f.in = &intent{}
			}
		}
	}
	f.rng.Records = p.recs[:n:n]
	f.after = f.rng.Hi + 1
	if n == len(p.recs) {
		f.after = p.next
	}
	p.since = now // of what stays; the first record to come sets it anew
	p.flight = f
	return f
}

// land takes the flight's records out of the buffer and reports their size.
func (p *sinkPart) land() int64 {
	f := p.flight
	clear(f.rng.Records) // the rest of the buffer shares the array
	p.recs = p.recs[len(f.rng.Records):]
	if len(p.recs) == 0 {
		p.recs = nil
	}
	p.bytes -= f.bytes
	p.committed = f.after
	p.flight, p.lastError = nil, ""
	return f.bytes
}
