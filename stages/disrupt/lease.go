package disrupt

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/interdict/interdict/schema"
)

// maxCauses bounds a lease; the one that ends first gives way.
const maxCauses = 16

// actor is who moved a lease.
type actor struct {
	name   string
	origin schema.Origin
}

func ourselves() actor { return actor{"disrupt", schema.OriginDisruption} }

func (l *lease) cause(policy string, episode schema.ID) int {
	return slices.IndexFunc(l.Causes, func(c cause) bool { return c.Policy == policy && c.Episode == episode })
}

// version gives the next version: it grows over the life of the tenant, also
// across leases of one id, and follows the clock of the log.
func (t *tenant) version() uint64 {
	v := t.vars.v
	v.Version = max(v.Version+1, uint64(max(0, v.Clock)))
	t.vars.set(v)
	return v.Version
}

// put keeps a lease and the time when the next one may end.
func (t *tenant) putLease(l *lease) {
	t.leases.put(l.ID, l)
	v := t.vars.v
	for i := range l.Causes {
		if until := l.Causes[i].Until; v.Due == 0 || until < v.Due {
			v.Due = until
		}
	}
	t.vars.set(v)
}

func (t *tenant) leaseIDs() []schema.ID {
	ids := make([]schema.ID, 0, len(t.leases.m))
	for id := range t.leases.m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// grant starts the lease that a decision asks for, or adds the decision to the
// causes of the one that is in force.
func (d *Disruptor) grant(t *tenant, x *trial, dec *schema.Decision, b *schema.Batch) schema.ID {
	c := cause{Policy: x.policy.name, Hash: x.policy.hash, Episode: x.episode.ID, Decision: dec.ID, Until: dec.Until,
		Incident: dec.Incident, Evidence: slices.Clone(x.evidence)}
	if x.held == nil {
		d.spend(t, x.target.Type)
		l := &lease{Hash: c.Hash, Causes: []cause{c}, Lease: schema.Lease{
			ID: schema.NewLeaseID(t.name, x.target, x.arm.action), Tenant: t.name, Target: x.target, Action: x.arm.action,
			From: x.now, Until: c.Until, Incident: c.Incident, Decision: c.Decision, Policy: c.Policy, Evidence: dec.Evidence,
			Reason: "policy " + c.Policy, Version: t.version()}}
		t.putLease(l)
		d.emit(t, l, schema.VerbApply, "apply", ourselves(), b)
		return l.ID
	}
	l := *x.held
	l.Causes = append(slices.Clone(l.Causes), c)
	if len(l.Causes) > maxCauses {
		first := 0
		for i := range l.Causes {
			if l.Causes[i].Until < l.Causes[first].Until {
				first = i
			}
		}
		l.Causes = slices.Delete(l.Causes, first, first+1)
	}
	d.extend(t, &l, "joined by policy "+c.Policy, "join", b)
	return l.ID
}

// renew prolongs the lease of an episode that goes on, when half of it is over,
// so that a steady attack costs a command every other hour and not every alert.
func (d *Disruptor) renew(t *tenant, x *trial, b *schema.Batch) {
	i := x.held.cause(x.policy.name, x.episode.ID)
	if x.held.Causes[i].Until-x.now >= x.arm.lease/2 {
		return
	}
	l := *x.held
	l.Causes = slices.Clone(l.Causes)
	c := &l.Causes[i]
	c.Until = x.now + x.arm.lease
	c.Evidence = slices.Clone(x.evidence)
	d.extend(t, &l, "renewed: the evidence goes on", "renew", b)
}

// extend keeps l with its changed causes and tells executors if it ends later.
func (d *Disruptor) extend(t *tenant, l *lease, reason, verb string, b *schema.Batch) {
	before := l.Until
	l.Until = lastOf(l.Causes)
	if l.Until == before {
		t.putLease(l)
		return
	}
	l.Reason, l.Version = reason, t.version()
	t.putLease(l)
	d.emit(t, l, schema.VerbApply, verb, ourselves(), b)
}

// reduce keeps a lease with fewer causes and tells executors if it ends earlier.
func (d *Disruptor) reduce(t *tenant, old *lease, left []cause, reason string, by actor, b *schema.Batch) {
	l := *old
	l.Causes = left
	l.Until = lastOf(left)
	// What stands on its record is a cause that still holds.
	c := &left[0]
	l.Decision, l.Policy, l.Hash, l.Incident, l.Evidence = c.Decision, c.Policy, c.Hash, c.Incident, alertsOf(c.Evidence)
	l.Reason, l.Version = reason, t.version()
	t.putLease(&l)
	d.emit(t, &l, schema.VerbApply, "reduce", by, b)
}

func lastOf(causes []cause) (until schema.Millis) {
	for i := range causes {
		until = max(until, causes[i].Until)
	}
	return until
}

// end takes a lease out of force and commands its release.
func (d *Disruptor) end(t *tenant, old *lease, state schema.LeaseState, reason string, by actor, b *schema.Batch) {
	t.leases.del(old.ID)
	l := *old
	l.State, l.Reason, l.Version = state, reason, t.version()
	verb := "release"
	if state == schema.LeaseExpired {
		verb = "expire"
	}
	d.emit(t, &l, schema.VerbRelease, verb, by, b)
}

// expire ends what is over by the tenant's clock.
func (d *Disruptor) expire(t *tenant, b *schema.Batch) {
	now := t.vars.v.Clock
	if t.vars.v.Due == 0 || now < t.vars.v.Due {
		return
	}
	v := t.vars.v
	v.Due = 0
	t.vars.set(v)
	all := make([]*lease, 0, len(t.leases.m))
	for _, l := range t.leases.m {
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y *lease) int { return cmp.Or(cmp.Compare(x.Until, y.Until), compareIDs(x.ID, y.ID)) })
	for _, l := range all {
		var left []cause
		for _, c := range l.Causes {
			if c.Until > now {
				left = append(left, c)
				continue
			}
			// More of the same evidence may start it again.
			d.changeEpisode(t, suspectKey{c.Policy, l.Target}, c.Episode, func(e *episode) { e.Decided = false })
		}
		switch {
		case len(left) == 0:
			d.end(t, l, schema.LeaseExpired, "expired", ourselves(), b)
		case len(left) < len(l.Causes):
			kept := *l
			kept.Causes = left
			t.putLease(&kept)
		default:
			t.putLease(l)
		}
	}
}

