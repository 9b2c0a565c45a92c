package disrupt

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
)

// tenant is everything that is known of one tenant. Only the tables and cells
// change, so that the journal can undo it.
type tenant struct {
	name     string
	vars     cell[vars]
	fleet    table[schema.EntityType, int]    // assets by type: the budget's measure
	buckets  table[schema.EntityType, bucket] // the budget
	assets   table[schema.EntityRef, asset]
	suspects table[suspectKey, *suspect]
	naming   table[schema.AlertID, []suspectKey] // suspects that an alert is evidence against
	leases   table[schema.ID, *lease]
	disproof table[schema.AlertID, disproof]

	stamp uint32 // epoch in which vars was last noted for its clock
}

// vars are a tenant's single values.
type vars struct {
	Clock   schema.Millis `json:"clock"`   // time of the log as far as this tenant has seen it
	Swept   schema.Millis `json:"swept"`   // when expired evidence was last taken out
	Due     schema.Millis `json:"due"`     // no lease ends before
	Version uint64        `json:"version"` // newest lease version
	Kill    bool          `json:"kill"`    // kill switch of this tenant
}

// asset is what disruption needs of schema.Asset.
type asset struct {
	Class   string        `json:"class,omitempty"`
	Fresh   schema.Millis `json:"fresh"`
	Version uint64        `json:"version"`
}

// disproof is a false-positive verdict. A person's outlives a vendor's revisions.
type disproof struct {
	Time   schema.Millis `json:"time"`
	Rev    uint64        `json:"rev,omitempty"` // revision that said so
	Person bool          `json:"person,omitempty"`
}

type suspectKey struct {
	Policy string           `json:"policy"`
	Target schema.EntityRef `json:"target"`
}

func (k suspectKey) compare(o suspectKey) int {
	return cmp.Or(cmp.Compare(k.Policy, o.Policy), cmp.Compare(k.Target.Type, o.Target.Type), cmp.Compare(k.Target.Key, o.Target.Key))
}

// suspect is the evidence against one target under one policy. It is replaced,
// never changed in place.
type suspect struct {
	Evidence []evidence `json:"evidence"` // by event time, then alert
	Episode  episode    `json:"episode"`
}

// evidence is one alert that shows signals of a policy and names the target.
type evidence struct {
	Alert    schema.AlertID    `json:"alert"`
	Source   string            `json:"source"`
	Created  schema.Millis     `json:"created"`
	Ingested schema.Millis     `json:"ingested"`
	Signals  uint32            `json:"signals"`
	Attested bool              `json:"attested,omitempty"`
	Rev      uint64            `json:"rev,omitempty"`
	Incident schema.IncidentID `json:"incident,omitzero"`
}

func (e *evidence) compare(o *evidence) int {
	if e.Created != o.Created {
		return cmp.Compare(e.Created, o.Created)
	}
	return e.Alert.Compare(o.Alert)
}

// episode is one trigger of a policy by a target: from its first decision until
// all evidence has expired. Within it a decision is only repeated when its
// outcome changes.
type episode struct {
	ID       schema.ID      `json:"id,omitzero"`
	Count    int            `json:"count,omitempty"` // decisions so far
	Outcome  schema.Outcome `json:"outcome"`
	Rule     string         `json:"rule,omitempty"`     // safety rule of the last decision
	Decided  bool           `json:"decided,omitempty"`  // Outcome and Rule are of the state as it is
	Released bool           `json:"released,omitempty"` // a person ended what it caused
}

// lease is a lease in force with its causes. It is replaced, never changed in
// place.
type lease struct {
	schema.Lease
	Hash   string  `json:"hash"`   // policy hash of the first cause
	Causes []cause `json:"causes"` // oldest first; never empty
}

// cause is one reason for a lease.
type cause struct {
	Policy   string            `json:"policy"`
	Hash     string            `json:"hash"`
	Episode  schema.ID         `json:"episode"`
	Decision schema.ID         `json:"decision"`
	Until    schema.Millis     `json:"until"`
	Incident schema.IncidentID `json:"incident,omitzero"`
	Evidence []evidence        `json:"evidence"`
}

func (d *Disruptor) newTenant(name string) *tenant {
	j := &d.journal
	return &tenant{
		name:     name,
		vars:     cell[vars]{j: j},
		fleet:    newTable[schema.EntityType, int](j),
		buckets:  newTable[schema.EntityType, bucket](j),
		assets:   newTable[schema.EntityRef, asset](j),
		suspects: newTable[suspectKey, *suspect](j),
		naming:   newTable[schema.AlertID, []suspectKey](j),
		leases:   newTable[schema.ID, *lease](j),
		disproof: newTable[schema.AlertID, disproof](j),
	}
}

// tenant finds or makes a tenant.
func (d *Disruptor) tenant(name string) *tenant {
	if t, ok := d.tenants.get(name); ok {
		return t
	}
	name = string(append([]byte(nil), name...))
	t := d.newTenant(name)
	d.tenants.put(name, t)
	return t
}

// see advances the tenant's clock. It is on the way of every alert. A record may
// claim any time; what is kept stays within what a snapshot may hold.
func (d *Disruptor) see(t *tenant, now schema.Millis) {
	now = min(now, maxMillis/2)
	if now <= t.vars.v.Clock {
		return
	}
	if t.stamp != d.epoch {
		t.stamp = d.epoch
		t.vars.set(t.vars.v)
	}
	t.vars.v.Clock = now
}

// names lists the tenants in order.
func (d *Disruptor) names() []string {
	names := make([]string, 0, len(d.tenants.m))
	for n := range d.tenants.m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// setSuspect replaces what is known against k, nil for nothing more, and keeps
// the index by alert.
func (t *tenant) setSuspect(k suspectKey, s *suspect) {
	var before, after []evidence
	if old, ok := t.suspects.get(k); ok {
		before = old.Evidence
	}
	if s == nil {
		t.suspects.del(k)
	} else {
		t.suspects.put(k, s)
		after = s.Evidence
	}
	// Both are sorted. What left goes first: a revision may have moved an alert.
	diffEvidence(before, after, func(id schema.AlertID) {
		keys, _ := t.naming.get(id)
		keys = slices.DeleteFunc(slices.Clone(keys), func(x suspectKey) bool { return x == k })
		if len(keys) == 0 {
			t.naming.del(id)
		} else {
			t.naming.put(id, keys)
		}
	})
	diffEvidence(after, before, func(id schema.AlertID) {
		keys, _ := t.naming.get(id)
		at, _ := slices.BinarySearchFunc(keys, k, suspectKey.compare)
		t.naming.put(id, slices.Insert(slices.Clone(keys), at, k))
	})
}

// diffEvidence calls f for what is in a at a place where b does not have it.
func diffEvidence(a, b []evidence, f func(schema.AlertID)) {
	k := 0
	for i := range a {
		for k < len(b) && b[k].compare(&a[i]) < 0 {
			k++
		}
		if k == len(b) || b[k].compare(&a[i]) != 0 {
			f(a[i].Alert)
		}
	}
}

// maxKey is the longest key, in bytes, of a target or source that is kept.
const maxKey = 512

// usable reports whether a string from an alert may be kept as a name.
func usable(s string) bool { return s != "" && len(s) <= maxKey && utf8.ValidString(s) }

func compareIDs(a, b schema.ID) int { return bytes.Compare(a[:], b[:]) }
