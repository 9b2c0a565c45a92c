package schema

import (
	"cmp"
	"slices"
)

// MergeRevisions gives the alert that its revisions make together: the newest
// revision (RevisionOf, then Content), with what only older ones say, and the
// entities, techniques and matches of all, of each at most MaxElements: what the newest
// say is kept. The order of the argument does not matter. Every element must have
// the same ID; the slice is sorted in place, must not be empty, and may share memory with the
// result.
func MergeRevisions(revs []Alert) Alert {
	slices.SortFunc(revs, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(b.RevisionOf(), a.RevisionOf()), cmp.Compare(b.Content, a.Content))
	})
	m := revs[0]
	if len(revs) == 1 {
		return m
	}
	m.Entities, m.Techniques, m.Matches = slices.Clone(m.Entities), slices.Clone(m.Techniques), slices.Clone(m.Matches)
	entities, techniques, matches := map[EntityRef]int{}, map[Technique]bool{}, map[matchKey]bool{}
	for i, e := range m.Entities {
		if _, ok := entities[e.Ref()]; !ok {
			entities[e.Ref()] = i
		}
	}
	for _, t := range m.Techniques {
		techniques[t] = true
	}
	for i := range m.Matches {
		matches[keyOf(&m.Matches[i])] = true
	}
	for _, r := range revs[1:] {
		at := make([]int, len(r.Entities)) // index of each entity of r in m; -1: there is no room for it
		for i, e := range r.Entities {
			j, ok := entities[e.Ref()]
			switch {
			case ok:
				if m.Entities[j].Port == 0 {
					m.Entities[j].Port = e.Port
				}
			case len(m.Entities) >= MaxElements:
				j = -1
			default:
				j = len(m.Entities)
				m.Entities, entities[e.Ref()] = append(m.Entities, e), j
			}
			at[i] = j
		}
		for _, t := range r.Techniques {
			if !techniques[t] && len(m.Techniques) < MaxElements {
				m.Techniques, techniques[t] = append(m.Techniques, t), true
			}
		}
		for _, x := range r.Matches {
			if int(x.Entity) >= len(at) || at[x.Entity] < 0 || len(m.Matches) >= MaxElements {
				continue
			}
			x.Entity = uint16(at[x.Entity])
			if k := keyOf(&x); !matches[k] {
				m.Matches, matches[k] = append(m.Matches, x), true
			}
		}
		m.fillFrom(&r)
		m.Created = min(m.Created, r.Created)
		if r.Start != 0 && (m.Start == 0 || r.Start < m.Start) {
			m.Start = r.Start
		}
		m.End = max(m.End, r.End)
	}
	return m
}

// matchKey is what tells the matches of an alert apart.
type matchKey struct {
	entity                 uint16
	typ                    ObservableType
	value, indicator, feed string
}

func keyOf(m *Match) matchKey {
	return matchKey{m.Entity, m.Type, m.Value, m.Indicator, m.Feed}
}

// fillFrom takes what m does not say from an older revision. Some vendors tell an
// alert in parts.
func (m *Alert) fillFrom(r *Alert) {
	for _, x := range [...]struct{ to, from *string }{
		{&m.Title, &r.Title}, {&m.Desc, &r.Desc}, {&m.RuleUID, &r.RuleUID}, {&m.Rule, &r.Rule}, {&m.Type, &r.Type},
	} {
		if *x.to == "" {
			*x.to = *x.from
		}
	}
	if m.Severity == SeverityUnknown {
		m.Severity = r.Severity
	}
	if m.Confidence == 0 {
		m.Confidence = r.Confidence
	}
	if m.Status == AlertStatusUnknown {
		m.Status = r.Status
	}
	if m.Verdict == VerdictUnknown {
		m.Verdict = r.Verdict
	}
}
