package gen

import (
	"fmt"
	"slices"
	"time"
)

const minGiant, maxGiant = 125, 375

// Campaign sums up one hidden attack.
type Campaign struct {
	ID       string        `json:"id"`
	Template string        `json:"template"`
	Start    time.Time     `json:"start"` // of the first act
	Span     time.Duration `json:"span"`  // first act to last
	Alerts   int           `json:"alerts"`
	Hosts    []string      `json:"hosts"` // that its alerts are about, in order of time; a DNS server may be among them
	Users    []string      `json:"users"`
	SharesC2 string        `json:"shares_c2,omitempty"` // the earlier campaign whose controller it uses

	c2, origin addr
	domain     uint32
	hashes     [2]uint64
}

func campaignID(i int) string { return fmt.Sprintf("c-%05d", i+1) }

// attack is the state of a campaign while it is being planned.
type attack struct {
	*Campaign
	index   int32
	tpl     *template
	r       *rng
	entry   int32
	current int32
	before  int32 // where the attacker stood before the last move
	held    []int32
	victim  int32 // the first account taken
	admin   int32 // the account used after the first move
}

func (w *World) addCampaigns(r *rng) {
	tpls := templates()
	giants := w.cfg.GiantCampaigns
	for i := range w.cfg.Campaigns {
		own := rng{s: mix(r.s, uint64(i))}
		t := &tpls[i%len(tpls)]
		if i >= len(tpls) {
			t = &tpls[own.intN(len(tpls))]
		}
		n := own.between(w.cfg.MinAlerts, w.cfg.MaxAlerts)
		// Giants are the last ones, so that the first keep their kind and size
		// when somebody asks for more of them.
		if i >= w.cfg.Campaigns-giants {
			n = own.between(minGiant, maxGiant)
		}
		w.addCampaign(&own, i, t, n)
	}
}

func (w *World) addCampaign(r *rng, i int, t *template, n int) {
	w.campaigns = append(w.campaigns, Campaign{ID: campaignID(i), Template: t.name, Alerts: n})
	a := &attack{Campaign: &w.campaigns[i], index: int32(i), tpl: t, r: r}
	w.cast(a)
	slots := plan(r, t.steps, n)
	start, span := w.when(r, t)
	offsets := make([]int64, n)
	for k := range offsets {
		offsets[k] = r.int64N(span)
	}
	offsets[0] = 0
	slices.Sort(offsets)
	a.Start = time.Unix(0, start).UTC()
	a.Span = time.Duration(offsets[n-1])
	seenUsers, seenHosts := map[int32]bool{}, map[int32]bool{}
	for k, s := range slots {
		ev := w.act(a, &t.steps[s], start+offsets[k])
		w.add(ev)
		if ev.user >= 0 && !seenUsers[ev.user] {
			seenUsers[ev.user] = true
			a.Users = append(a.Users, w.accounts.list[ev.user].name)
		}
		for _, h := range [...]int32{ev.host, ev.peer} {
			if h >= 0 && !seenHosts[h] {
				seenHosts[h] = true
				a.Hosts = append(a.Hosts, w.fleet.hosts[h].name)
			}
		}
	}
}

// cast chooses victim, first machine and infrastructure.
func (w *World) cast(a *attack) {
	r, i := a.r, int(a.index)
	a.victim, a.admin = w.accounts.person(r), w.accounts.admin(r)
	a.entry = w.accounts.list[a.victim].host
	switch a.tpl.entry {
	case entryWeb:
		a.entry = w.fleet.webServer(r)
		a.victim = w.accounts.system
	case entryCloud:
		a.entry = w.fleet.cloud(r)
	}
	a.current, a.before = a.entry, a.entry
	a.held = []int32{a.entry}
	// Two addresses for each of up to 10,000 campaigns fit below hostileIPs, and
	// the campaigns' domain numbers below 2^28.
	a.c2, a.origin = outsideIP(popularIPs+2*i), outsideIP(popularIPs+2*i+1)
	a.domain = hostileDomains + uint32(i)*16 + uint32(r.intN(16))
	a.hashes = [2]uint64{r.next(), r.next()}
	if i > 0 && r.chance(w.cfg.SharedC2) {
		lender := &w.campaigns[r.intN(i)]
		a.c2, a.domain, a.SharesC2 = lender.c2, lender.domain, lender.ID
	}
}

