package disrupt

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Bounds of what is kept against one target and of what one alert may name.
const (
	maxEvidence = 32
	maxTargets  = 64
)

// finding says that the alert at hand shows signals of a policy for a target.
type finding struct {
	policy   *policy
	target   schema.EntityRef // aliases the batch
	signals  uint32
	attested bool
}

// find lists what a shows, in the order of its entities, then of the policies.
// The result is valid until the next call.
func (d *Disruptor) find(a *schema.Alert) []finding {
	d.found = d.found[:0]
	d.hits = d.catalog.lookup(a, d.hits[:0])
	if len(d.hits) == 0 {
		return nil
	}
	slices.SortFunc(d.hits, func(x, y *candidate) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.bit, y.bit)) })
	viewed := false
	for i := range a.Entities {
		e := &a.Entities[i]
		// A sensor is where the alert was made, and a controller is the attacker's
		// own: neither is what was attacked.
		if e.Role == schema.RoleSensor || e.Role == schema.RoleC2 || !usable(e.Key) {
			continue
		}
		for _, x := range d.hits {
			if _, ok := x.policy.arms[e.Type]; !ok {
				continue
			}
			if x.when != nil {
				if !viewed {
					d.view.fill(a)
					viewed = true
				}
				if !d.holds(x, e) {
					continue
				}
			}
			d.note(x, e)
		}
	}
	return d.found
}

// holds evaluates the expression of x. One that fails at run time is not met:
// nothing is contained by mistake.
func (d *Disruptor) holds(x *candidate, e *schema.Entity) bool {
	d.target = named(e)
	v, _, err := x.when.Eval(&scope{&d.view, &d.target})
	if err != nil {
		d.evalErrors++
		return false
	}
	yes, ok := v.Value().(bool)
	return ok && yes
}

func (d *Disruptor) note(x *candidate, e *schema.Entity) {
	for i := range d.found {
		f := &d.found[i]
		if f.policy == x.policy && f.target == e.Ref() {
			f.signals |= x.bit
			f.attested = f.attested || e.Attested
			return
		}
	}
	if len(d.found) < maxTargets {
		d.found = append(d.found, finding{x.policy, e.Ref(), x.bit, e.Attested})
	}
}

// retention is how long evidence can still be of use: within a window of
// something that is itself fresh.
func (d *Disruptor) retention(p *policy) schema.Millis { return p.window + d.maxAge }

// live gives the evidence of s that has not expired, and its episode: a new one
// when nothing is left.
func (d *Disruptor) live(t *tenant, p *policy, s *suspect) suspect {
	if s == nil {
		return suspect{}
	}
	horizon := t.vars.v.Clock - d.retention(p)
	n := 0
	for n < len(s.Evidence) && s.Evidence[n].Created < horizon {
		n++
	}
	if n == len(s.Evidence) {
		return suspect{}
	}
	return suspect{s.Evidence[n:], s.Episode}
}

// record adds the alert at hand to the evidence against a target, or replaces
// what an earlier revision of it said. It reports whether it now counts.
func (d *Disruptor) record(t *tenant, a *schema.Alert, f finding) (suspectKey, bool) {
	k := suspectKey{f.policy.name, schema.EntityRef{Type: f.target.Type, Key: strings.Clone(f.target.Key)}}
	old, had := t.suspects.get(k)
	s := d.live(t, f.policy, old)
	now := t.vars.v.Clock
	list := append(make([]evidence, 0, len(s.Evidence)+1), s.Evidence...)
	e := evidence{Alert: a.ID, Source: d.sourceName(a.Source), Created: a.Created, Ingested: a.Ingested,
		Signals: f.signals, Attested: f.attested, Rev: a.RevisionOf(), Incident: a.Incident}
	if i := slices.IndexFunc(list, func(x evidence) bool { return x.Alert == a.ID }); i >= 0 {
		before := list[i]
		list = slices.Delete(list, i, i+1)
		attested := e.Attested || before.Attested
		if before.Rev > e.Rev { // an older revision, late: only what it names counts
			e = before
		}
		e.Attested = attested
		e.Created = min(a.Created, before.Created)
	}
	// A time far in the past or in the future proves nothing about now.
	counts := e.Signals != 0 && e.Created >= now-d.retention(f.policy) && e.Created <= now+schema.MaxFuture
	if counts {
		if len(list) >= maxEvidence {
			list = crowd(list)
		}
		at, _ := slices.BinarySearchFunc(list, e, func(x, y evidence) int { return x.compare(&y) })
		list = slices.Insert(list, at, e)
	}
	switch {
	case len(list) > 0:
		if !had && len(t.suspects.m) >= d.cfg.MaxSuspects {
			d.evict(t)
		}
		t.setSuspect(k, &suspect{list, s.Episode})
	case had:
		t.setSuspect(k, nil)
	}
	return k, counts
}

