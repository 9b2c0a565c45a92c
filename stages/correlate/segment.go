package correlate

// link puts an observation's keys into a level's segments. Single keys of a
// held observation wait for release.
func (t *tenant) link(l *ladder, level int, o *obsRec, slot int32, singles, pairs bool) {
	keys := t.keysOf(o)
	n := keys.links()
	if singles && level < soleLevels && !o.held {
		h := hourOf(millis(o.t))
		for i := range n {
			k := keys.key(i)
			if w := l.sole(level, t.keys.at(k).class, keys.degree(i)); w != noWindow {
				t.join(l, k, level, o.t, h, w, slot, true)
			}
		}
	}
	if !pairs {
		return
	}
	bucket, w := int32(0), l.slice
	if level == lastLevel {
		bucket = int32(floorDiv(o.t, l.slice))
	} else {
		w = l.pair[level]
	}
	for i := range n {
		a := keys.key(i)
		ca := t.keys.at(a).class
		if ca.kind() == kindNone {
			continue
		}
		for j := i + 1; j < n; j++ {
			b := keys.key(j)
			if !pairing(ca, t.keys.at(b).class) {
				continue
			}
			t.join(l, t.pairOf(min(a, b), max(a, b)), level, o.t, bucket, w, slot, false)
		}
	}
}

// join adds an observation at time at to the segments of a key. Within a bucket
// all windows are w, so segments are exactly the runs with gaps of at most w.
// Single keys also link across buckets (hours): by the window of the later one,
// and the end of a run that is nearest decides for the whole run.
func (t *tenant) join(l *ladder, key int32, level int, at int64, bucket int32, w int64, slot int32, across bool) {
	host := int32(0)
	prev := int32(0)
	for s := t.keys.at(key).segs; s != 0; {
		g := t.segs.at(s)
		next := g.next
		switch {
		case hourOf(millis(g.hi)) < t.cutoff:
			t.dropSeg(key, prev, s)
			s = next
			continue
		case int(g.level) != level:
		case g.bucket == bucket:
			if at < g.lo-w || at > g.hi+w {
				break
			}
			t.union(l, g.slot, slot)
			if host == 0 {
				host = s
				if at < g.lo || at > g.hi {
					g = t.segs.mut(s)
					g.lo, g.hi = min(g.lo, at), max(g.hi, at)
				}
				break
			}
			h := t.segs.mut(host)
			h.lo, h.hi = min(h.lo, g.lo), max(h.hi, g.hi)
			t.dropSeg(key, prev, s)
			s = next
			continue
		case across && g.bucket < bucket && at-g.hi <= w, across && g.bucket > bucket && g.lo-at <= int64(g.window):
			t.union(l, g.slot, slot)
		}
		prev, s = s, next
	}
	if host != 0 {
		return
	}
	i, g := t.segs.alloc()
	root := t.find(slot)
	g.lo, g.hi, g.window, g.bucket, g.slot, g.level = at, at, int32(w), bucket, root, int8(level)
	t.slots.mut(root).refs++
	k := t.keys.mut(key)
	g.next = k.segs
	k.segs = i
}

func (t *tenant) dropSeg(key, prev, s int32) {
	g := t.segs.at(s)
	if prev == 0 {
		t.keys.mut(key).segs = g.next
	} else {
		t.segs.mut(prev).next = g.next
	}
	t.unref(g.slot)
	t.segs.release(s)
}

// prune drops a key's segments that end before the cutoff, and a pair without
// segments. A segment ends at an observation, whose eviction prunes it: nothing
// stays behind.
func (t *tenant) prune(key, cutoff int32) {
	prev := int32(0)
	for s := t.keys.at(key).segs; s != 0; {
		g := t.segs.at(s)
		next := g.next
		if hourOf(millis(g.hi)) < cutoff {
			t.dropSeg(key, prev, s)
		} else {
			prev = s
		}
		s = next
	}
	k := t.keys.at(key)
	if k.b == 0 || k.segs != 0 {
		return
	}
	t.pairs.set(pairID(k.a, k.b), 0)
	t.keys.release(key)
	t.unrefKey(k.a)
	t.unrefKey(k.b)
}
