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
// and the end of a run that is nearest decides for the whole run. The segments of
// a level are listed from the newest on: what comes in order of time looks at the
// first few.
func (t *tenant) join(l *ladder, key int32, level int, at int64, bucket int32, w int64, slot int32, across bool) {
	host, prev, after := int32(0), int32(0), int32(0)
walk:
	for s := t.keys.at(key).segs[level]; s != 0; {
		g := t.segs.at(s)
		next := g.next
		if g.lo > at {
			after = s
		}
		switch {
		case g.bucket > bucket:
			if across && g.lo-at <= int64(g.window) {
				t.union(l, g.slot, slot)
			}
		case g.bucket < bucket:
			if !across || at-g.hi > w {
				break walk
			}
			t.union(l, g.slot, slot)
		case at > g.hi+w:
			break walk
		case at < g.lo-w:
		case host == 0:
			t.union(l, g.slot, slot)
			host = s
			if at < g.lo || at > g.hi {
				g = t.segs.mut(s)
				g.lo, g.hi = min(g.lo, at), max(g.hi, at)
			}
		default: // at fills the gap between two runs
			t.union(l, g.slot, slot)
			h := t.segs.mut(host)
			h.lo, h.hi = min(h.lo, g.lo), max(h.hi, g.hi)
			t.dropSeg(key, level, prev, s)
			s = next
			continue
		}
		prev, s = s, next
	}
	if host != 0 {
		return
	}
	i, g := t.segs.alloc()
	root := t.find(slot)
	g.lo, g.hi, g.window, g.bucket, g.slot = at, at, int32(w), bucket, root
	t.slots.mut(root).refs++
	if after == 0 {
		k := t.keys.mut(key)
		g.next, k.segs[level] = k.segs[level], i
	} else {
		before := t.segs.mut(after)
		g.next, before.next = before.next, i
	}
}

func (t *tenant) dropSeg(key int32, level int, prev, s int32) {
	g := t.segs.at(s)
	if prev == 0 {
		t.keys.mut(key).segs[level] = g.next
	} else {
		t.segs.mut(prev).next = g.next
	}
	t.unref(g.slot)
	t.segs.release(s)
}

// prune drops a key's segments that end before the cutoff, and a pair without
// segments. A segment ends at an observation, whose eviction prunes it: nothing
// stays behind, and nothing goes before it: alerts of closed hours whose incident
// is open may still have to find each other at the next level.
func (t *tenant) prune(key, cutoff int32) {
	left := false
	for level := range levels {
		prev := int32(0)
		for s := t.keys.at(key).segs[level]; s != 0; {
			g := t.segs.at(s)
			next := g.next
			if hourOf(millis(g.hi)) < cutoff {
				t.dropSeg(key, level, prev, s)
			} else {
				prev = s
			}
			s = next
		}
		left = left || prev != 0
	}
	k := t.keys.at(key)
	if k.b == 0 || left {
		return
	}
	t.pairs.set(pairID(k.a, k.b), 0)
	t.keys.release(key)
	t.unrefKey(k.a)
	t.unrefKey(k.b)
}
