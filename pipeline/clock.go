package pipeline

import (
	"sort"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// clock is the time of one shard, as its log tells it: a watermark per tenant
// from the watermark records of that tenant's raw partitions, and the time of
// the log. It is a function of the log and the configured sources alone. ADR 0003.
type clock struct {
	lateness schema.Millis
	tenants  map[string]*tenantClock
	now      schema.Millis
}

// tenantClock is what is known of one tenant's raw partitions.
type tenantClock struct {
	first     schema.Millis // time of the log when the tenant was first heard of
	watermark schema.Millis
	ticked    stages.Tick // the last tick given out
	parts     map[partKey]*partClock
	counts    map[string]int32 // raw topic -> partitions; zero: not yet reported
}

type partKey struct {
	topic     string
	partition int32
}

// partClock is one raw partition's place in time.
type partClock struct {
	maxCreated schema.Millis
	heard      schema.Millis // time of the log at its last record
	idle       bool
}

// Ticks are given out when the watermark or the time of the log has moved this
// far, so that time costs nothing per record. Both depend on the log only.
const (
	tickWatermark = 10 * schema.Second
	tickNow       = schema.Second
)

func newClock(lateness schema.Millis) *clock {
	return &clock{lateness: lateness, tenants: map[string]*tenantClock{}}
}

// tenant finds or makes a tenant's clock. expected are the raw topics that may
// speak for it: until each has been heard of, or silent too long, time waits.
func (c *clock) tenant(name string, expected []string) *tenantClock {
	t := c.tenants[name]
	if t == nil {
		t = &tenantClock{first: c.now, parts: map[partKey]*partClock{}, counts: map[string]int32{}}
		for _, topic := range expected {
			t.counts[topic] = 0
		}
		c.tenants[name] = t
	}
	return t
}

// see advances the time of the log.
func (c *clock) see(now schema.Millis) {
	if now > c.now {
		c.now = now
	}
}

// observe takes a watermark record and reports the tenant's tick, if one is due.
func (c *clock) observe(w *schema.Watermark, expected []string) (stages.Tick, bool) {
	c.see(w.Now)
	t := c.tenant(w.Tenant, expected)
	if w.Partitions > t.counts[w.Topic] {
		t.counts[w.Topic] = w.Partitions
	}
	k := partKey{w.Topic, w.Partition}
	p := t.parts[k]
	if p == nil {
		p = &partClock{}
		t.parts[k] = p
	}
	p.idle, p.heard = w.Idle, c.now
	if w.MaxCreated > p.maxCreated {
		p.maxCreated = w.MaxCreated
	}
	t.advance(c.now, c.lateness)
	tick := stages.Tick{Tenant: w.Tenant, Watermark: t.watermark, Now: c.now}
	if tick.Watermark < t.ticked.Watermark+tickWatermark && tick.Now < t.ticked.Now+tickNow {
		return tick, false
	}
	t.ticked = tick
	return tick, true
}

// advance computes the tenant's watermark: the least of the newest event times
// of its raw partitions, less the lateness. A partition that is silent at its
// end, or that has made no progress for the lateness in the time of the log, is
// left out; with nothing left, the newest event time of all counts.
func (t *tenantClock) advance(now, lateness schema.Millis) {
	var least, newest schema.Millis
	waiting := false
	for _, p := range t.parts {
		newest = max(newest, p.maxCreated)
		switch {
		case p.idle || now-p.heard > lateness:
		case p.maxCreated == 0:
			waiting = true
		case least == 0 || p.maxCreated < least:
			least = p.maxCreated
		}
	}
	for topic, n := range t.counts {
		if n == 0 {
			n = 1 // not heard of: at least one partition is owed
		}
		for i := range n {
			if t.parts[partKey{topic, i}] == nil && now-t.first <= lateness {
				waiting = true
			}
		}
	}
	if waiting || newest == 0 {
		return
	}
	if least == 0 {
		least = newest
	}
	t.watermark = max(t.watermark, least-lateness)
}

// holder names the raw partition that holds the tenant's watermark back, for
// status.
func (t *tenantClock) holder() (topic string, partition int32) {
	var least schema.Millis
	for k, p := range t.parts {
		if !p.idle && (least == 0 || p.maxCreated < least || p.maxCreated == least && k.topic < topic) {
			least, topic, partition = p.maxCreated, k.topic, k.partition
		}
	}
	return topic, partition
}

// clone copies the clock: it is small, so undo is a copy.
func (c *clock) clone() *clock {
	n := &clock{lateness: c.lateness, now: c.now, tenants: make(map[string]*tenantClock, len(c.tenants))}
	for name, t := range c.tenants {
		u := &tenantClock{first: t.first, watermark: t.watermark, ticked: t.ticked,
			parts: make(map[partKey]*partClock, len(t.parts)), counts: make(map[string]int32, len(t.counts))}
		for k, p := range t.parts {
			q := *p
			u.parts[k] = &q
		}
		for k, n := range t.counts {
			u.counts[k] = n
		}
		n.tenants[name] = u
	}
	return n
}

// clockState is the snapshot form of a clock, in a fixed order.
type clockState struct {
	Now     schema.Millis `json:"now"`
	Tenants []tenantState `json:"tenants"`
}

type tenantState struct {
	Name      string            `json:"name"`
	First     schema.Millis     `json:"first"`
	Watermark schema.Millis     `json:"watermark"`
	Ticked    stages.Tick       `json:"ticked"`
	Counts    []topicCountState `json:"counts"`
	Parts     []partState       `json:"parts"`
}

type topicCountState struct {
	Topic      string `json:"topic"`
	Partitions int32  `json:"partitions"`
}

type partState struct {
	Topic      string        `json:"topic"`
	Partition  int32         `json:"partition"`
	MaxCreated schema.Millis `json:"max_created"`
	Heard      schema.Millis `json:"heard"`
	Idle       bool          `json:"idle"`
}

func (c *clock) state() clockState {
	s := clockState{Now: c.now}
	for name, t := range c.tenants {
		ts := tenantState{Name: name, First: t.first, Watermark: t.watermark, Ticked: t.ticked}
		for topic, n := range t.counts {
			ts.Counts = append(ts.Counts, topicCountState{topic, n})
		}
		for k, p := range t.parts {
			ts.Parts = append(ts.Parts, partState{k.topic, k.partition, p.maxCreated, p.heard, p.idle})
		}
		sort.Slice(ts.Counts, func(i, j int) bool { return ts.Counts[i].Topic < ts.Counts[j].Topic })
		sort.Slice(ts.Parts, func(i, j int) bool {
			a, b := ts.Parts[i], ts.Parts[j]
			return a.Topic < b.Topic || a.Topic == b.Topic && a.Partition < b.Partition
		})
		s.Tenants = append(s.Tenants, ts)
	}
	sort.Slice(s.Tenants, func(i, j int) bool { return s.Tenants[i].Name < s.Tenants[j].Name })
	return s
}

func (s clockState) clock(lateness schema.Millis) *clock {
	c := newClock(lateness)
	c.now = s.Now
	for _, ts := range s.Tenants {
		t := &tenantClock{first: ts.First, watermark: ts.Watermark, ticked: ts.Ticked,
			parts: map[partKey]*partClock{}, counts: map[string]int32{}}
		for _, n := range ts.Counts {
			t.counts[n.Topic] = n.Partitions
		}
		for _, p := range ts.Parts {
			t.parts[partKey{p.Topic, p.Partition}] = &partClock{p.MaxCreated, p.Heard, p.Idle}
		}
		c.tenants[ts.Name] = t
	}
	return c
}
