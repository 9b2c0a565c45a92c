package correlate

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// Bounds of a head, so that it stays far below 64 KiB.
const (
	maxSources = 64
	maxHeadTTP = 256
)

// headBuilder computes an incident's head from its alerts. It holds scratch, and
// the memory of what is emitted.
type headBuilder struct {
	sources []string
	flavors []uint64 // of observations: the last few distinct ones
	ttps    []schema.Technique
	ents    []int32  // distinct entities
	top     []shared // the most shared of them, best first
	buf     []byte

	texts      texts
	strings    slab[string]
	techniques slab[schema.Technique]
	refs       slab[schema.EntityRef]
	factors    slab[schema.Factor]
}

// shared is an entity with the number of alerts that share it.
type shared struct {
	tally int32
	key   int32
	typ   schema.EntityType
}

// facts is what title, priority and promotion are made of.
type facts struct {
	alerts   int
	severity schema.Severity
	title    string // of the most severe alert, the oldest of those
	verdict  verdict
	hosts    int
	users    int
	tactics  tactics
	sources  []string // sorted
}

// build gives the head of the incident founded by f, shown with the alerts ms,
// oldest first, and a sum of all it says. Version is left to the caller.
func (h *headBuilder) build(l *ladder, t *tenant, f int32, ms []int32, final bool) (schema.Incident, uint64) {
	t.pass++
	founder := t.alerts.at(f)
	inc := t.incs.at(founder.own)
	out := schema.Incident{ID: inc.id, Tenant: t.name, Status: schema.IncidentNew, Founder: founder.id, Level: founder.row.level,
		Final: final, Touched: inc.touched, Alerts: uint32(len(ms)), Campaign: h.campaign(t, f)}
	if out.Level == lastLevel {
		out.Slice = int32(floorDiv(founder.first, l.slice))
	}
	if inc.touched {
		out.Suggested = h.scattered(t, ms)
	}
	h.sources, h.flavors, h.ttps, h.ents = h.sources[:0], h.flavors[:0], h.ttps[:0], h.ents[:0]
	facts := facts{alerts: len(ms)}
	out.First, out.Last = maxTime, -maxTime
	for i, m := range ms {
		a := t.alerts.at(m)
		facts.verdict = facts.verdict.and(a.retro)
		for o := a.obs; o != 0; {
			rec := t.obs.at(o)
			h.merge(t, &out, &facts, rec, o == a.cur, int32(i))
			o = rec.next
		}
	}
	if len(h.sources) > 1 {
		slices.Sort(h.sources)
	}
	if len(h.ttps) > 1 {
		slices.SortFunc(h.ttps, compareTTP)
		h.ttps = slices.Compact(h.ttps)
	}
	facts.severity = max(facts.severity, facts.verdict.raised())
	facts.sources = h.sources
	facts.tactics = tacticsOf(h.ttps)
	out.Sources = h.strings.clone(h.sources[:min(len(h.sources), maxSources)])
	out.Techniques = h.techniques.clone(h.ttps[:min(len(h.ttps), maxHeadTTP)])
	out.Entities = h.rank(l, t, &facts)
	out.Severity = facts.severity
	h.buf = facts.appendSentence(h.buf[:0])
	out.Title = h.texts.clone(h.buf)
	var made [factors]schema.Factor
	n, priority := facts.score(&made)
	out.Factors, out.Priority = h.factors.clone(made[:n]), priority
	if facts.promoted(l) {
		out.Disposition = schema.Promoted
	}
	return out, h.sum(&out)
}

// merge adds an observation: times, techniques and entities of all of them
// count, the rest comes from the latest revision.
func (h *headBuilder) merge(t *tenant, out *schema.Incident, f *facts, rec *obsRec, current bool, member int32) {
	out.First, out.Last = min(out.First, millis(rec.from)), max(out.Last, millis(rec.to))
	f.verdict = f.verdict.and(rec.verdict)
	known := slices.Contains(h.flavors, rec.flavor)
	best := current && (f.title == "" && f.severity == 0 || rec.sev > f.severity)
	if best || !known {
		var d detail
		d.decode(t.blobs.get(rec.detail))
		if best {
			f.severity, f.title = rec.sev, d.title
		}
		if !known {
			h.learn(rec.flavor, &d)
		}
	}
	keys := t.keysOf(rec)
	for i := range keys.len() {
		k := t.keys.at(keys.key(i))
		if k.mark != t.pass {
			k.mark, k.tally, k.last = t.pass, 1, member
			h.ents = append(h.ents, keys.key(i))
		} else if k.last != member {
			k.tally++
			k.last = member
		}
	}
}

