package oracle_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

// picker gives numbers from 0 to n-1: of a seeded source, or of rapid.
type picker func(n int) int

func seeded(seed uint64) picker {
	return rand.New(rand.NewPCG(seed, 0x6f7261636c65)).IntN
}

func (p picker) chance(percent int) bool { return p(100) < percent }

func pickOf[T any](p picker, of ...T) T { return of[p(len(of))] }

// pickParams gives parameters at which everything happens among few alerts:
// hubs, every level, and closed incidents within days.
func pickParams(pick picker) oracle.Params {
	const h = schema.Hour
	p := oracle.DefaultParams()
	if pick.chance(70) {
		p.HubDegree = pick(5)
		p.RareDegree = pick(p.HubDegree + 1)
	}
	if pick.chance(85) {
		for l := range p.Caps {
			p.Caps[l] = 1 + pick(4+2*l)
		}
	}
	if pick.chance(40) {
		p.Pair = pickOf(pick, [4]schema.Millis{12 * h, 12 * h, 6 * h, 2 * h}, [4]schema.Millis{3 * h, 3 * h, 3 * h, 3 * h},
			[4]schema.Millis{8 * h, 4 * h, 2 * h, h}, [4]schema.Millis{30 * h, 20 * h, 10*h + 1, 9*h - 1})
		p.Slice = min(p.Pair[3], pickOf(pick, h, 2*h, 20*schema.Minute, 8*h))
	}
	if pick.chance(40) {
		for _, w := range []*schema.Millis{&p.Base.Host, &p.Base.User, &p.Base.InternalIP, &p.Base.ExternalIP, &p.Base.Mailbox,
			&p.Base.CloudResource, &p.Base.CloudAccount, &p.Base.Application, &p.Base.FileHash, &p.Base.Domain, &p.Base.URL} {
			*w = pickOf(pick, h, 2*h, 5*h, 1_000_003, 10*schema.Minute, 1, 24*h)
		}
	}
	if pick.chance(30) {
		p.MaxEntities = 1 + pick(4)
	}
	if pick.chance(30) {
		p.Allowlist = []schema.EntityRef{{Type: schema.EntityHost, Key: "host0"}, {Type: schema.EntityUser, Key: "user1"}}
	}
	p.Lateness = pickOf(pick, 0, 30*schema.Minute, 2*h)
	return p
}

// alphabet is the entities that a world draws from.
func alphabet(pick picker) (all []schema.EntityRef) {
	n, others := 1+pick(5), pickOf(pick, 10, 25, 50)
	for _, t := range []schema.EntityType{schema.EntityHost, schema.EntityUser, schema.EntityIP, schema.EntityMailbox,
		schema.EntityCloudResource, schema.EntityCloudAccount, schema.EntityApplication, schema.EntityFileHash,
		schema.EntityDomain, schema.EntityURL, schema.EntityProcess} {
		if t != schema.EntityHost && !pick.chance(others) {
			continue
		}
		for i := range 1 + pick(n) {
			key := fmt.Sprintf("%v%d", t, i)
			if t == schema.EntityIP {
				key = pickOf(pick, "10.0.0.1", "10.0.0.2", "8.8.8.8", "2001:db8::1", "fe80::1", "::ffff:10.0.0.1", "not-an-ip")
			}
			all = append(all, schema.EntityRef{Type: t, Key: key})
		}
	}
	return all
}

// pickWorld gives documents of one tenant: alerts, revisions and duplicates, all
// with times from day0 on. Duplicates are equal documents.
func pickWorld(pick picker, tenant string, n int) (docs []schema.Alert) {
	entities := alphabet(pick)
	span := pickOf(pick, schema.Hour, 6*schema.Hour, schema.Day, 3*schema.Day, 6*schema.Day)
	if pick.chance(30) {
		span = schema.Millis(n) * 20 * schema.Minute
	}
	entity := func() (e schema.Entity) {
		r := entities[pick(len(entities))]
		e.Type, e.Key = r.Type, r.Key
		e.Role = pickOf(pick, schema.RoleRelated, schema.RoleActor, schema.RoleSource, schema.RoleTarget, schema.RoleC2, schema.RoleActor,
			schema.RoleSource, schema.RoleTarget, schema.RoleSensor)
		return e
	}
	for i := range n {
		a := newAlert(fmt.Sprintf("%02x%d", pick(256), i), "", 0)
		a.Tenant = tenant
		a.Created = pickTime(pick, day0, span, docs)
		a.Severity = schema.Severity(pick(7))
		for range pick(5) {
			a.Entities = append(a.Entities, entity())
		}
		docs = append(docs, a)
		for rev := 1; pick.chance(15); rev++ {
			b := newAlert(a.VendorID, fmt.Sprint(rev), pickTime(pick, a.Created, pickOf(pick, 1, schema.Hour, 10*schema.Hour, schema.Day), docs))
			b.Created = min(max(b.Created, a.Created-schema.Hour), a.Created+schema.Day)
			b.Tenant, b.Severity = tenant, schema.Severity(pick(7))
			if pick.chance(50) {
				b.Entities = a.Entities
			}
			if pick.chance(60) {
				b.Entities = append(b.Entities[:len(b.Entities):len(b.Entities)], entity())
			}
			docs = append(docs, b)
		}
		if pick.chance(10) {
			docs = append(docs, docs[pick(len(docs))])
		}
	}
	return docs
}

// pickTime gives a time in a span, half of the time one at which something
// happens: an hour's edge, the time of another document, a window away from it.
func pickTime(pick picker, from, span schema.Millis, others []schema.Alert) schema.Millis {
	t := from + schema.Millis(pick(int(span)))
	if len(others) > 0 && pick.chance(40) {
		t = others[pick(len(others))].Created
		t += pickOf(pick, 0, 0, 1, schema.Hour, 2*schema.Hour, 6*schema.Hour, 8*schema.Hour, 64*schema.Minute, 96*schema.Minute,
			12*schema.Hour, schema.Day, 2*schema.Day, 128*schema.Minute)
		t += pickOf[schema.Millis](pick, 0, 0, 1, -1)
	} else if pick.chance(20) {
		t = t - t%schema.Hour - schema.Millis(pick(2))
	}
	return min(max(t, from), from+span)
}
