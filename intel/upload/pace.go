package upload

import (
	"sync"
	"time"
)

// Limits of the contract.
const (
	maxObjects  = 100 // a request
	perMinute   = 100 // requests of a client
	paceSeconds = 60
)

// pace is the limit on a client's requests: of any minute it takes perMinute. It
// remembers when each of the last ones came.
type pace struct {
	mu   sync.Mutex
	at   [perMinute]time.Time
	next int
}

// take reports 0 where a request may be handled now, and otherwise in how many
// seconds the next one may.
func (p *pace) take(now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if oldest := p.at[p.next]; !oldest.IsZero() {
		if wait := oldest.Add(paceSeconds * time.Second).Sub(now); wait > 0 {
			return min(int((wait+time.Second-1)/time.Second), paceSeconds)
		}
	}
	p.at[p.next] = now
	p.next = (p.next + 1) % perMinute
	return 0
}
