package match

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Bounds of one alert. Where there is more, what matters most is kept, whatever
// order it was found in.
const (
	maxMatches = 256
	maxFound   = 1024 // indicators of one entity that are weighed against each other
	maxTexts   = 1024 // reasons of demotions that a matcher remembers
)

// Matcher is the match stage. One serves one lane; all share a Holder.
type Matcher struct {
	decay  Decay
	holder *Holder
	reader *Reader

	// What is being asked right now: fields, because a closure per question would
	// be an allocation per alert.
	subject Subject
	found   []schema.Indicator // of the entity in hand, those that say something of the alert
	rulings []Ruling
	texts   map[demotion]string
	take    func(*schema.Indicator)
}

// New makes a matcher that asks whatever index the holder has when a batch
// begins.
func New(cfg Config, h *Holder) *Matcher {
	m := &Matcher{decay: cfg.Decay, holder: h, reader: NewReader(), texts: map[demotion]string{}}
	m.take = m.weigh
	return m
}

// Process appends to each alert the matches that Judge makes of the indicators that
// name its entities, in the order of entities, then feed, id, type and value, and
// notes on every alert which content was asked. It changes nothing else.
func (m *Matcher) Process(_ context.Context, b *schema.Batch) error {
	x := m.holder.Load()
	if x == nil || x.Len() == 0 {
		return nil
	}
	for i := range b.Alerts {
		b.Alerts[i].Snapshot = x.ID()
		m.alert(x, &b.Alerts[i])
	}
	return nil
}

func (m *Matcher) alert(x *Index, a *schema.Alert) {
	m.subject = SubjectOf(a, false)
	first, cut := len(a.Matches), false
	m.reader.ahead(x, a.Entities)
	for e := range a.Entities {
		if e > math.MaxUint16 {
			break
		}
		m.found = m.found[:0]
		o, _ := m.reader.FindEntity(x, &a.Entities[e], m.take)
		if len(m.found) == 0 {
			continue
		}
		m.found = keep(m.found, maxFound, byWeight)
		m.rulings = Judge(m.decay, m.subject, o, m.found, m.rulings[:0])
		for k := range m.rulings {
			if r := &m.rulings[k]; r.Outcome != Ignored {
				a.Matches = append(a.Matches, r.match(uint16(e), x.ID(), m.text(r.demotion())))
			}
		}
		if len(a.Matches)-first > 2*maxMatches {
			a.Matches, cut = a.Matches[:first+len(keep(a.Matches[first:], maxMatches, byImportance))], true
		}
	}
	if cut || len(a.Matches)-first > maxMatches {
		kept := keep(a.Matches[first:], maxMatches, byImportance)
		a.Matches = a.Matches[:first+len(kept)]
		slices.SortFunc(kept, byPlace)
	}
	m.subject = Subject{} // its texts are the batch's
}

// weigh keeps one indicator for the judge, unless it says nothing whatever the
// others say.
func (m *Matcher) weigh(i *schema.Indicator) {
	if _, reason := standing(m.decay, m.subject, i, NamesItself); reason != Stands {
		return
	}
	if m.found = append(m.found, *i); len(m.found) >= 2*maxFound {
		m.found = keep(m.found, maxFound, byWeight)
	}
}

// text gives the reason of a demotion; the few that there are, are made once.
func (m *Matcher) text(d demotion) string {
	if d == (demotion{}) {
		return ""
	}
	s, ok := m.texts[d]
	if !ok {
		if len(m.texts) >= maxTexts {
			clear(m.texts)
		}
		s = d.text()
		m.texts[d] = s
	}
	return s
}

// keep gives the first n of a list by an order that knows no ties. Lists that are
// short enough stay as they are.
func keep[T any](list []T, n int, order func(a, b T) int) []T {
	if len(list) <= n {
		return list
	}
	slices.SortFunc(list, order)
	clear(list[n:])
	return list[:n]
}

// byWeight orders what was found by what it may decide: what allows, benign lists,
// then by rank and by how bad it is.
func byWeight(a, b schema.Indicator) int {
	class := func(i *schema.Indicator) int {
		switch {
		case i.Wish == schema.WishAllow:
			return 0
		case i.Listed:
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(class(&a), class(&b)), cmp.Compare(b.Rank, a.Rank), cmp.Compare(badness(b.Verdict), badness(a.Verdict)),
		cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Confidence, a.Confidence), compareIdentity(&a, &b))
}

// byImportance orders matches: what is allowed, because it explains all others; what
// counts, the worst first; what does not.
func byImportance(a, b schema.Match) int {
	class := func(m *schema.Match) int {
		switch {
		case m.Wish == schema.WishAllow:
			return 0
		case m.Counts():
			return 1
		case m.Demoted != "":
			return 2
		}
		return 3
	}
	return cmp.Or(cmp.Compare(class(&a), class(&b)), cmp.Compare(badness(b.Verdict), badness(a.Verdict)), cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Confidence, a.Confidence), byPlace(a, b))
}

// byPlace is the order of matches in an alert.
func byPlace(a, b schema.Match) int {
	return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
}

func badness(v schema.Verdict) int {
	switch v {
	case schema.VerdictMalicious:
		return 2
	case schema.VerdictSuspicious:
		return 1
	}
	return 0
}

var _ stages.Stage = (*Matcher)(nil)
