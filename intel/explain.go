package intel

import (
	"context"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Explanation is what one feed knows of a value and what it is worth.
type Explanation struct {
	library.Known
	On         schema.Observable `json:"on"`
	Outcome    string            `json:"outcome"` // counts, demoted, noted or ignored
	Why        string            `json:"why"`
	Confidence uint8             `json:"confidence_now"` // after decay
}

// Counts reports whether it would be a match that counts.
func (e *Explanation) Counts() bool { return e.Outcome == match.Counts.String() }

// Explain lists everything the library knows of an observable, with the judgment of
// the match stage on it for an alert as given. A socket is asked for with its
// address, as match does.
func Explain(ctx context.Context, l *library.Library, d match.Decay, s match.Subject, o schema.Observable) ([]Explanation, error) {
	known, err := l.Check(ctx, o)
	if err != nil {
		return nil, err
	}
	out, err := explain(d, s, o, known), error(nil)
	if addr, ok := addressOf(o); ok {
		if known, err = l.Check(ctx, addr); err != nil {
			return nil, err
		}
		out = append(out, explain(d, s, addr, known)...)
	}
	return out, nil
}

func explain(d match.Decay, s match.Subject, o schema.Observable, known []library.Known) []Explanation {
	var found []schema.Indicator
	var out []Explanation
	for i := range known {
		k := &known[i]
		switch {
		case k.Refusal != nil:
			out = append(out, Explanation{Known: *k, On: o, Outcome: match.Ignored.String(), Why: "refused: " + k.Refusal.Reason})
		case k.Aside != "":
			out = append(out, Explanation{Known: *k, On: o, Outcome: match.Ignored.String(), Why: k.Aside})
		default:
			found = append(found, k.Indicator)
		}
	}
	for _, r := range match.Judge(d, s, o, found, nil) {
		e := Explanation{On: o, Outcome: r.Outcome.String(), Why: r.Why(), Confidence: r.Confidence}
		for i := range known {
			k := &known[i]
			if k.Refusal == nil && k.Aside == "" && same(&k.Indicator, r.Indicator) {
				e.Known = *k
				break
			}
		}
		out = append(out, e)
	}
	return out
}

// same reports two indicators of one identity; what one feed says of a value for
// several tenants is told apart by them.
func same(a, b *schema.Indicator) bool {
	return a.Type == b.Type && a.Value == b.Value && a.Feed == b.Feed && a.ID == b.ID && a.Tenant == b.Tenant
}
