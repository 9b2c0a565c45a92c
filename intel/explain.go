package intel

import (
	"context"
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
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
	Confidence uint8             `json:"confidence_now"`     // after decay
	Severity   schema.Severity   `json:"raises_to,omitzero"` // severity that a match raises an alert to that has none; unknown: none
}

// Counts reports whether it would be a match that counts.
func (e *Explanation) Counts() bool { return e.Outcome == match.Counts.String() }

// Explain lists everything the library knows of an observable, with the judgment of
// the match stage on it for an alert as given. A socket is asked for with its
// address, as match does; what is the same for both is told once. A *library.Partial
// names feeds that could not be asked: the others' word is told, and what it is worth
// without them.
func Explain(ctx context.Context, l *library.Library, d match.Decay, s match.Subject, o schema.Observable) ([]Explanation, error) {
	var lacks library.Partial
	known, err := l.Check(ctx, o)
	if err := lacks.Add(err); err != nil {
		return nil, err
	}
	out := explain(d, s, o, known)
	if addr, ok := addressOf(o); ok {
		known, err := l.Check(ctx, addr)
		if err := lacks.Add(err); err != nil {
			return nil, err
		}
		for _, e := range explain(d, s, addr, known) {
			if !slices.ContainsFunc(out, e.repeats) {
				out = append(out, e)
			}
		}
	}
	return out, lacks.Err()
}

// repeats reports the same about the same indicator, by another name of the value.
func (e *Explanation) repeats(o Explanation) bool {
	return e.Refusal == nil && o.Refusal == nil && same(&e.Indicator, &o.Indicator) && e.Outcome == o.Outcome
}

// ExplainRefused lists the feeds whose last pull had this very text, in whatever case,
// and did not take it: for what is no observable and cannot be asked for. A
// *library.Partial is as of Explain.
func ExplainRefused(ctx context.Context, l *library.Library, text string) ([]Explanation, error) {
	feeds, err := l.Feeds()
	if err != nil {
		return nil, err
	}
	var out []Explanation
	var lacks library.Partial
	for _, f := range feeds {
		told := 0
		err := l.Refusals(f.Feed, func(r fact.Refusal) error {
			if told < maxRefusals && strings.EqualFold(r.Value, text) {
				told++
				out = append(out, Explanation{Known: library.Known{Indicator: schema.Indicator{Feed: f.Feed, Value: r.Value}, Refusal: &r, Last: f.LastGood},
					On: schema.Observable{Value: text}, Outcome: match.Ignored.String(), Why: refused(&r)})
			}
			return ctx.Err()
		})
		if err := lacks.Add(err); err != nil {
			return nil, err
		}
	}
	return out, lacks.Err()
}

// maxRefusals bounds what is told of one feed.
const maxRefusals = 10

// refused tells people why a text was not taken.
func refused(r *fact.Refusal) string { return "refused: " + r.Reason }

func explain(d match.Decay, s match.Subject, o schema.Observable, known []library.Known) []Explanation {
	var found []schema.Indicator
	var out []Explanation
	for i := range known {
		k := &known[i]
		switch {
		case k.Refusal != nil:
			out = append(out, Explanation{Known: *k, On: o, Outcome: match.Ignored.String(), Why: refused(k.Refusal)})
		case k.Aside != "":
			out = append(out, Explanation{Known: *k, On: o, Outcome: match.Ignored.String(), Why: k.Aside})
		default:
			found = append(found, k.Indicator)
		}
	}
	for _, r := range match.Judge(d, s, o, found, nil) {
		e := Explanation{On: o, Outcome: r.Outcome.String(), Why: r.Why(), Confidence: r.Confidence, Severity: r.Severity}
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
