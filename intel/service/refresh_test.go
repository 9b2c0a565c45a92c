package service

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestOverridesEnd: what analysts set until a time is taken back within a minute of it,
// though no feed brings anything, and published.
func TestOverridesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.expiring = []time.Time{time.Now().Add(90 * time.Second), time.Now().Add(2 * hour)}
		w.run(w.service(), time.Minute)
		before := len(w.published)
		w.run(w.service(), 3*time.Minute)
		if len(w.expiring) != 1 || len(w.published) != before+1+1 { // one for the start
			t.Errorf("left %v, published at %v", w.expiring, w.published)
		}
		if w.logged("the feeds decide again", "overrides=1") != 1 {
			t.Errorf("log %s", w.log.String())
		}
	})
}