// plan chooses n steps, in the order of the attack. The required ones come
// first; the rest is drawn by weight.
func plan(r *rng, steps []step, n int) []int {
	var required []int
	for i := range steps {
		if steps[i].required {
			required = append(required, i)
		}
	}
	if n <= len(required) {
		out := make([]int, n)
		for k := range out {
			out[k] = required[k*len(required)/n]
		}
		return out
	}
	slots := slices.Clone(required)
	extra := newWeights(len(steps), func(i int) uint64 { return steps[i].weight })
	for len(slots) < n {
		slots = append(slots, extra.draw(r))
	}
	slices.Sort(slots)
	return slots
}

// when chooses start and length so that the attack lies within the world.
func (w *World) when(r *rng, t *template) (start, span int64) {
	whole := int64(w.cfg.Duration)
	switch {
	case t.whole:
		span = 20*minute + r.int64N(30*minute)
	case r.chance(w.cfg.SlowShare):
		span = 24*hour + r.int64N(96*hour)
	default:
		span = 10*minute + r.int64N(110*minute)
	}
	span = min(span, whole*3/4)
	return w.start + r.int64N((whole-span)/second)*second, span
}

// act makes the alert of one step.
func (w *World) act(a *attack, s *step, at int64) event {
	r := a.r
	src := s.seenBy[r.intN(len(s.seenBy))]
	found := w.catalog.find(src, s.technique)
	ev := w.blank(found[r.intN(len(found))], at)
	ru := w.rule(&ev)
	ev.kind, ev.campaign = kindCampaign, a.index
	ev.host, ev.user, ev.hash, ev.domain = a.entry, a.victim, a.hashes[0], a.domain
	switch s.on {
	case onEntry:
	case onCurrent:
		ev.host = a.current
	case onAny:
		ev.host = a.held[r.intN(len(a.held))]
	case onSpread:
		ev.host = a.held[len(a.held)-1-r.intN(max(1, len(a.held)-1))]
	case onMove:
		w.move(a)
		ev.host, ev.peer = a.before, a.current
	case onMoved:
		if len(a.held) == 1 { // the other view fell to a small size
			w.move(a)
		}
		ev.host, ev.peer = a.before, a.current
	}
	if s.fan {
		ev.user = w.accounts.person(r)
	}
	// Away from the first machine the attacker works with stolen rights.
	if len(a.held) > 1 && s.on != onEntry && r.intN(3) > 0 {
		ev.user = a.admin
	}
	if ru.tactic == impact || ru.tactic == collection {
		ev.hash = a.hashes[1]
	}
	ev.remote = a.c2
	if ru.has&(inbound|hasMailbox) != 0 || ru.has&hasHost == 0 {
		ev.remote = a.origin
	}
	loss := w.cfg.EntityLoss
	if a.tpl.whole && s.required {
		ev.carries |= hasHost | hasUser | hasFile | hasRemote
		ev.user, ev.hash, ev.remote, loss = a.victim, a.hashes[0], a.c2, 0
	}
	w.settle(&ev, r)
	w.complete(r, &ev, loss)
	return ev
}

// move takes a new machine: often a popular server, else somebody's desk.
func (w *World) move(a *attack) {
	next := w.fleet.desk(a.r)
	if a.r.intN(5) < 2 {
		next = w.fleet.server(a.r)
	}
	for tries := 0; slices.Contains(a.held, next) && tries < 8; tries++ {
		next = w.fleet.desk(a.r)
	}
	if next == a.current {
		// A tiny company is used up; go back to a machine of before.
		next = int32(w.fleet.desks)
		if next == a.current {
			next++
		}
	}
	a.before, a.current = a.current, next
	if !slices.Contains(a.held, next) {
		a.held = append(a.held, next)
	}
}

// settle clears the entities that the alert's rule does not know, and adds the
// machine that a rule needs though the template did not name one.
func (w *World) settle(ev *event, r *rng) {
	ru := w.rule(ev)
	if ev.carries&hasHost == 0 {
		ev.host = -1
	} else if ru.source == suricata && ru.has&inbound != 0 && w.fleet.hosts[ev.host].class == Workstation {
		ev.host = w.fleet.webServer(r) // nobody reaches a desk from outside
	}
	if ev.carries&hasUser == 0 {
		ev.user = -1
	}
	if ev.carries&hasPeer == 0 {
		ev.peer = -1
	} else if ev.peer < 0 {
		ev.peer = w.ordinaryPeer(r, ru, ev.host)
	}
	if ev.carries&hasFile == 0 {
		ev.hash = 0
	}
	if ev.carries&hasRemote == 0 {
		ev.remote = 0
	}
	if ev.carries&hasDomain == 0 {
		ev.domain = 0
	}
}
