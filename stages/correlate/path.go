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
// starting where the earliest contact came from. It holds scratch.
type pathFinder struct {
	d        detail
	contacts []contact
	from, to []int32
	reached  map[int32]bool
	queue    []int32
	edges    []contact
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
	p.spread(entry)
	out := schema.Path{Kind: schema.PathRealized, Status: "active", Entry: t.entity(entry), Reach: uint32(len(p.edges))}
	foothold := int32(0)
	if t.keys.at(entry).typ == schema.EntityHost {
		foothold = entry
	}
	for i, e := range p.edges {
		if t.keys.at(e.to).typ == schema.EntityHost {
			foothold = e.to
		}
		if i < l.edges {
			out.Edges = append(out.Edges, schema.PathEdge{From: t.entity(e.from), To: t.entity(e.to), Time: millis(e.t),
				Technique: e.technique, Alert: t.alerts.at(e.alert).id, Observed: true})
		}
	}
	if foothold != 0 {
		out.Foothold = t.entity(foothold)
	}
	return out, p.sum(&out)
}

// collect lists the contacts in order of time, alert, and entity.
func (p *pathFinder) collect(t *tenant, ms []int32) {
	p.contacts = p.contacts[:0]
	for rank, m := range ms {
		for o := t.alerts.at(m).obs; o != 0; {
			rec := t.obs.at(o)
			o = rec.next
			keys := t.keysOf(rec)
			p.from, p.to = p.from[:0], p.to[:0]
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
			if len(p.from) == 0 || len(p.to) == 0 {
				continue
			}
			p.d.decode(t.blobs.get(rec.detail))
			c := contact{t: rec.t, rank: int32(rank), alert: m, technique: p.technique()}
			if p.d.start != 0 {
				c.t = int64(p.d.start)
			}
			for _, c.from = range p.from {
				for _, c.to = range p.to {
					if c.from != c.to {
						p.contacts = append(p.contacts, c)
					}
				}
			}
		}
	}
	slices.SortFunc(p.contacts, func(x, y contact) int {
		if c := cmp.Or(cmp.Compare(x.t, y.t), cmp.Compare(x.rank, y.rank)); c != 0 {
			return c
		}
		if c := t.compareKeys(x.from, y.from); c != 0 {
			return c
		}
		return cmp.Or(t.compareKeys(x.to, y.to), strings.Compare(x.technique, y.technique))
	})
}

// technique is the least technique id of the observation in d.
func (p *pathFinder) technique() string {
	least := ""
	for _, x := range p.d.techniques {
		if x.ID != "" && (least == "" || x.ID < least) {
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
	return cmp.Or(strings.Compare(a.typ.String(), b.typ.String()), strings.Compare(alias(t.blobs.get(a.text)), alias(t.blobs.get(b.text))))
}

// spread finds the earliest-arrival tree from entry: one pass over the contacts
// in order of time. Contacts of one instant may follow each other, so each
// instant is searched breadth first.
func (p *pathFinder) spread(entry int32) {
	if p.reached == nil {
		p.reached = make(map[int32]bool)
	}
	clear(p.reached)
	p.reached[entry] = true
	p.edges = p.edges[:0]
	for from := 0; from < len(p.contacts); {
		to := from + 1
		for to < len(p.contacts) && p.contacts[to].t == p.contacts[from].t {
			to++
		}
		p.instant(p.contacts[from:to])
		from = to
	}
}

func (p *pathFinder) instant(cs []contact) {
	p.queue = p.queue[:0]
	for _, c := range cs {
		if p.reached[c.from] {
			p.step(c)
		}
	}
	if len(p.queue) == 0 {
		return
	}
	out := make(map[int32][]int32, len(cs))
	for i, c := range cs {
		out[c.from] = append(out[c.from], int32(i))
	}
	for i := 0; i < len(p.queue); i++ {
		for _, k := range out[p.queue[i]] {
			p.step(cs[k])
		}
	}
}

func (p *pathFinder) step(c contact) {
	if p.reached[c.to] {
		return
	}
	p.reached[c.to] = true
	p.queue = append(p.queue, c.to)
	p.edges = append(p.edges, c)
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
