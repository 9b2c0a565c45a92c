package correlate

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

// The case plane. A person's use of an incident pins its alerts to it: pins say
// where an alert is shown, and never feed back into components.

// controls marks the incidents that people used. It returns the indices of the
// records whose incident is not known; only, if not nil, names the records to
// look at.
func (c *Correlator) controls(b *schema.Batch, only []int) (unknown []int) {
	one := func(i int) {
		k := &b.Control[i]
		if k.Kind != schema.ControlCase {
			return
		}
		id, err := schema.ParseIncidentID(k.Object)
		if err != nil {
			return
		}
		found := false
		if k.Tenant != "" {
			found = c.touchIncident(c.tenants[k.Tenant], id)
		} else {
			for _, t := range c.tenants { // the id is of one tenant only
				found = found || c.touchIncident(t, id)
			}
		}
		if !found {
			unknown = append(unknown, i)
		}
	}
	if only != nil {
		for _, i := range only {
			one(i)
		}
		return nil
	}
	for i := range b.Control {
		one(i)
	}
	return unknown
}

// touchIncident pins the alerts of an incident, found through its redirects.
func (c *Correlator) touchIncident(t *tenant, id schema.IncidentID) bool {
	if t == nil {
		return false
	}
	f := t.byInc.get(id)
	if f == 0 {
		return false
	}
	f = t.alerts.at(f).shown
	own := t.alerts.at(f).own
	if t.incs.at(own).touched {
		return true
	}
	c.touch(t)
	t.incs.mut(own).touched = true
	t.touched++
	for _, a := range t.members(nil, t.rootOf(f, t.alerts.at(f).top)) {
		if t.alerts.at(a).shown == f {
			t.pinTo(a, f)
		}
	}
	t.dirty = append(t.dirty, f)
	return true
}

// pinTo shows an alert in the incident of founder for good.
func (t *tenant) pinTo(a, founder int32) {
	r, inc := t.alerts.mut(a), t.incs.mut(t.alerts.at(founder).own)
	r.pin, r.pinNext = founder, inc.pins
	inc.pins = a
}

// pinned appends the alerts of a used incident.
func (t *tenant) pinned(dst []int32, founder int32) []int32 {
	for a := t.incs.at(t.alerts.at(founder).own).pins; a != 0; a = t.alerts.at(a).pinNext {
		dst = append(dst, a)
	}
	return dst
}

// unit gives the components that close together: those that used incidents
// span, and what those span. Mostly it is the one.
func (t *tenant) unit(root int32) []int32 {
	roots := []int32{root}
	if t.touched == 0 {
		return roots
	}
	seen := map[int32]bool{root: true}
	cases := map[int32]bool{}
	for i := 0; i < len(roots); i++ {
		for _, a := range t.members(nil, roots[i]) {
			p := t.alerts.at(a).pin
			if p == 0 || cases[p] {
				continue
			}
			cases[p] = true
			for _, m := range t.pinned(nil, p) {
				if r := t.rootOf(m, t.alerts.at(m).top); !seen[r] {
					seen[r] = true
					roots = append(roots, r)
				}
			}
		}
	}
	return roots
}

// overlay decides the pins of the changed incidents: a used incident keeps its
// alerts and gains those that join it; it gives way to an older one that nobody
// used by taking that over; two used ones stay apart.
func (r *resolver) overlay(t *tenant, b *schema.Batch) {
	for _, g := range r.groups {
		ms := r.order[g.from:g.to]
		f := ms[0]
		var cases []int32
		for _, a := range ms {
			if p := t.alerts.at(a).pin; p != 0 && !contains(cases, p) {
				cases = append(cases, p)
			}
		}
		if len(cases) == 0 {
			continue
		}
		for i, x := range cases {
			for _, y := range cases[i+1:] {
				r.relate(t, x, y, b)
			}
		}
		into := t.alerts.at(f).pin
		if into == 0 {
			x := cases[0]
			if len(cases) > 1 || t.rootOf(x, t.alerts.at(x).top) != g.root {
				continue // only a part of x is here, or two used ones meet: each stays
			}
			r.takeOver(t, f, x)
			into = f
		}
		for _, a := range ms {
			if t.alerts.at(a).pin == 0 {
				t.pinTo(a, into)
			}
		}
	}
}

// takeOver makes the older incident of f the used one in place of x.
func (r *resolver) takeOver(t *tenant, f, x int32) {
	t.found(f)
	t.incs.mut(t.alerts.at(f).own).touched = true
	old := t.incs.mut(t.alerts.at(x).own)
	moved := t.pinned(nil, x)
	old.touched, old.pins = false, 0
	for _, a := range moved {
		t.pinTo(a, f)
	}
}

// relate records, once, that two used incidents met and were kept apart.
func (r *resolver) relate(t *tenant, x, y int32, b *schema.Batch) {
	if t.older(y, x) {
		x, y = y, x
	}
	if t.related.get(pairID(x, y)) != 0 {
		return
	}
	t.related.set(pairID(x, y), 1)
	r.ledger(t, b, "relate", t.incident(y), t.incident(x), "both in use")
}

// ledger appends an event about incident from, caused by its relation to into.
func (r *resolver) ledger(t *tenant, b *schema.Batch, verb string, from, into schema.IncidentID, cause string) {
	b.Ledger = append(b.Ledger, schema.LedgerEvent{
		ID:       schema.DeriveID("ledger", t.name, verb, from.String(), into.String(), strconv.FormatUint(b.Position, 10)),
		Tenant:   t.name,
		Object:   "incident:" + from.String(),
		Incident: into,
		Actor:    "correlate",
		Origin:   schema.OriginCorrelation,
		Verb:     verb,
		Before:   from.String(),
		After:    into.String(),
		Cause:    cause,
		Time:     b.Now,
	})
}

func contains(s []int32, v int32) bool {
	for _, x := range s {
		if x == v {
			return true
		}
	}
	return false
}
