package disrupt

import (
	"slices"
	"strconv"

	"github.com/interdict/interdict/schema"
)

// maxDecisions bounds what one episode may record, should its outcome flap.
const maxDecisions = 16

// decide asks whether the evidence against k meets its policy, and records what
// follows if that is new.
func (d *Disruptor) decide(t *tenant, p *policy, k suspectKey, trigger *schema.Alert, b *schema.Batch) {
	s, ok := t.suspects.get(k)
	if !ok {
		return
	}
	x := trial{d: d, t: t, policy: p, arm: p.arms[k.Target.Type], target: k.Target, now: t.vars.v.Clock, episode: s.Episode}
	if x.evidence, ok = p.pick(t.proved(s.Evidence)); !ok {
		if x.evidence, ok = p.pick(s.Evidence); !ok {
			return
		}
		x.disproved = true
	}
	x.asset, x.known = t.assets.get(k.Target)
	if x.held, ok = t.leases.get(schema.NewLeaseID(t.name, k.Target, x.arm.action)); ok {
		x.mine = x.held.cause(x.policy.name, x.episode.ID) >= 0
	}
	failed, reason := x.judge()
	outcome, name := schema.OutcomeFired, ""
	if failed != nil {
		name = failed.name
	}
	switch {
	case failed != nil && !(failed.person && p.mode == ModeShadow):
		outcome = schema.OutcomeVetoed
	case p.mode == ModeShadow:
		outcome = schema.OutcomeShadow
	case x.mine:
		d.renew(t, &x, b)
	}
	ep := s.Episode
	if ep.Decided && ep.Outcome == outcome && ep.Rule == name || ep.Count >= maxDecisions {
		return
	}
	if ep.ID.IsZero() {
		ep.ID = schema.DeriveID("episode", t.name, p.name, k.Target.String(), trigger.ID.String(), strconv.FormatInt(int64(x.now), 10))
	}
	ep.Count++
	ep.Outcome, ep.Rule, ep.Decided = outcome, name, true
	x.episode = ep
	t.suspects.put(k, &suspect{s.Evidence, ep})
	dec := schema.Decision{
		ID:     schema.DeriveID("decision", ep.ID.String(), strconv.Itoa(ep.Count)),
		Tenant: t.name, Policy: p.name, PolicyHash: p.hash, Incident: trigger.Incident, Target: k.Target, Action: x.arm.action,
		Outcome: outcome, Mode: p.mode, Evidence: alertsOf(x.evidence), Until: x.now + x.arm.lease, Time: x.now, Cause: "policy",
	}
	if failed != nil {
		dec.Veto = name + ": " + reason
	}
	switch {
	case outcome != schema.OutcomeFired:
	case x.mine: // it fired before, and something stood against it in between
		dec.Lease = x.held.ID
	default:
		dec.Lease = d.grant(t, &x, &dec, b)
	}
	b.Decisions = append(b.Decisions, dec)
}

func alertsOf(list []evidence) []schema.AlertID {
	ids := make([]schema.AlertID, len(list))
	for i := range list {
		ids[i] = list[i].Alert
	}
	return ids
}

// proved gives the evidence without what was disproved.
func (t *tenant) proved(list []evidence) []evidence {
	bad := func(e evidence) bool { _, ok := t.disproof.get(e.Alert); return ok }
	if len(t.disproof.m) == 0 || !slices.ContainsFunc(list, bad) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), bad)
}

// disprove takes note that an alert was a false detection and releases what it
// alone has caused.
func (d *Disruptor) disprove(t *tenant, alert schema.AlertID, p disproof, by actor, b *schema.Batch) {
	if old, ok := t.disproof.get(alert); ok {
		p.Person = p.Person || old.Person
		p.Rev = max(p.Rev, old.Rev)
	} else if len(t.disproof.m) >= maxDisproofs {
		t.forget()
	}
	t.disproof.put(alert, p)
	for _, id := range t.leaseIDs() {
		l, _ := t.leases.get(id)
		var left []cause
		for _, c := range l.Causes {
			if d.stands(t, l.Target, c, alert) {
				left = append(left, c)
				continue
			}
			// Better evidence may start it again.
			d.changeEpisode(t, suspectKey{c.Policy, l.Target}, c.Episode, func(e *episode) { e.Decided = false })
		}
		switch {
		case len(left) == len(l.Causes):
		case len(left) == 0:
			d.end(t, l, schema.LeaseReleased, "false_positive: alert "+alert.String(), by, b)
		default:
			d.reduce(t, l, left, "false_positive: alert "+alert.String(), by, b)
		}
	}
}

// stands reports whether a cause does without the disproved alert: the rest of
// its evidence, with what has come since, must still meet the policy, sources and
// attestation included. Else one sensor could free what others have contained, by
// taking back an alert of its own.
func (d *Disruptor) stands(t *tenant, target schema.EntityRef, c cause, alert schema.AlertID) bool {
	has := func(list []evidence) bool {
		return slices.ContainsFunc(list, func(e evidence) bool { return e.Alert == alert })
	}
	var since []evidence
	if s, ok := t.suspects.get(suspectKey{c.Policy, target}); ok {
		since = s.Evidence
	}
	if !has(c.Evidence) && !has(since) {
		return true
	}
	p := d.catalog.byName[c.Policy]
	if p == nil || p.hash != c.Hash {
		return !has(c.Evidence) // the policy has changed since: what was disproved has nothing left to stand on
	}
	rest := slices.Clone(c.Evidence)
	for _, e := range since {
		if !slices.ContainsFunc(rest, func(x evidence) bool { return x.Alert == e.Alert }) {
			rest = append(rest, e)
		}
	}
	slices.SortFunc(rest, func(x, y evidence) int { return x.compare(&y) })
	found, ok := p.pick(t.proved(rest))
	return ok && countSources(found) >= p.sources && countAttested(found) >= p.attested
}

// Bounds of remembered verdicts.
const (
	maxDisproofs = 65_536
	disproofLife = 7 * schema.Day
)

// forget makes room for verdicts: the oldest eighth goes, those of persons last.
func (t *tenant) forget() {
	ids := make([]schema.AlertID, 0, len(t.disproof.m))
	for id := range t.disproof.m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y schema.AlertID) int {
		a, b := t.disproof.m[x], t.disproof.m[y]
		switch {
		case a.Person != b.Person:
			if b.Person {
				return -1
			}
			return 1
		case a.Time != b.Time:
			return int(min(1, max(-1, a.Time-b.Time)))
		}
		return x.Compare(y)
	})
	for _, id := range ids[:max(1, len(ids)/8)] {
		t.disproof.del(id)
	}
}
