package library

import (
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// doubt is why an indicator does not count; the zero one: it does, or
// is an entry of a benign list and in force as that.
type doubt struct {
	kind string // for counting: as many kinds as there are lists and feeds
	why  string // for people
}

// examiner asks what an indicator is worth to an alert that names its very value, by the
// rules of package match. It is for one goroutine.
type examiner struct {
	index   *match.Index // nil: there is nothing else
	decay   match.Decay
	subject match.Subject
	reader  *match.Reader
	found   []schema.Indicator
	rulings []match.Ruling
}

// about examines one indicator. It need not be in the index, which may be of a moment
// before or after.
func (e *examiner) about(i *schema.Indicator) doubt {
	o := schema.Observable{Type: i.Type, Value: i.Value}
	e.found = append(e.found[:0], *i)
	e.reader.Find(e.index, o, func(f *schema.Indicator) {
		if !sameOne(f, i) {
			e.found = append(e.found, *f)
		}
	})
	e.rulings = match.Judge(e.decay, e.subject, o, e.found, e.rulings[:0])
	n := slices.IndexFunc(e.rulings, func(r match.Ruling) bool { return sameOne(r.Indicator, i) })
	if r := &e.rulings[n]; r.Outcome != match.Counts && !(i.Listed && r.Reason == match.OnList) {
		return doubt{kindOf(r), r.Why()}
	}
	return doubt{}
}

// sameOne reports two readings of one indicator.
func sameOne(a, b *schema.Indicator) bool {
	return a.Type == b.Type && a.Value == b.Value && a.Feed == b.Feed && a.ID == b.ID && a.Tenant == b.Tenant
}

// kindOf is the reason of a ruling without what is only of this indicator.
func kindOf(r *match.Ruling) string {
	switch r.Reason {
	case match.NotYet, match.Ended:
		return "not valid at the time"
	case match.Decayed:
		return "decayed"
	case match.Harmless, match.HarmlessToo, match.HarmlessAlike, match.OutrankedBad, match.Outranks:
		return "says " + r.Indicator.Verdict.String()
	case match.Allows:
		return "allows the value"
	}
	return r.Why() // names a list or a feed, or nothing
}