// sourceName gives a copy of a source's name, the same one each time: there are
// few of them and many alerts.
func (d *Disruptor) sourceName(s string) string {
	if name, ok := d.sources[s]; ok {
		return name
	}
	if len(d.sources) >= 1024 {
		clear(d.sources)
	}
	s = strings.Clone(s)
	d.sources[s] = s
	return s
}

// crowd makes room for one more. The source with the most evidence gives way, so
// that one sensor cannot push out what others have seen; first what a newer alert
// of the same source shows as well, then its oldest.
func crowd(list []evidence) []evidence {
	most, top := "", 0
	for i := range list {
		if list[i].Source == most {
			continue
		}
		n := 0
		for k := range list {
			if list[k].Source == list[i].Source {
				n++
			}
		}
		if n > top || n == top && list[i].Source < most {
			most, top = list[i].Source, n
		}
	}
	oldest := -1
	for i := range list {
		if list[i].Source != most {
			continue
		}
		if oldest < 0 {
			oldest = i
		}
		for k := i + 1; k < len(list); k++ {
			if list[k].Source == most && list[i].Signals&^list[k].Signals == 0 && (list[k].Attested || !list[i].Attested) {
				return slices.Delete(list, i, i+1)
			}
		}
	}
	return slices.Delete(list, oldest, oldest+1)
}

// evict takes out an eighth of the suspects: the ones nobody attests, then the
// ones that were quiet longest.
func (d *Disruptor) evict(t *tenant) {
	type ranked struct {
		key      suspectKey
		attested bool
		last     schema.Millis
	}
	all := make([]ranked, 0, len(t.suspects.m))
	for k, s := range t.suspects.m {
		r := ranked{key: k, last: s.Evidence[len(s.Evidence)-1].Created}
		r.attested = slices.ContainsFunc(s.Evidence, func(e evidence) bool { return e.Attested })
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y ranked) int {
		if x.attested != y.attested {
			if y.attested {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(x.last, y.last), x.key.compare(y.key))
	})
	for _, r := range all[:max(1, len(all)/8)] {
		t.setSuspect(r.key, nil)
	}
	d.evicted++
}

// met reports whether a set of signals meets the condition.
func (c *condition) met(signals uint32) bool {
	return signals&c.all == c.all && bits.OnesCount32(signals&c.any) >= c.min
}

// pick finds evidence that meets one of the policy's conditions within one
// window: the latest that also has the sources and the attestation, else the
// latest that meets the condition alone. Evidence of signals that the condition
// does not ask for lends it no source. The order in which the evidence came does
// not matter.
func (p *policy) pick(list []evidence) (found []evidence, ok bool) {
	var all uint32
	for i := range list {
		all |= list[i].Signals
	}
	if !slices.ContainsFunc(p.conditions, func(c condition) bool { return c.met(all) }) {
		return nil, false // the usual case
	}
	for end := len(list); end > 0; end-- {
		from := list[end-1].Created - p.window
		var signals uint32
		start := end
		for start > 0 && list[start-1].Created >= from {
			start--
			signals |= list[start].Signals
		}
		for i := range p.conditions {
			c := &p.conditions[i]
			if !c.met(signals) {
				continue
			}
			var window []evidence
			for _, e := range list[start:end] {
				if e.Signals&(c.all|c.any) != 0 {
					window = append(window, e)
				}
			}
			if countSources(window) >= p.sources && countAttested(window) >= p.attested {
				return window, true
			}
			if !ok {
				found, ok = window, true
			}
		}
	}
	return found, ok
}

func countSources(list []evidence) int {
	var seen []string
	for i := range list {
		if !slices.Contains(seen, list[i].Source) {
			seen = append(seen, list[i].Source)
		}
	}
	return len(seen)
}

func countAttested(list []evidence) (n int) {
	for i := range list {
		if list[i].Attested {
			n++
		}
	}
	return n
}
