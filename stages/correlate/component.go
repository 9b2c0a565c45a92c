package correlate

import "github.com/interdict/interdict/schema"

// riser is an alert whose component went over its cap: it takes part in the
// next level from now on.
type riser struct {
	alert int32
	level int8
}

// activate makes an alert take part in a level.
func (t *tenant) activate(l *ladder, alert int32, level int8) {
	a := t.alerts.mut(alert)
	i, s := t.slots.alloc()
	s.firstID, s.first, s.newest, s.weight, s.refs, s.list, s.level = a.id, a.first, a.newest, a.weight(), 1, alert, level
	a.slot[level], a.next[level], a.top = i, alert, level
	if level == 0 {
		a.prev = alert
	} else {
		t.dequeue(alert) // its incident may be one that closes earlier
		t.enqueue(alert, hourOf(millis(a.newest)))
	}
	t.dirty = append(t.dirty, alert)
	for o := a.obs; o != 0; {
		rec := t.obs.at(o)
		t.link(l, int(level), rec, i, true, true)
		o = rec.next
	}
}

// settle lets alerts rise until every component is within its cap. An alert
// rises at most once per level in its life.
func (t *tenant) settle(l *ladder) {
	for len(t.rise) > 0 {
		r := t.rise[len(t.rise)-1]
		t.rise = t.rise[:len(t.rise)-1]
		if t.alerts.at(r.alert).top < r.level {
			t.activate(l, r.alert, r.level)
		}
	}
}

// find gives the root of a slot and halves the way to it.
func (t *tenant) find(s int32) int32 {
	for {
		p := t.slots.at(s).parent
		if p == 0 {
			return s
		}
		g := t.slots.at(p).parent
		if g == 0 {
			return p
		}
		t.slots.mut(s).parent = g
		t.slots.mut(g).refs++
		t.unref(p)
		s = g
	}
}

// unref takes a reference from a slot; the last one frees it and takes its
// reference from its parent.
func (t *tenant) unref(s int32) {
	for s != 0 {
		r := t.slots.mut(s)
		r.refs--
		if r.refs > 0 {
			return
		}
		t.slots.release(s)
		s = r.parent
	}
}

// rootOf gives the component of an alert at a level and points the alert at it.
func (t *tenant) rootOf(alert int32, level int8) int32 {
	s := t.alerts.at(alert).slot[level]
	r := t.find(s)
	if r != s {
		t.slots.mut(r).refs++
		t.alerts.mut(alert).slot[level] = r
		t.unref(s)
	}
	return r
}

// union joins the components of two slots of one level.
func (t *tenant) union(l *ladder, x, y int32) {
	x, y = t.find(x), t.find(y)
	if x == y {
		return
	}
	if t.slots.at(x).refs < t.slots.at(y).refs {
		x, y = y, x
	}
	r, c := t.slots.mut(x), t.slots.mut(y) // c goes under r
	level := r.level
	younger := founderAfter(r.first, r.firstID, c.first, c.firstID)
	switch {
	case r.over && c.over:
		if younger {
			t.noteMoved(level, r.list)
		} else {
			t.noteMoved(level, c.list)
		}
	case r.over || c.over:
		under := r.list
		if r.over {
			under = c.list
		}
		t.raise(under, level)
		if r.over && younger { // the over one's founder gives way
			t.noteMoved(level, r.list)
		} else if c.over && !younger {
			t.noteMoved(level, c.list)
		}
	}
	if younger {
		r.first, r.firstID = c.first, c.firstID
	}
	r.newest = max(r.newest, c.newest)
	r.weight = saturate(r.weight, c.weight)
	r.refs++
	c.parent = x
	was := r.over || c.over
	switch {
	case was && level != 0:
		r.list = 0
	case younger:
		r.list = t.splice(c.list, r.list, level)
	default:
		r.list = t.splice(r.list, c.list, level)
	}
	c.list = 0
	r.over = was
	if !was {
		t.weigh(l, x)
	}
}

func saturate(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), 1<<31)) }

func founderAfter(t int64, id schema.AlertID, t2 int64, id2 schema.AlertID) bool {
	if t != t2 {
		return t > t2
	}
	return id.Compare(id2) > 0
}

// weigh marks a root as over when it is above its level's cap, for ever, and
// lets its alerts rise.
func (t *tenant) weigh(l *ladder, root int32) {
	r := t.slots.at(root)
	if r.over || r.weight <= l.caps[r.level] {
		return
	}
	r = t.slots.mut(root)
	r.over = true
	t.raise(r.list, r.level)
	if r.level != 0 {
		r.list = 0
	}
}

func (t *tenant) raise(list int32, level int8) {
	if list == 0 {
		return
	}
	for a := list; ; {
		t.rise = append(t.rise, riser{a, level + 1})
		if a = t.alerts.at(a).next[level]; a == list {
			return
		}
	}
}

// noteMoved remembers the alerts of an over component of level 0 that got
// another founder: the heads of their incidents name it as their campaign.
func (t *tenant) noteMoved(level int8, list int32) {
	if level != 0 || list == 0 {
		return
	}
	for a := list; ; {
		t.moved = append(t.moved, a)
		if a = t.alerts.at(a).next[0]; a == list {
			return
		}
	}
}

// splice makes one circular list of two, each named by its last alert: x's
// alerts, then y's. So alerts that come in order of time are listed in it. Level 0
// lists are linked both ways: alerts leave them while the component lives on.
func (t *tenant) splice(x, y int32, level int8) int32 {
	if x == 0 || y == 0 {
		return max(x, y)
	}
	a, b := t.alerts.mut(x), t.alerts.mut(y)
	a.next[level], b.next[level] = b.next[level], a.next[level]
	if level == 0 {
		t.alerts.mut(a.next[0]).prev = x
		t.alerts.mut(b.next[0]).prev = y
	}
	return y
}

// unlink takes an alert out of its level 0 list.
func (t *tenant) unlink(alert int32) {
	a := t.alerts.mut(alert)
	r := t.slots.mut(t.find(a.slot[0]))
	if a.next[0] == alert {
		r.list = 0
		return
	}
	if r.list == alert {
		r.list = a.prev
	}
	t.alerts.mut(a.next[0]).prev = a.prev
	t.alerts.mut(a.prev).next[0] = a.next[0]
	a.next[0], a.prev = alert, alert
}

// members appends the alerts of a component that is within its cap, mostly in
// order of time.
func (t *tenant) members(dst []int32, root int32) []int32 {
	r := t.slots.at(root)
	for a := r.list; ; {
		a = t.alerts.at(a).next[r.level]
		dst = append(dst, a)
		if a == r.list {
			return dst
		}
	}
}
