package service

import (
	"encoding/json"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/schema"
)

// memory is what a pull leaves for the next one, kept by the library with the facts.
type memory struct {
	Fetch json.RawMessage `json:"fetch,omitempty"` // the fetcher's own
	Full  schema.Millis   `json:"full,omitzero"`   // last pull that began from nothing
	Owes  bool            `json:"owes,omitzero"`   // pulls since then may have left what the feed no longer says
}

// remember reads what the last pull left. What cannot be read is as good as nothing:
// the feed is pulled whole.
func remember(text []byte) (m memory) {
	if len(text) > 0 && json.Unmarshal(text, &m) != nil {
		return memory{}
	}
	return m
}

// after gives what a pull leaves.
func (m memory) after(r *fetch.Result, now time.Time) ([]byte, error) {
	if len(r.State) > 0 {
		m.Fetch = r.State
	}
	if r.Full {
		m.Full, m.Owes = schema.FromTime(now), len(r.Skipped) > 0 // parts that are missing leave what they said before: see meant
	} else if !r.NotModified && (r.Whole || len(r.Gone) > 0) {
		m.Owes = true
	}
	return json.Marshal(m)
}

// plan is how a feed is pulled: from which state, and what the facts will mean.
type plan struct {
	state []byte
	mode  fact.Mode
}

// plan decides by what is known before the pull. A feed of files or of one URL says
// all it has to say in each pull. Others say what has changed; where that can leave
// what the feed no longer says (Owes), they are pulled whole from time to time, and
// as usual where that has just failed.
func (s *Service) plan(f *fact.Feed, m memory, known bool) plan {
	if f.Transport == fact.TransportFile || f.Transport == fact.TransportHTTP {
		return plan{m.Fetch, fact.Replace}
	}
	now := s.ports.Now()
	if known && m.Owes && now.Sub(m.Full.Time()) >= s.cfg.WholeEvery {
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.entry(f.Name); e.whole.IsZero() || now.Sub(e.whole) >= s.cfg.WholeEvery {
			e.whole = now
			return plan{nil, fact.Replace}
		}
	}
	return plan{m.Fetch, fact.Update}
}

// meant gives what the facts of a pull mean. A whole pull with parts that could not
// be had is taken as an update, so that what they said before stays.
func meant(r *fetch.Result) fact.Mode {
	if r.Mode == fact.Replace || r.Full && len(r.Skipped) == 0 {
		return fact.Replace
	}
	return fact.Update
}

// again gives the plan for a pull whose facts turned out to mean something else.
func (p plan) again(mode fact.Mode, m memory, f *fact.Feed) plan {
	if mode == fact.Replace && f.Transport != fact.TransportFile && f.Transport != fact.TransportHTTP {
		return plan{nil, mode}
	}
	return plan{m.Fetch, mode}
}
