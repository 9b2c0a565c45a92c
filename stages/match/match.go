package match

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// maxMatches bounds what one alert can carry.
const maxMatches = 256

// Matcher is the match stage. One serves one lane; all share a Holder.
type Matcher struct {
	holder *Holder
	reader *Reader

	// What is being asked right now: fields, because a closure per question would
	// be an allocation per alert.
	index  *Index
	alert  *schema.Alert
	entity uint16
	found  func(*schema.Indicator)
}

// New makes a matcher that asks whatever index the holder has when a batch
// begins.
func New(h *Holder) *Matcher {
	m := &Matcher{holder: h, reader: NewReader()}
	m.found = m.take
	return m
}

// Process appends to each alert the indicators that name its entities, in the
// order of entities, then feed, id, type and value. It changes nothing else.
func (m *Matcher) Process(_ context.Context, b *schema.Batch) error {
	m.index = m.holder.Load()
	if m.index == nil || m.index.Len() == 0 {
		return nil
	}
	for i := range b.Alerts {
		m.alert = &b.Alerts[i]
		for e := range m.alert.Entities {
			o, ok := m.alert.Entities[e].Observable()
			if !ok || e > math.MaxUint16 {
				continue
			}
			first := len(m.alert.Matches)
			m.entity = uint16(e)
			m.reader.Find(m.index, o, m.found)
			if found := m.alert.Matches[first:]; len(found) > 1 {
				slices.SortFunc(found, func(p, q schema.Match) int {
					return cmp.Or(strings.Compare(p.Feed, q.Feed), strings.Compare(p.Indicator, q.Indicator), cmp.Compare(p.Type, q.Type), strings.Compare(p.Value, q.Value))
				})
			}
		}
	}
	m.index, m.alert = nil, nil
	return nil
}

// take notes one indicator on the alert in hand, unless it has ended.
func (m *Matcher) take(i *schema.Indicator) {
	a := m.alert
	if i.ValidUntil != 0 && a.Created > i.ValidUntil || len(a.Matches) >= maxMatches {
		return
	}
	a.Matches = append(a.Matches, schema.Match{Entity: m.entity, Type: i.Type, Value: i.Value, Indicator: i.ID, Feed: i.Feed,
		Verdict: i.Verdict, Severity: i.Severity, Confidence: i.Confidence, TLP: i.TLP, Snapshot: m.index.ID()})
}

var _ stages.Stage = (*Matcher)(nil)
