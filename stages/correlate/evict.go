package correlate

import (
	"slices"

	"github.com/interdict/interdict/schema"
)

// cutoffAt is the first hour that is not closed: an incident whose newest
// observation is of an hour before it can gain no on-time alert.
func (t *tenant) cutoffAt(l *ladder) int32 {
	if !t.born {
		return -1 << 31
	}
	return hourOf(t.watermark - schema.Millis(l.horizon))
}

// enqueue has the alert looked at when hour h closes. An alert is in one bucket
// at a time.
func (t *tenant) enqueue(alert, h int32) {
	head := t.closing.get(h)
	a := t.alerts.mut(alert)
	a.queue, a.queuePrev, a.bucket = head, 0, h
	if head != 0 {
		t.alerts.mut(head).queuePrev = alert
	}
	t.closing.set(h, alert)
	t.closeMin = min(t.closeMin, h)
}

func (t *tenant) dequeue(alert int32) {
	a := t.alerts.at(alert)
	if a.queuePrev != 0 {
		t.alerts.mut(a.queuePrev).queue = a.queue
	} else {
		t.closing.set(a.bucket, a.queue)
	}
	if a.queue != 0 {
		t.alerts.mut(a.queue).queuePrev = a.queuePrev
	}
}

// close emits and evicts the incidents that the cutoff has passed. An alert is
// looked at when its own newest hour has closed, and again when its incident's
// has.
func (c *Correlator) close(t *tenant, b *schema.Batch) {
	// Only now: held observations of closed hours still had to find each other.
	t.cutoff = t.cutoffAt(c.ladder)
	cutoff := t.cutoff
	if t.closeMin >= cutoff {
		return
	}
	var ready, alerts, final []int32
	t.closeMin = never
	for h := range t.closing.m {
		if h < cutoff {
			ready = append(ready, h)
		} else {
			t.closeMin = min(t.closeMin, h)
		}
	}
	slices.Sort(ready)
	for _, h := range ready {
		for a := t.closing.get(h); a != 0; a = t.alerts.at(a).queue {
			alerts = append(alerts, a)
		}
	}
	t.pass++
	for _, a := range alerts {
		root := t.rootOf(a, t.alerts.at(a).top)
		if t.slots.at(root).pass == t.pass {
			continue // goes with another
		}
		unit := t.unit(root)
		newest := int64(-1 << 62)
		for _, r := range unit {
			newest = max(newest, t.slots.at(r).newest)
		}
		if h := hourOf(millis(newest)); h >= cutoff {
			t.dequeue(a)
			t.enqueue(a, h)
			continue
		}
		for _, r := range unit {
			t.slots.at(r).pass = t.pass
		}
		final = append(final, unit...)
	}
	for _, a := range c.r.finish(c.ladder, t, final, b) {
		t.evict(a, cutoff)
	}
}

// evict forgets an alert, its observations, and what only they kept alive.
func (t *tenant) evict(alert, cutoff int32) {
	a := t.alerts.at(alert)
	for o := a.obs; o != 0; {
		rec := t.obs.at(o)
		keys := t.keysOf(rec)
		n := keys.links()
		for i := range n {
			x := keys.key(i)
			t.prune(x, cutoff)
			for j := i + 1; j < n; j++ {
				y := keys.key(j)
				if !pairing(t.keys.at(x).class, t.keys.at(y).class) {
					continue
				}
				if p := t.pairs.get(pairID(min(x, y), max(x, y))); p != 0 {
					t.prune(p, cutoff)
				}
			}
		}
		for i := range keys.len() {
			t.unrefKey(keys.key(i))
		}
		t.blobs.release(rec.keys)
		t.blobs.release(rec.detail)
		if a.n > 1 {
			t.contents.set(content{alert, rec.content}, 0)
		}
		t.obs.release(o)
		o = rec.next
	}
	t.dequeue(alert)
	t.unlink(alert)
	for level := int8(0); level <= a.top; level++ {
		t.unref(a.slot[level])
	}
	if a.own != 0 {
		for id := range t.related.m {
			if int32(id>>32) == alert || int32(uint32(id)) == alert {
				t.related.set(id, 0)
			}
		}
		if t.incs.at(a.own).touched {
			t.touched--
		}
		t.byInc.set(t.incs.at(a.own).id, 0)
		t.incs.release(a.own)
	}
	t.byID.set(a.id, 0)
	t.alerts.release(alert)
}
