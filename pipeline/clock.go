package pipeline

import (
	"maps"
	"sort"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// clock is the time of one shard, as its log tells it: for each tenant a watermark
// from the watermark records of its raw partitions, and the time of the log as
// that tenant's records tell it, so that one tenant's forged time moves nobody
// else's. It is a function of the log and the configured sources alone. ADR 0003.
type clock struct {
	lateness schema.Millis
	expected func(tenant string) []string // raw topics that speak for a tenant
	tenants  map[string]*tenantClock
	now      schema.Millis // the newest of all tenants
}

// tenantClock is what is known of one tenant's raw partitions.
type tenantClock struct {
	name      string
	now       schema.Millis // time of the log, by this tenant's records
	first     schema.Millis // now, when the first watermark record came; zero: none yet
	watermark schema.Millis

	tickedWatermark, tickedNow schema.Millis // the last tick given out

	parts  map[partKey]*partClock
	counts map[string]int32 // raw topic -> partitions; zero: not yet reported
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

func newClock(lateness schema.Millis, expected func(tenant string) []string) *clock {
	return &clock{lateness: lateness, expected: expected, tenants: map[string]*tenantClock{}}
}

// see advances the time of the log for a tenant, whose clock is made if needed. The
// name may alias a record.
func (c *clock) see(tenant string, now schema.Millis) *tenantClock {
	t := c.tenants[tenant]
	if t == nil {
		t = &tenantClock{name: strings.Clone(tenant), parts: map[partKey]*partClock{}, counts: map[string]int32{}}
		// Until each raw topic has been heard of, or silent too long, time waits.
		for _, topic := range c.expected(tenant) {
			t.counts[topic] = 0
		}
		c.tenants[t.name] = t
	}
	t.now = max(t.now, now)
	c.now = max(c.now, t.now)
	return t
}

// observe takes a watermark record, whose strings may alias the record, and
// reports the tenant's tick and whether it is due.
func (c *clock) observe(w *schema.Watermark) (stages.Tick, bool) {
	t := c.see(w.Tenant, w.Now)
	if t.first == 0 {
		t.first = t.now
	}
	if w.Partitions > t.counts[w.Topic] {
		t.counts[strings.Clone(w.Topic)] = w.Partitions // assigning replaces the key, too
	}
	k := partKey{w.Topic, w.Partition}
	p := t.parts[k]
	if p == nil {
		p = &partClock{}
		k.topic = strings.Clone(k.topic)
		t.parts[k] = p
	}
	p.idle, p.heard = w.Idle, t.now
	p.maxCreated = max(p.maxCreated, w.MaxCreated)
	t.advance(c.lateness)
	tick := stages.Tick{Tenant: t.name, Watermark: t.watermark, Now: t.now}
	if tick.Watermark < t.tickedWatermark+tickWatermark && tick.Now < t.tickedNow+tickNow {
		return tick, false
	}
	t.tickedWatermark, t.tickedNow = tick.Watermark, tick.Now
	return tick, true
}

// advance computes the tenant's watermark: the least of the newest event times
// of its raw partitions, less the lateness. A partition that is silent at its
// end, or that has not been heard of for the lateness in the time of the log, is
// left out; with nothing left, the newest event time of all counts.
func (t *tenantClock) advance(lateness schema.Millis) {
	_, least, waiting := t.holder(lateness)
	if waiting {
		return
	}
	if least == 0 {
		for _, p := range t.parts {
			least = max(least, p.maxCreated)
		}
	}
	if least != 0 {
		t.watermark = max(t.watermark, least-lateness)
	}
}

// holder names the raw partition that holds the tenant's watermark back, with its
// newest event time, which is zero while it owes one: then time waits for it. No
// topic: none does.
func (t *tenantClock) holder(lateness schema.Millis) (held partKey, least schema.Millis, waiting bool) {
	found := false
	consider := func(k partKey, created schema.Millis) {
		if !found || created < least || created == least && k.less(held) {
			held, least, found = k, created, true
		}
	}
	for k, p := range t.parts {
		if !p.idle && t.now-p.heard <= lateness {
			consider(k, p.maxCreated)
		}
	}
	if t.now-t.first <= lateness {
		for topic, n := range t.counts {
			for i := range max(n, 1) { // not heard of: at least one partition is owed
				if k := (partKey{topic, i}); t.parts[k] == nil {
					consider(k, 0)
				}
			}
		}
	}
	return held, least, found && least == 0
}

func (k partKey) less(o partKey) bool {
	return k.topic < o.topic || k.topic == o.topic && k.partition < o.partition
}

// clone copies the clock: it is small, so undo is a copy.
func (c *clock) clone() *clock {
	n := &clock{lateness: c.lateness, expected: c.expected, now: c.now, tenants: make(map[string]*tenantClock, len(c.tenants))}
	for name, t := range c.tenants {
		u := *t
		u.parts, u.counts = make(map[partKey]*partClock, len(t.parts)), maps.Clone(t.counts)
		for k, p := range t.parts {
			q := *p
			u.parts[k] = &q
		}
		n.tenants[name] = &u
	}
	return n
}

// clockState is the snapshot form of a clock, in a fixed order. Times are numbers,
// since a forged one may lie in a year that RFC 3339 cannot write.
type clockState struct {
	Tenants []tenantState `json:"tenants"`
}

type tenantState struct {
	Name            string            `json:"name"`
	Now             int64             `json:"now"`
	First           int64             `json:"first"`
	Watermark       int64             `json:"watermark"`
	TickedWatermark int64             `json:"ticked_watermark"`
	TickedNow       int64             `json:"ticked_now"`
	Counts          []topicCountState `json:"counts"`
	Parts           []partState       `json:"parts"`
}

type topicCountState struct {
	Topic      string `json:"topic"`
	Partitions int32  `json:"partitions"`
}

type partState struct {
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	MaxCreated int64  `json:"max_created"`
	Heard      int64  `json:"heard"`
	Idle       bool   `json:"idle"`
}

func (c *clock) state() clockState {
	var s clockState
	for name, t := range c.tenants {
		ts := tenantState{Name: name, Now: int64(t.now), First: int64(t.first), Watermark: int64(t.watermark),
			TickedWatermark: int64(t.tickedWatermark), TickedNow: int64(t.tickedNow)}
		for topic, n := range t.counts {
			ts.Counts = append(ts.Counts, topicCountState{topic, n})
		}
		for k, p := range t.parts {
			ts.Parts = append(ts.Parts, partState{k.topic, k.partition, int64(p.maxCreated), int64(p.heard), p.idle})
		}
		sort.Slice(ts.Counts, func(i, j int) bool { return ts.Counts[i].Topic < ts.Counts[j].Topic })
		sort.Slice(ts.Parts, func(i, j int) bool {
			a, b := ts.Parts[i], ts.Parts[j]
			return partKey{a.Topic, a.Partition}.less(partKey{b.Topic, b.Partition})
		})
		s.Tenants = append(s.Tenants, ts)
	}
	sort.Slice(s.Tenants, func(i, j int) bool { return s.Tenants[i].Name < s.Tenants[j].Name })
	return s
}

// restore puts the state into an empty clock.
func (s clockState) restore(c *clock) {
	for _, ts := range s.Tenants {
		t := &tenantClock{name: ts.Name, now: schema.Millis(ts.Now), first: schema.Millis(ts.First), watermark: schema.Millis(ts.Watermark),
			tickedWatermark: schema.Millis(ts.TickedWatermark), tickedNow: schema.Millis(ts.TickedNow),
			parts: map[partKey]*partClock{}, counts: map[string]int32{}}
		c.now = max(c.now, t.now)
		for _, n := range ts.Counts {
			t.counts[n.Topic] = n.Partitions
		}
		for _, p := range ts.Parts {
			t.parts[partKey{p.Topic, p.Partition}] = &partClock{schema.Millis(p.MaxCreated), schema.Millis(p.Heard), p.Idle}
		}
		c.tenants[ts.Name] = t
	}
}
