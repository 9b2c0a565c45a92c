package correlate

// maxScan bounds the neighbors looked at one by one: past it, sorting all uses of
// all keys is cheaper.
const maxScan = 1 << 14

// neighbors holds the keys of the alert whose neighbors are looked at.
type neighbors struct {
	own    []ownKey
	common []int32 // of own: what a neighbor has too
}

type ownKey struct {
	key   int32
	reach int64 // of the single key
	class class
}

// scan finds the links of the asked alerts by going through their neighbors from
// the nearest in time on.
func (r *reasoner) scan(l *ladder, t *tenant, level int) {
	for i := range r.ms {
		if !r.asked[i] {
			continue
		}
		for step := -1; step <= 1 && r.best[i].peer < 0; step += 2 { // older ones first
			for o := t.alerts.at(r.ms[i]).obs; o != 0; o = t.obs.at(o).next {
				r.learn(l, t, level, t.obs.at(o))
				r.walk(l, t, level, i, step, t.obs.at(o))
			}
		}
	}
}

// learn marks the keys of an observation.
func (r *reasoner) learn(l *ladder, t *tenant, level int, x *obsRec) {
	t.pass++
	keys := t.keysOf(x)
	r.near.own = r.near.own[:0]
	for j := range keys.links() {
		k := t.keys.at(keys.key(j))
		k.mark, k.tally = t.pass, int32(j)
		r.near.own = append(r.near.own, ownKey{keys.key(j), r.reachOf(l, x, level, k.class, keys.degree(j)), k.class})
	}
}

func (r *reasoner) reachOf(l *ladder, rec *obsRec, level int, c class, degree uint16) int64 {
	if rec.held || level >= soleLevels {
		return noWindow
	}
	return l.sole(level, c, degree)
}

// walk offers the links of x, of the alert with rank i, to the older alerts (step
// -1) or the younger ones (step 1).
func (r *reasoner) walk(l *ladder, t *tenant, level, i, step int, x *obsRec) {
	for p := i + step; p >= 0 && p < len(r.ms); p += step {
		b := t.alerts.at(r.ms[p])
		least := b.first - x.t // distance of all that are further on, at least
		if step < 0 {
			least = x.t - b.first - r.span
		}
		if !r.wanted(l, level, i, least) {
			return
		}
		for o := b.obs; o != 0; {
			y := t.obs.at(o)
			o = y.next
			r.compare(l, t, level, i, p, x, y)
		}
	}
}

// wanted reports whether a link at distance d could be the reason of the alert
// with rank i.
func (r *reasoner) wanted(l *ladder, level, i int, d int64) bool {
	return d <= l.longest[level] && (r.best[i].peer < 0 || d <= r.best[i].dist)
}

// compare offers the links of x, whose keys are marked, to observation y of the
// alert with rank p.
func (r *reasoner) compare(l *ladder, t *tenant, level, i, p int, x, y *obsRec) {
	d := max(x.t-y.t, y.t-x.t)
	if !r.wanted(l, level, i, d) {
		return
	}
	keys := t.keysOf(y)
	common := r.near.common[:0]
	for j := range keys.links() {
		k := t.keys.at(keys.key(j))
		if k.mark != t.pass {
			continue
		}
		common = append(common, k.tally)
		// The window is the later one's, but both must have one.
		own := &r.near.own[k.tally]
		ours, theirs := own.reach, r.reachOf(l, y, level, k.class, keys.degree(j))
		if ours == noWindow || theirs == noWindow {
			continue
		}
		if y.t > x.t {
			ours = theirs
		}
		if d <= ours {
			r.offer(t, int32(i), candidate{d, uint64(own.key), int32(p)})
		}
	}
	r.near.common = common
	if len(common) < 2 || d > l.reach(level, max(x.t, y.t)) {
		return
	}
	for n, u := range common {
		for _, v := range common[n+1:] {
			u, v := &r.near.own[u], &r.near.own[v]
			if pairing(u.class, v.class) {
				r.offer(t, int32(i), candidate{d, pairID(min(u.key, v.key), max(u.key, v.key)), int32(p)})
			}
		}
	}
}