// releaseBy ends a lease because a person said so. The episodes that caused it
// may not start it again.
func (d *Disruptor) releaseBy(t *tenant, l *lease, reason string, by actor, b *schema.Batch) {
	for _, c := range l.Causes {
		d.changeEpisode(t, suspectKey{c.Policy, l.Target}, c.Episode, func(e *episode) { e.Released = true })
	}
	d.end(t, l, schema.LeaseReleased, reason, by, b)
}

func (d *Disruptor) changeEpisode(t *tenant, k suspectKey, id schema.ID, change func(*episode)) {
	if s, ok := t.suspects.get(k); ok && s.Episode.ID == id {
		c := *s
		change(&c.Episode)
		t.suspects.put(k, &c)
	}
}

// emit writes a lease's new state, the command for it and the ledger event.
func (d *Disruptor) emit(t *tenant, l *lease, verb schema.Verb, what string, by actor, b *schema.Batch) {
	version := strconv.FormatUint(l.Version, 10)
	b.Leases = append(b.Leases, l.Lease)
	a := schema.Action{
		ID:     schema.DeriveID("action", l.ID.String(), verb.String(), version),
		Tenant: t.name, Lease: l.ID, Decision: l.Decision, Incident: l.Incident, Verb: verb, Kind: l.Action, Target: l.Target,
		Issued: t.vars.v.Clock, Until: l.Until, Policy: l.Policy, PolicyHash: l.Hash, Evidence: l.Evidence, Version: l.Version,
	}
	d.signer.sign(&a)
	b.Actions = append(b.Actions, a)
	b.Ledger = append(b.Ledger, schema.LedgerEvent{
		ID:     schema.DeriveID("ledger", t.name, l.ID.String(), what, version),
		Tenant: t.name, Object: "lease:" + l.ID.String(), Incident: l.Incident, Actor: by.name, Origin: by.origin, Verb: what,
		After: l.State.String() + " until " + l.Until.String(), Cause: l.Reason, Time: t.vars.v.Clock,
	})
}
