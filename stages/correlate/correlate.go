package correlate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Correlator is the stage, for one virtual shard. It is not safe for concurrent
// use.
type Correlator struct {
	ladder  *ladder
	hash    uint64
	tenants map[string]*tenant
	open    []*tenant // changed since the last commit

	// Scratch; empty between calls.
	parts, kept, spare []part
	buf                []byte
	seen               []int32 // record of each alert of the batch
	work               []*tenant
	r                  resolver
}

var (
	_ stages.Stateful = (*Correlator)(nil)
	_ stages.Timed    = (*Correlator)(nil)
)

// New makes a Correlator without state, or reports what Validate does.
func New(cfg Config) (*Correlator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Correlator{ladder: newLadder(cfg), hash: cfg.Hash(), tenants: make(map[string]*tenant)}, nil
}

// ConfigHash names the parameters; see Config.Hash.
func (c *Correlator) ConfigHash() uint64 { return c.hash }

// tenant gives the tenant's state, made on first use, ready to be changed.
func (c *Correlator) tenant(name string) *tenant {
	t := c.tenants[name]
	if t == nil {
		t = newTenant(strings.Clone(name))
		t.fresh = true
		c.tenants[t.name] = t
	}
	c.touch(t)
	return t
}

func (c *Correlator) touch(t *tenant) {
	if !t.open {
		t.open = true
		c.open = append(c.open, t)
	}
}

// Process takes the batch's alerts in order and appends what changed: heads,
// rows, paths and ledger events of tenants by name, of incidents by founder.
func (c *Correlator) Process(_ context.Context, b *schema.Batch) error {
	later := c.controls(b, nil)
	c.seen = c.seen[:0]
	var t *tenant
	for i := range b.Alerts {
		a := &b.Alerts[i]
		if t == nil || t.name != a.Tenant {
			t = c.tenant(a.Tenant)
		}
		idx, standing := c.observe(t, a)
		a.Standing = standing
		c.seen = append(c.seen, idx)
	}
	c.retros(b)
	c.resolveAll(b)
	c.tellRetros(b)
	if len(later) > 0 { // of incidents that this batch made
		c.controls(b, later)
		c.resolveAll(b)
	}
	t = nil
	for i := range b.Alerts {
		a := &b.Alerts[i]
		if t == nil || t.name != a.Tenant {
			t = c.tenants[a.Tenant]
		}
		a.Incident = t.incident(t.alerts.at(c.seen[i]).shown)
	}
	return nil
}

// Advance takes a step of a tenant's time: held observations whose degree is
// sealed link, and incidents that no on-time alert can join any more are
// emitted as final and leave memory.
func (c *Correlator) Advance(_ context.Context, tick stages.Tick, b *schema.Batch) error {
	if t := c.tenants[tick.Tenant]; t != nil && t.born && min(tick.Watermark, maxTime) <= t.watermark {
		return nil
	}
	t := c.tenant(tick.Tenant)
	t.watermark, t.born = min(tick.Watermark, maxTime), true
	c.release(t)
	c.resolveAll(b)
	c.close(t, b)
	return nil
}

// Commit makes the changes since the last Commit or Rollback permanent.
func (c *Correlator) Commit() {
	for _, t := range c.open {
		t.commit()
	}
	c.open = c.open[:0]
}

// Rollback restores the state at the last Commit, exactly.
func (c *Correlator) Rollback() {
	for _, t := range c.open {
		if t.fresh {
			delete(c.tenants, t.name)
			continue
		}
		t.rollback()
	}
	c.open = c.open[:0]
}

// resolveAll recomputes the incidents that changed, of every open tenant.
func (c *Correlator) resolveAll(b *schema.Batch) {
	c.work = append(c.work[:0], c.open...)
	slices.SortFunc(c.work, func(x, y *tenant) int { return strings.Compare(x.name, y.name) })
	for _, t := range c.work {
		if len(t.dirty) > 0 || len(t.moved) > 0 {
			c.r.resolve(c.ladder, t, b)
		}
	}
	clear(c.work)
}

// incident gives the id that alert founder gave.
func (t *tenant) incident(founder int32) schema.IncidentID {
	return t.incs.at(t.alerts.at(founder).own).id
}

// Held is the number of a tenant's observations whose single keys wait for the
// watermark.
func (c *Correlator) Held(tenant string) int {
	t := c.tenants[tenant]
	if t == nil {
		return 0
	}
	return int(t.held)
}

// Stats counts what is in memory, for metrics.
type Stats struct {
	Tenants      int
	Alerts       int
	Observations int
	Keys         int // single and pair keys
	Segments     int
	Components   int // nodes of all levels
	Held         int // observations that wait for the watermark
}

// Stats counts what is in memory.
func (c *Correlator) Stats() Stats {
	s := Stats{Tenants: len(c.tenants)}
	for _, t := range c.tenants {
		s.Alerts += t.alerts.live()
		s.Observations += t.obs.live()
		s.Keys += t.keys.live()
		s.Segments += t.segs.live()
		s.Components += t.slots.live()
		s.Held += int(t.held)
	}
	return s
}

// String names the stage in logs.
func (c *Correlator) String() string { return fmt.Sprintf("correlate(%d tenants)", len(c.tenants)) }
