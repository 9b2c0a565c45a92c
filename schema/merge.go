package schema

import "slices"

// MergeRevisions gives the alert that its revisions make together: the newest
// revision (RevisionOf, then Content), with what only older ones say, and the
// entities, techniques and matches of all. The order of the argument does not matter. Every element must have
// the same ID; the slice is sorted in place and must not be empty.
func MergeRevisions(revs []Alert) Alert {
	slices.SortFunc(revs, func(a, b Alert) int {
		if x, y := a.RevisionOf(), b.RevisionOf(); x != y {
			if x > y {
				return -1
			}
			return 1
		}
		if a.Content > b.Content {
			return -1
		}
		return 1
	})
	m := revs[0]
	m.Entities = slices.Clone(m.Entities)
	m.Techniques = slices.Clone(m.Techniques)
	m.Matches = slices.Clone(m.Matches)
	for _, r := range revs[1:] {
		at := make([]uint16, len(r.Entities)) // index of each entity of r in m
		for i, e := range r.Entities {
			j := slices.IndexFunc(m.Entities, func(x Entity) bool { return x.Ref() == e.Ref() })
			if j < 0 {
				j = len(m.Entities)
				m.Entities = append(m.Entities, e)
			} else if m.Entities[j].Port == 0 {
				m.Entities[j].Port = e.Port
			}
			at[i] = uint16(j)
		}
		for _, t := range r.Techniques {
			if !slices.Contains(m.Techniques, t) {
				m.Techniques = append(m.Techniques, t)
			}
		}
		for _, x := range r.Matches {
			if int(x.Entity) >= len(at) {
				continue
			}
			x.Entity = at[x.Entity]
			same := func(y Match) bool {
				return y.Entity == x.Entity && y.Indicator == x.Indicator && y.Feed == x.Feed && y.Type == x.Type && y.Value == x.Value
			}
			if !slices.ContainsFunc(m.Matches, same) {
				m.Matches = append(m.Matches, x)
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
