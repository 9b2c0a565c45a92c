package correlate

import (
	"slices"

	"github.com/interdict/interdict/schema"
)

// resolver turns components into rows and heads. It holds scratch only.
type resolver struct {
	groups []group
	order  []int32 // members of the groups, each group oldest first
	rows   []row   // by position in order
	reason reasoner
	head   headBuilder
	path   pathFinder
	left   []move // alerts that left an incident that lives on
	cases  []int32
	spare  []int32
	text   []byte
	news   uint64 // pass that marked the alerts with something new
}

// group is a changed component: an incident of the correlation plane.
type group struct {
	root     int32
	from, to int32 // in order
}

type move struct{ from, into int32 }

// resolve recomputes the incidents that have a dirty alert and emits what is
// new about them.
func (r *resolver) resolve(l *ladder, t *tenant, b *schema.Batch) {
	r.collect(t)
	r.news = t.pass
	if t.touched > 0 {
		r.overlay(t, b)
	}
	r.rows = slices.Grow(r.rows[:0], len(r.order))[:len(r.order)]
	for _, g := range r.groups {
		ms := r.order[g.from:g.to]
		t.found(shownIn(t, ms[0], ms[0]))
		r.reason.rows(l, t, r.news, int(t.slots.at(g.root).level), ms, r.rows[g.from:g.to])
	}
	// Every alert's place is set before the first redirect is written: a
	// redirect names where the founder is now.
	r.left = r.left[:0]
	for _, g := range r.groups {
		r.place(t, g, b)
	}
	for _, g := range r.groups {
		r.redirect(t, g, b)
	}
	r.splits(t, b)
	r.cases = r.cases[:0]
	for _, g := range r.groups {
		r.heads(l, t, g, false, b)
	}
	t.dirty, t.moved = shrink(t.dirty), shrink(t.moved)
}

// collect gathers the components of the dirty alerts, in order of founder. Work
// on one part of a used incident is work on all of them.
func (r *resolver) collect(t *tenant) {
	t.pass++
	for _, a := range t.dirty {
		t.alerts.at(a).news = t.pass
	}
	t.dirty = append(t.dirty, t.moved...)
	r.groups, r.order, r.cases = r.groups[:0], r.order[:0], r.cases[:0]
	for i := 0; i < len(t.dirty); i++ {
		a := t.dirty[i]
		root := t.rootOf(a, t.alerts.at(a).top)
		if t.slots.at(root).pass == t.pass {
			continue
		}
		t.slots.at(root).pass = t.pass
		r.add(t, root)
		if t.touched == 0 {
			continue
		}
		for _, m := range r.order[r.groups[len(r.groups)-1].from:] {
			if p := t.alerts.at(m).pin; p != 0 && !contains(r.cases, p) {
				r.cases = append(r.cases, p)
				t.dirty = t.pinned(t.dirty, p)
			}
		}
	}
	slices.SortFunc(r.groups, func(x, y group) int { return t.compare(r.order[x.from], r.order[y.from]) })
}

// add appends a component to the groups.
func (r *resolver) add(t *tenant, root int32) {
	from := len(r.order)
	r.order = t.members(r.order, root)
	if ms := r.order[from:]; !slices.IsSortedFunc(ms, t.compare) {
		slices.SortFunc(ms, t.compare)
	}
	r.groups = append(r.groups, group{root, int32(from), int32(len(r.order))})
}

func (t *tenant) compare(a, b int32) int {
	switch {
	case a == b:
		return 0
	case t.older(a, b):
		return -1
	}
	return 1
}

// shownIn gives the alert whose incident shows a, of the incident founded by f.
func shownIn(t *tenant, a, f int32) int32 {
	if p := t.alerts.at(a).pin; p != 0 {
		return p
	}
	return f
}

// found makes sure that the incident founded by f has its record.
func (t *tenant) found(f int32) {
	if t.alerts.at(f).own != 0 {
		return
	}
	a := t.alerts.mut(f)
	i, inc := t.incs.alloc()
	inc.id = schema.NewIncidentID(t.name, a.id)
	a.own = i
	t.byInc.set(inc.id, f)
}

// place emits the rows of a group that changed.
func (r *resolver) place(t *tenant, g group, b *schema.Batch) {
	ms := r.order[g.from:g.to]
	for i, idx := range ms {
		a := t.alerts.at(idx)
		into := shownIn(t, idx, ms[0])
		next := &r.rows[int(g.from)+i]
		if a.shown == into && a.row == *next && !a.stale {
			continue
		}
		if a.shown != 0 && a.shown != into && a.shown != idx {
			r.left = append(r.left, move{a.shown, into})
		}
		a = t.alerts.mut(idx)
		a.shown, a.row, a.stale = into, *next, false
		r.emitRow(t, a, b)
	}
}

