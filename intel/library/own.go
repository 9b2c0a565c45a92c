package library

import (
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Who decides a field. From the strongest:
//
//  1. an analyst's override, whenever the indicator is read (override.go);
//  2. ingestion rules, in their order, the later one over the earlier;
//  3. the feed, as it said it in the version that counts;
//  4. the feed's configuration: verdict, severity, wish and rank where the feed
//     gives none, labels and tenant always, valid_for where it gives no end.
//
// So the end of an indicator (ValidUntil) is the override's if one sets it, else what
// the last rule with valid_for or extend made of it, else the feed's, else the time
// the feed said it last plus valid_for. Sightings decide Fresh only, and only forward;
// where Fresh is zero, presence in the feed is the assertion and nothing decays.

// deriver makes of facts what counts.
type deriver struct {
	feed  *fact.Feed
	rules []rule
	grace schema.Millis
	now   schema.Millis
	graph *graph
	seen  map[digest]schema.Millis // last sightings, by id or place
	over  *overlay
}

func placeDigest(t schema.ObservableType, value string) digest {
	return digestOf(string(appendPlace(make([]byte, 0, 64), t, value)))
}

// derive gives the indicator that a fact makes, and why it does not count. The
// fact's slices are not changed.
func (d *deriver) derive(f *stored) (i schema.Indicator, a aside, why string) {
	i = f.Indicator
	i.Feed = d.feed.Name
	i.Rank = min(i.Rank, match.RankAnalyst-1)
	if d.feed.Tenant != "" {
		i.Tenant = d.feed.Tenant
	}
	if i.Verdict == schema.VerdictUnknown {
		i.Verdict = d.feed.Verdict
	}
	if i.Severity == schema.SeverityUnknown {
		i.Severity = d.feed.Severity
	}
	if i.Wish == schema.WishNone {
		i.Wish = d.feed.Wish
	}
	if i.Rank == 0 {
		i.Rank = min(d.feed.Rank, match.RankAnalyst-1)
	}
	i.Labels = addLabels(i.Labels, d.feed.Labels)
	if i.ValidUntil == 0 && d.feed.ValidFor > 0 {
		i.ValidUntil = endAfter(f.said(), d.feed.ValidFor)
	}
	if len(d.seen) > 0 && i.Fresh != 0 {
		i.Fresh = max(i.Fresh, d.seen[digestOf(i.ID)], d.seen[placeDigest(i.Type, i.Value)])
	}
	i.Threats = d.graph.threats(i.ID, i.Threats)
	if f.End != stands {
		return i, ended, ""
	}
	if i.Type == schema.ObservableUnknown {
		return i, refused, "has no value"
	}
	if !d.feed.Takes(i.Type) {
		return i, skipped, "the feed's types leave out " + i.Type.String()
	}
	for n := range d.rules {
		r := &d.rules[n]
		if !r.admits(&i) {
			continue
		}
		if r.Skip {
			return i, skipped, "rule " + r.Name
		}
		r.edit(&i, f.said())
	}
	if why := standing(&i); why != "" {
		return i, refused, why
	}
	if i.ValidUntil != 0 && i.ValidUntil+d.grace <= d.now {
		return i, expired, "ended " + i.ValidUntil.String()
	}
	return i, counts, ""
}

// said is when the feed said a fact last: its last change as the feed tells it or,
// where it does not, the pull. A change that has not come yet is none.
func (f *stored) said() schema.Millis {
	switch {
	case f.Version > 0:
		return min(f.Version, f.Seen)
	case f.Fresh > 0:
		return min(f.Fresh, f.Seen)
	}
	return f.Seen
}

// standing tells why an indicator must not be in an index; empty if it may.
func standing(i *schema.Indicator) string {
	if err := match.Check(*i); err != nil {
		return err.Error()
	}
	return ""
}

func spanMillis(d time.Duration) schema.Millis { return schema.Millis(d.Milliseconds()) }
