package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// ends is one look at the ends of the inputs.
type ends struct {
	at     time.Time // before the look: what is newer than this it cannot tell
	lso    map[tp]int64
	lsoAge time.Duration
}

// of gives the last stable offset of a partition. A nil ends knows none.
func (e *ends) of(p tp) (int64, bool) {
	if e == nil {
		return 0, false
	}
	end, ok := e.lso[p]
	return end, ok
}

// probe looks at the ends of the inputs now and then. Lag is reported from it, and
// a lane is called idle only when its position has reached the end seen: a slow
// fetch must not pass for a silent source.
func (s *session) probe() {
	defer s.wg.Done()
	type held struct {
		lso   int64
		since time.Time
	}
	behind := make(map[tp]held) // partitions whose stable end is before their end
	tick := time.NewTicker(max(s.r.set.IdleEvery, 50*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		stable, err := s.r.adm.ListCommittedOffsets(s.ctx, s.r.hop.Inputs...)
		if err != nil {
			continue // told by the client's own log; the last look stays
		}
		high, err := s.r.adm.ListEndOffsets(s.ctx, s.r.hop.Inputs...)
		if err != nil {
			continue
		}
		e := &ends{at: now, lso: make(map[tp]int64)}
		stable.Each(func(o kadm.ListedOffset) {
			p := tp{o.Topic, o.Partition}
			if o.Err != nil {
				return
			}
			e.lso[p] = o.Offset
			if h, ok := high.Lookup(o.Topic, o.Partition); !ok || h.Err != nil || h.Offset <= o.Offset {
				delete(behind, p)
			} else if behind[p].since.IsZero() || behind[p].lso != o.Offset {
				behind[p] = held{o.Offset, now}
			}
			if b, ok := behind[p]; ok {
				e.lsoAge = max(e.lsoAge, now.Sub(b.since))
			}
		})
		s.ends.Store(e)
	}
}

// caughtUp reports whether the lane had read all there was after the last record
// came in.
func (s *session) caughtUp(ln *lane) bool {
	e := s.ends.Load()
	end, ok := e.of(ln.at)
	return ok && e.at.After(ln.lastData) && ln.next >= end
}