func (r *resolver) emitRow(t *tenant, a *alertRec, b *schema.Batch) {
	cur := t.obs.at(a.cur)
	var d detail
	d.decode(t.blobs.get(cur.detail))
	m := schema.Member{
		Tenant:   t.name,
		Alert:    a.id,
		Incident: t.incident(a.shown),
		Level:    a.row.level,
		Weight:   uint16(a.row.weight),
		Reason:   a.row.kind,
		Distance: millis(a.row.dist),
		Late:     a.row.late,
		VendorID: d.vendorID,
		Source:   d.source,
		Created:  millis(cur.t),
		Title:    d.title,
		Severity: cur.sev,
		Version:  b.Position,
	}
	if a.row.keyA != 0 {
		r.text = t.appendKey(r.text[:0], a.row.keyA, a.row.keyB)
		m.Key = r.head.texts.clone(r.text)
		m.Peer = t.alerts.at(a.row.peer).id
	}
	b.Members = append(b.Members, m)
}

// redirect says of every id that was shown and founds nothing any more where
// its founder is now.
func (r *resolver) redirect(t *tenant, g group, b *schema.Batch) {
	for _, idx := range r.order[g.from:g.to] {
		a := t.alerts.at(idx)
		if a.own == 0 || a.shown == idx {
			continue
		}
		into := t.incident(a.shown)
		sum := r.head.redirectSum(into)
		if t.incs.at(a.own).head == sum {
			continue
		}
		inc := t.incs.mut(a.own)
		if inc.live {
			r.ledger(t, b, "merge", inc.id, into, "linked")
		}
		inc.head, inc.live = sum, false
		b.Incidents = append(b.Incidents, schema.Incident{ID: inc.id, Tenant: t.name, Founder: a.id, RedirectTo: into, Status: schema.IncidentNew, Version: b.Position})
		if inc.path != 0 {
			inc.path = 0
			b.Paths = append(b.Paths, superseded(t, inc.id, b))
		}
	}
}

// splits records which incidents lost alerts and live on.
func (r *resolver) splits(t *tenant, b *schema.Batch) {
	slices.SortFunc(r.left, func(x, y move) int {
		if c := t.compare(x.from, y.from); c != 0 {
			return c
		}
		return t.compare(x.into, y.into)
	})
	for i, m := range r.left {
		if i > 0 && r.left[i-1] == m || t.alerts.at(m.from).shown != m.from {
			continue
		}
		r.ledger(t, b, "split", t.incident(m.from), t.incident(m.into), "heavier than its level allows")
	}
}

// heads emits the heads and paths that changed of the incidents that show a
// group's alerts.
func (r *resolver) heads(l *ladder, t *tenant, g group, final bool, b *schema.Batch) {
	ms := r.order[g.from:g.to]
	if t.touched > 0 {
		rest := r.spare[:0]
		for _, a := range ms {
			p := t.alerts.at(a).pin
			if p == 0 {
				rest = append(rest, a)
			} else if !contains(r.cases, p) {
				r.cases = append(r.cases, p)
				all := t.pinned(nil, p)
				slices.SortFunc(all, t.compare)
				r.emitHead(l, t, p, all, final, b)
			}
		}
		r.spare = rest
		ms = rest
	}
	if len(ms) > 0 {
		r.emitHead(l, t, t.alerts.at(ms[0]).shown, ms, final, b)
	}
}

func (r *resolver) emitHead(l *ladder, t *tenant, f int32, ms []int32, final bool, b *schema.Batch) {
	own := t.alerts.at(f).own
	head, sum := r.head.build(l, t, f, ms, final)
	if t.incs.at(own).head != sum {
		inc := t.incs.mut(own)
		inc.head, inc.live = sum, true
		head.Version = b.Position
		b.Incidents = append(b.Incidents, head)
	}
	path, sum := r.path.find(l, t, ms)
	if t.incs.at(own).path == sum {
		return
	}
	inc := t.incs.mut(own)
	inc.path = sum
	if sum == 0 {
		b.Paths = append(b.Paths, superseded(t, inc.id, b))
		return
	}
	path.ID, path.Tenant, path.Incident = schema.NewPathID(t.name, inc.id, schema.PathRealized), t.name, inc.id
	path.Version = b.Position
	b.Paths = append(b.Paths, path)
}

// finish emits the last heads of components that close, and gives their alerts.
func (r *resolver) finish(l *ladder, t *tenant, roots []int32, b *schema.Batch) []int32 {
	r.groups, r.order, r.cases = r.groups[:0], r.order[:0], r.cases[:0]
	for _, root := range roots {
		r.add(t, root)
	}
	slices.SortFunc(r.groups, func(x, y group) int { return t.compare(r.order[x.from], r.order[y.from]) })
	for _, g := range r.groups {
		r.heads(l, t, g, true, b)
	}
	return r.order
}
