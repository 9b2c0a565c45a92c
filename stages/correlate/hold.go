package correlate

import (
	"encoding/binary"
	"slices"
)

// sealed reports whether degrees of observations in hour h are known: every
// on-time alert of the hours that they sum has been delivered.
func (t *tenant) sealed(h int32) bool {
	return t.born && int64(t.watermark) >= int64(h-sealedLag)*int64(hour)
}

// hold keeps an observation until its hour is sealed.
func (t *tenant) hold(o int32) {
	rec := t.obs.mut(o)
	h := hourOf(millis(rec.t))
	rec.hold = t.holds.get(h)
	t.holds.set(h, o)
	t.held++
	t.holdMin = min(t.holdMin, h)
}

// release links the single keys of the held observations whose hour is sealed.
// They join the levels that their alert is at by then.
func (c *Correlator) release(t *tenant) {
	if !t.sealed(t.holdMin) {
		return
	}
	ready := make([]int32, 0, len(t.holds.m))
	t.holdMin = never
	for h := range t.holds.m {
		if t.sealed(h) {
			ready = append(ready, h)
		} else {
			t.holdMin = min(t.holdMin, h)
		}
	}
	slices.Sort(ready)
	for _, h := range ready {
		o := t.holds.get(h)
		t.holds.set(h, 0)
		for o != 0 {
			rec := t.obs.mut(o)
			o = rec.hold
			rec.hold, rec.held = 0, false
			t.held--
			keys := append(obsKeys(nil), t.keysOf(rec)...)
			for i := range keys.links() {
				binary.LittleEndian.PutUint16(keys[5+i*obsKeySize:], t.degree(keys.key(i), h))
			}
			t.blobs.release(rec.keys)
			rec.keys = t.blobs.add(keys)
			a := t.alerts.at(rec.alert)
			t.dirty = append(t.dirty, rec.alert)
			for level := int8(0); level <= a.top; level++ {
				t.link(c.ladder, int(level), rec, a.slot[level], true, false)
			}
			t.settle(c.ladder)
		}
	}
}
