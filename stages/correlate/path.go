package correlate

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// pathFinder computes the realized path of an incident: who reached whom first,
// starting where the earliest contact came from. It holds scratch. Keys that are
// reached have mark t.pass.
type pathFinder struct {
	contacts []contact
	sorted   bool // contacts are in order
	from, to []int32
	queue    []int32
	chain    []int32 // by contact of an instant: the next one from the same key, plus one
	edges    []contact
	out      slab[schema.PathEdge]
	buf      []byte
}

// contact says that an alert saw one entity act on another.
type contact struct {
	t         int64
	rank      int32 // of the alert in the incident
	alert     int32
	from, to  int32 // keys
	technique string
}

const (
	startRoles = 1<<schema.RoleActor | 1<<schema.RoleSource
	endRoles   = 1 << schema.RoleTarget
)

func starts(t schema.EntityType) bool {
	return t == schema.EntityHost || t == schema.EntityUser || t == schema.EntityIP
}

func ends(t schema.EntityType) bool {
	switch t {
	case schema.EntityCloudResource, schema.EntityCloudAccount, schema.EntityApplication, schema.EntityMailbox:
		return true
	}
	return starts(t)
}

// contacting reports whether the entities of an observation make a contact.
func (t *tenant) contacting(keys obsKeys) bool {
	from, to := false, false
	for i := range keys.len() {
		typ, roles := t.keys.at(keys.key(i)).typ, keys.roles(i)
		f, g := roles&startRoles != 0 && starts(typ), roles&endRoles != 0 && ends(typ)
		if f && to || g && from {
			return true
		}
		from, to = from || f, to || g
	}
	return false
}

// find gives the path through the alerts ms, oldest first, and a sum of what it
// says; 0 where there is none: less than two alerts, or no contact. The caller
// names it.
func (p *pathFinder) find(l *ladder, t *tenant, ms []int32) (schema.Path, uint64) {
	if len(ms) < 2 {
		return schema.Path{}, 0
	}
	p.collect(t, ms)
	if len(p.contacts) == 0 {
		return schema.Path{}, 0
	}
	entry := p.contacts[0].from
	p.spread(t, entry)
	out := schema.Path{Kind: schema.PathRealized, Status: "active", Entry: t.entity(entry), Reach: uint32(len(p.edges))}
	foothold := int32(0)
	if t.keys.at(entry).typ == schema.EntityHost {
		foothold = entry
	}
	out.Edges = p.out.take(min(len(p.edges), l.edges))
	for i, e := range p.edges {
		if t.keys.at(e.to).typ == schema.EntityHost {
			foothold = e.to
		}
		if i < l.edges {
			out.Edges[i] = schema.PathEdge{From: t.entity(e.from), To: t.entity(e.to), Time: millis(e.t),
				Technique: e.technique, Alert: t.alerts.at(e.alert).id, Observed: true}
		}
	}
	if foothold != 0 {
		out.Foothold = t.entity(foothold)
	}
	return out, p.sum(&out)
}

// collect lists the contacts in order of time, alert, and entity.
func (p *pathFinder) collect(t *tenant, ms []int32) {
	p.contacts, p.sorted = p.contacts[:0], true
	for rank, m := range ms {
		for o := t.alerts.at(m).obs; o != 0; {
			rec := t.obs.at(o)
			o = rec.next
			if rec.contacts {
				p.add(t, int32(rank), m, rec)
			}
		}
	}
	if p.sorted {
		return
	}
	slices.SortFunc(p.contacts, func(x, y contact) int {
		if x.t != y.t {
			return cmp.Compare(x.t, y.t)
		}
		if x.rank != y.rank {
			return cmp.Compare(x.rank, y.rank)
		}
		if c := t.compareKeys(x.from, y.from); c != 0 {
			return c
		}
		return cmp.Or(t.compareKeys(x.to, y.to), strings.Compare(x.technique, y.technique))
	})
}

