package correlate

import (
	"github.com/interdict/interdict/schema"
)

// observe takes one alert document: an alert, a revision of one, or a
// duplicate, which changes nothing.
func (c *Correlator) observe(t *tenant, a *schema.Alert) (int32, schema.Standing) {
	idx := t.byID.get(a.ID)
	standing := schema.StandingNew
	if idx != 0 {
		if t.obs.at(t.alerts.at(idx).obs).content == a.Content || t.contents.get(content{idx, a.Content}) != 0 {
			return idx, schema.StandingDuplicate
		}
		standing = schema.StandingRevision
	}
	late := t.born && a.Created < t.watermark
	o, rec := t.obs.alloc()
	rec.t, rec.content, rec.rev, rec.sev = timeOf(a), a.Content, a.RevisionOf(), a.Severity
	c.buf = appendDetail(c.buf[:0], a)
	rec.detail = t.blobs.add(c.buf)
	var d detail
	d.decode(c.buf)
	rec.describe(&d)
	c.takeKeys(t, a, rec, late)
	if standing == schema.StandingNew {
		var r *alertRec
		idx, r = t.alerts.alloc()
		r.id, r.first, r.newest, r.minSev, r.late, r.cur, r.obs, r.n = a.ID, rec.t, rec.t, a.Severity, late, o, o, 1
		rec.alert = idx
		t.byID.set(a.ID, idx)
		t.enqueue(idx, hourOf(millis(rec.t)))
		t.activate(c.ladder, idx, 0)
	} else {
		rec.alert = idx
		c.revise(t, idx, o, late)
	}
	if rec.held {
		t.hold(o)
	}
	t.settle(c.ladder)
	return idx, standing
}

// maxTime bounds times so that sums and hours of them cannot overflow. Hop 1
// clamps created times far closer; this holds for any input.
const maxTime = 1 << 52

func timeOf(a *schema.Alert) int64 { return min(max(int64(a.Created), -maxTime), maxTime) }

// takeKeys records the observation's entities, counts its single keys, and
// reads their degrees unless those are not sealed yet.
func (c *Correlator) takeKeys(t *tenant, a *schema.Alert, rec *obsRec, late bool) {
	parts := c.partsOf(a)
	h := hourOf(millis(rec.t))
	links := 0
	for _, p := range parts {
		if p.links {
			links++
		}
	}
	rec.held = links > 0 && !t.sealed(h)
	keys := obsKeys(append(c.buf[:0], byte(links)))
	for _, p := range parts {
		k := t.intern(p)
		t.keys.mut(k).refs++
		d := uint16(noDegree)
		if p.links {
			if !late {
				t.count(k, h)
			}
			if !rec.held {
				d = t.degree(k, h)
			}
		}
		keys = keys.append(k, d, p.roles)
	}
	c.buf = keys
	rec.contacts = t.contacting(keys)
	rec.keys = t.blobs.add(keys)
}

// revise adds an observation to an alert at every level that it takes part in.
func (c *Correlator) revise(t *tenant, idx, o int32, late bool) {
	a, rec := t.alerts.mut(idx), t.obs.at(o)
	weight := a.weight()
	rec.next = a.obs
	if a.n == 1 {
		t.contents.set(content{idx, t.obs.at(a.obs).content}, a.obs)
	}
	t.contents.set(content{idx, rec.content}, o)
	a.obs = o
	a.n++
	a.first = min(a.first, rec.t)
	a.newest = max(a.newest, rec.t)
	a.minSev = min(a.minSev, rec.sev)
	if late && !a.late {
		a.late = true
	}
	if cur := t.obs.at(a.cur); rec.rev > cur.rev || rec.rev == cur.rev && rec.content > cur.content {
		a.cur = o
		a.stale = true
	}
	t.dirty = append(t.dirty, idx)
	for level := int8(0); level <= a.top; level++ {
		root := t.rootOf(idx, level)
		r := t.slots.mut(root)
		if founderAfter(r.first, r.firstID, a.first, a.id) {
			if r.over && r.firstID != a.id {
				t.noteMoved(level, r.list)
			}
			r.first, r.firstID = a.first, a.id
		}
		r.newest = max(r.newest, a.newest)
		r.weight = saturate(r.weight, a.weight()-weight)
		t.weigh(c.ladder, root)
		t.link(c.ladder, int(level), rec, a.slot[level], true, true)
	}
}
