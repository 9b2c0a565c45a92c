package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	Lost  bool            `json:"lost,omitzero"`   // what is stored cannot be built upon

	Broken  []string `json:"broken,omitempty"` // see Stored
	Waiting string   `json:"waiting,omitzero"` // likewise
}

// remember reads what the last pull left. What cannot be read is as good as nothing:
// the feed is pulled whole.
func remember(text []byte) (m memory) {
	if len(text) > 0 && json.Unmarshal(text, &m) != nil {
		return memory{}
	}
	return m
}

// Remembered gives of what a pull has left (library.Status.Fetch) what people want to
// know: files that cannot be used, and for what a feed of files waits that never had any.
func Remembered(state []byte) (broken []string, waiting string) {
	m := remember(state)
	return m.Broken, m.Waiting
}

// after gives what a pull leaves.
func (m memory) after(r *fetch.Result, now time.Time) ([]byte, error) {
	m.Lost, m.Waiting = false, r.Waiting
	if !r.NotModified {
		m.Broken = BrokenTexts(r.Broken)
	}
	if len(r.State) > 0 {
		m.Fetch = r.State
	}
	if r.Full {
		m.Full, m.Owes = schema.FromTime(now), len(r.Skipped)+len(r.Broken) > 0 // parts that are missing leave what they said before: see meant
	} else if !r.NotModified && (r.Whole || len(r.Gone) > 0) {
		m.Owes = true
	}
	return json.Marshal(m)
}

// maxBroken bounds the files that are named as broken.
const maxBroken = 20

// BrokenTexts names broken files with their reasons, in order: the first of them.
func BrokenTexts(broken map[string]error) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		if len(list) == maxBroken {
			return append(list, fmt.Sprintf("and %d more", len(broken)-maxBroken))
		}
		list = append(list, cut(broken[name].Error()))
	}
	return list
}

// plan is how a feed is pulled: from which state, and what the facts will mean.
type plan struct {
	state []byte
	mode  fact.Mode
	leave map[string]error // files that are not read, and why: they are broken
}

// plan decides by what is known before the pull. A feed of files or of one URL says
// all it has to say in each pull. Others say what has changed; where that can leave
// what the feed no longer says (Owes), they are pulled whole from time to time, and
// as usual where that has just failed. One that is damaged is always pulled whole, and
// one of which somebody asks for all there is.
func (s *Service) plan(f *fact.Feed, m memory, known, whole bool) plan {
	if f.Transport == fact.TransportFile || f.Transport == fact.TransportHTTP {
		return plan{state: m.Fetch, mode: fact.Replace}
	}
	if m.Lost || whole {
		return plan{mode: fact.Replace}
	}
	now := s.ports.Now()
	if known && m.Owes && now.Sub(m.Full.Time()) >= s.cfg.WholeEvery {
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.entry(f.Name); e.whole.IsZero() || now.Sub(e.whole) >= s.cfg.WholeEvery {
			e.whole = now
			return plan{mode: fact.Replace}
		}
	}
	return plan{state: m.Fetch, mode: fact.Update}
}

// meant gives what the facts of a pull mean. A whole pull with parts that could not
// be had is taken as an update, so that what they said before stays.
func meant(r *fetch.Result) fact.Mode {
	if r.Mode == fact.Replace || r.Full && len(r.Skipped)+len(r.Broken) == 0 {
		return fact.Replace
	}
	return fact.Update
}

// again gives the plan for a pull whose facts turned out to mean something else, or of
// which some were those of a broken file, of which half may have been taken.
func (p plan) again(r *fetch.Result, m memory, f *fact.Feed) plan {
	mode := meant(r)
	if mode == fact.Replace && f.Transport != fact.TransportFile && f.Transport != fact.TransportHTTP {
		return plan{mode: mode}
	}
	return plan{state: m.Fetch, mode: mode, leave: r.Broken}
}

// left reports that all that is broken was not read.
func (p plan) left(r *fetch.Result) bool {
	for name := range r.Broken {
		if p.leave[name] == nil {
			return false
		}
	}
	return true
}