// add lists the contacts of one observation, in order of entity.
func (p *pathFinder) add(t *tenant, rank, alert int32, rec *obsRec) {
	p.from, p.to = p.from[:0], p.to[:0]
	keys := t.keysOf(rec)
	for i := range keys.len() {
		k := keys.key(i)
		typ := t.keys.at(k).typ
		if keys.roles(i)&startRoles != 0 && starts(typ) {
			p.from = append(p.from, k)
		}
		if keys.roles(i)&endRoles != 0 && ends(typ) {
			p.to = append(p.to, k)
		}
	}
	if len(p.from) > 1 {
		slices.SortFunc(p.from, t.compareKeys)
	}
	if len(p.to) > 1 {
		slices.SortFunc(p.to, t.compareKeys)
	}
	var d detail
	d.decode(t.blobs.get(rec.detail))
	c := contact{t: rec.from, rank: rank, alert: alert, technique: leastTechnique(d.techniques)}
	if n := len(p.contacts); n > 0 {
		last := &p.contacts[n-1]
		p.sorted = p.sorted && (last.t < c.t || last.t == c.t && last.rank < c.rank)
	}
	for _, c.from = range p.from {
		for _, c.to = range p.to {
			if c.from != c.to {
				p.contacts = append(p.contacts, c)
			}
		}
	}
}

// leastTechnique is the least technique id of an observation.
func leastTechnique(list string) string {
	least := ""
	for ok := true; ok && list != ""; {
		var x schema.Technique
		if x, list, ok = technique(list); ok && x.ID != "" && (least == "" || x.ID < least) {
			least = x.ID
		}
	}
	return least
}

func (t *tenant) compareKeys(x, y int32) int {
	if x == y {
		return 0
	}
	a, b := t.keys.at(x), t.keys.at(y)
	if a.typ != b.typ {
		return strings.Compare(a.typ.String(), b.typ.String())
	}
	return strings.Compare(alias(t.blobs.get(a.text)), alias(t.blobs.get(b.text)))
}

// spread finds the earliest-arrival tree from entry: one pass over the contacts
// in order of time. Contacts of one instant may follow each other, so each
// instant is searched breadth first.
func (p *pathFinder) spread(t *tenant, entry int32) {
	t.pass++
	t.keys.at(entry).mark = t.pass
	p.edges = p.edges[:0]
	for from := 0; from < len(p.contacts); {
		to := from + 1
		for to < len(p.contacts) && p.contacts[to].t == p.contacts[from].t {
			to++
		}
		p.instant(t, p.contacts[from:to])
		from = to
	}
}

func (p *pathFinder) instant(t *tenant, cs []contact) {
	p.queue = p.queue[:0]
	for i := range cs {
		if t.keys.at(cs[i].from).mark == t.pass {
			p.step(t, &cs[i])
		}
	}
	if len(p.queue) == 0 || len(cs) == 1 {
		return
	}
	p.chain = slices.Grow(p.chain[:0], len(cs))[:len(cs)]
	for i := range cs {
		t.keys.at(cs[i].from).last, t.keys.at(cs[i].to).last = 0, 0
	}
	for i := len(cs) - 1; i >= 0; i-- {
		k := t.keys.at(cs[i].from)
		p.chain[i], k.last = k.last, int32(i)+1
	}
	for i := 0; i < len(p.queue); i++ {
		for k := t.keys.at(p.queue[i]).last; k != 0; k = p.chain[k-1] {
			p.step(t, &cs[k-1])
		}
	}
}

func (p *pathFinder) step(t *tenant, c *contact) {
	k := t.keys.at(c.to)
	if k.mark == t.pass {
		return
	}
	k.mark = t.pass
	p.queue = append(p.queue, c.to)
	p.edges = append(p.edges, *c)
}

func (p *pathFinder) sum(x *schema.Path) uint64 {
	ref := func(b []byte, e schema.EntityRef) []byte { return appendText(append(b, byte(e.Type)), e.Key) }
	b := binary.AppendUvarint(p.buf[:0], uint64(x.Reach))
	b = ref(ref(b, x.Entry), x.Foothold)
	for _, e := range x.Edges {
		b = ref(ref(b, e.From), e.To)
		b = binary.AppendVarint(b, int64(e.Time))
		b = append(appendText(b, e.Technique), e.Alert[:]...)
	}
	p.buf = b
	return xxh3.Hash(b) | 1
}

// superseded ends the path of an incident that has none any more.
func superseded(t *tenant, id schema.IncidentID, b *schema.Batch) schema.Path {
	return schema.Path{ID: schema.NewPathID(t.name, id, schema.PathRealized), Tenant: t.name, Incident: id,
		Kind: schema.PathRealized, Status: "superseded", Version: b.Position}
}