// learn adds source and techniques of an observation that are not among the last
// few.
func (h *headBuilder) learn(flavor uint64, d *detail) {
	if len(h.flavors) < 8 {
		h.flavors = append(h.flavors, flavor)
	} else {
		h.flavors[len(h.ttps)%len(h.flavors)] = flavor
	}
	if !slices.Contains(h.sources, d.source) {
		h.sources = append(h.sources, d.source)
	}
	for list, ok := d.techniques, true; ok && list != ""; {
		var x schema.Technique
		if x, list, ok = technique(list); ok {
			h.ttps = append(h.ttps, x)
		}
	}
}

// campaign is the id that the level 0 component has by its founder.
func (h *headBuilder) campaign(t *tenant, f int32) schema.IncidentID {
	first := t.slots.at(t.rootOf(f, 0)).firstID
	if a := t.alerts.at(f); a.id == first {
		return t.incs.at(a.own).id
	}
	if a := t.alerts.at(t.byID.get(first)); a.id == first && a.own != 0 {
		return t.incs.at(a.own).id
	}
	return schema.NewIncidentID(t.name, first)
}

// scattered reports whether correlation would show the alerts of a used
// incident in several.
func (h *headBuilder) scattered(t *tenant, ms []int32) bool {
	first := t.rootOf(ms[0], t.alerts.at(ms[0]).top)
	for _, m := range ms[1:] {
		if t.rootOf(m, t.alerts.at(m).top) != first {
			return true
		}
	}
	return false
}

// rank lists the entities that most alerts share, then by key text.
func (h *headBuilder) rank(l *ladder, t *tenant, f *facts) []schema.EntityRef {
	h.top = h.top[:0]
	for _, e := range h.ents {
		k := t.keys.at(e)
		switch k.typ {
		case schema.EntityHost:
			f.hosts++
		case schema.EntityUser:
			f.users++
		}
		x := shared{k.tally, e, k.typ}
		n := len(h.top)
		if n == l.entities {
			if ranked(t, h.top[n-1], x) < 0 {
				continue
			}
			h.top = h.top[:n-1]
		}
		at, _ := slices.BinarySearchFunc(h.top, x, func(x, y shared) int { return ranked(t, x, y) })
		h.top = slices.Insert(h.top, at, x)
	}
	out := h.refs.take(len(h.top))
	for i, e := range h.top {
		out[i] = t.entity(e.key)
	}
	return out
}

func ranked(t *tenant, x, y shared) int {
	if x.tally != y.tally {
		return cmp.Compare(y.tally, x.tally)
	}
	if x.typ != y.typ {
		return strings.Compare(x.typ.String(), y.typ.String())
	}
	return strings.Compare(alias(t.blobs.get(t.keys.at(x.key).text)), alias(t.blobs.get(t.keys.at(y.key).text)))
}

// sum names everything a head says but its version.
func (h *headBuilder) sum(x *schema.Incident) uint64 {
	flags := byte(0)
	for i, f := range [...]bool{x.Final, x.Touched, x.Suggested} {
		if f {
			flags |= 1 << i
		}
	}
	b := append(h.buf[:0], x.ID[:]...)
	b = append(b, x.Founder[:]...)
	b = append(b, x.Campaign[:]...)
	b = append(b, byte(x.Disposition), byte(x.Severity), x.Priority, byte(x.Level), flags)
	b = binary.AppendVarint(b, int64(x.Slice))
	b = binary.AppendVarint(b, int64(x.First))
	b = binary.AppendVarint(b, int64(x.Last))
	b = binary.AppendUvarint(b, uint64(x.Alerts))
	b = appendText(b, x.Title)
	for _, f := range x.Factors {
		b = appendText(b, f.Name)
		b = binary.AppendVarint(b, int64(f.Points))
	}
	for _, s := range x.Sources {
		b = appendText(b, s)
	}
	for _, t := range x.Techniques {
		b = appendText(appendText(b, t.ID), t.Tactic)
	}
	for _, e := range x.Entities {
		b = appendText(append(b, byte(e.Type)), e.Key)
	}
	h.buf = b
	return xxh3.Hash(b) | 1 // never 0, which means nothing emitted
}

// redirectSum is the sum of a redirect head.
func (h *headBuilder) redirectSum(into schema.IncidentID) uint64 {
	return xxh3.HashSeed(into[:], 1) | 1
}

func compareTTP(x, y schema.Technique) int {
	return cmp.Or(strings.Compare(x.ID, y.ID), strings.Compare(x.Tactic, y.Tactic))
}
