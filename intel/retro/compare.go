package retro

import (
	"context"
	"fmt"
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// worth is what an indicator is worth to an alert's entity now, in all roles and with
// all ports that the alert names it in: as matches are told apart in the store.
type worth struct {
	feed, indicator, value string
	counts                 bool
	match                  schema.Match // if it counts
	why, by                string       // it does not; empty: the index says nothing of it
}

// compare appends what is to be said of an alert's rows: matches that it lacks, matches
// that counted and do not any more, and matches that were taken back and count again.
func (r *run) compare(ctx context.Context, x *match.Index, a *Alert, rows []Row, out []schema.RetroMatch) (_ []schema.RetroMatch, err error) {
	var order []schema.EntityRef
	byEntity := map[schema.EntityRef][]Row{}
	for _, row := range rows {
		on := row.Entity.Ref()
		if byEntity[on] == nil {
			order = append(order, on)
		}
		byEntity[on] = append(byEntity[on], row)
	}
	for _, on := range order {
		r.worths = r.worths[:0]
		for _, row := range byEntity[on] {
			out = r.match(x, a, row, out)
		}
		if out, err = r.reconsider(ctx, x, a, byEntity[on], out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *run) subject(a *Alert, row Row) match.Subject {
	return match.Subject{Tenant: row.Tenant, Created: row.Time, Severity: a.Severity, Blocked: a.Blocked, Retro: true}
}

func (r *run) say(a *Alert, row Row, kind schema.RetroKind, m schema.Match, out []schema.RetroMatch) []schema.RetroMatch {
	t := schema.RetroMatch{Tenant: row.Tenant, Alert: a.ID, Source: row.Source, Created: row.Time, Incident: a.Incident,
		On: row.Entity.Ref(), Match: m, Made: r.made, Kind: kind}
	if !r.first(&t) {
		return out
	}
	return append(out, t)
}

// match appends the matches of one row that changed indicators make and that the alert
// does not have, and notes what all of the row are worth.
func (r *run) match(x *match.Index, a *Alert, row Row, out []schema.RetroMatch) []schema.RetroMatch {
	r.found = r.found[:0]
	o, ok := r.reader.FindEntity(x, &row.Entity, func(i *schema.Indicator) { r.found = append(r.found, *i) })
	if !ok {
		return out
	}
	r.rulings = match.Judge(r.decay, r.subject(a, row), o, r.found, r.rulings[:0])
	for k := range r.rulings {
		ruling := &r.rulings[k]
		r.note(ruling, x.ID())
		if ruling.Outcome == match.Ignored || !r.changed[identityOf(ruling.Indicator)] {
			continue
		}
		m := ruling.Match(0, x.ID())
		has := func(h Matched) bool { return h.On == row.Entity.Ref() && h.identity() == identityOf(ruling.Indicator) }
		if !slices.ContainsFunc(a.Matched, has) {
			out = r.say(a, row, schema.RetroFound, m, out)
		}
	}
	return out
}

func (h *Matched) identity() identity {
	return identity{h.Match.Type, h.Match.Value, h.Match.Feed, h.Match.Indicator}
}

// note keeps the best that is said of an indicator.
func (r *run) note(ruling *match.Ruling, snapshot uint64) {
	i := ruling.Indicator
	w := r.worth(i.Feed, i.ID, i.Value)
	if w == nil {
		r.worths = append(r.worths, worth{feed: i.Feed, indicator: i.ID, value: i.Value})
		w = &r.worths[len(r.worths)-1]
	}
	switch {
	case w.counts:
	case ruling.Outcome == match.Counts:
		w.counts, w.match = true, ruling.Match(0, snapshot)
	case w.why == "":
		w.why, w.by = against(ruling)
	}
}

func (r *run) worth(feed, indicator, value string) *worth {
	for k := range r.worths {
		if w := &r.worths[k]; w.indicator == indicator && w.feed == feed && w.value == value {
			return w
		}
	}
	return nil
}

// against tells why an indicator does not count that somebody says something of, and
// who. It is empty where it has ended or faded, or is about others: what it said at the
// time stands.
func against(ruling *match.Ruling) (why, by string) {
	switch ruling.Reason {
	case match.OtherTenant, match.ExactOther, match.NotYet, match.Ended, match.Decayed, match.Stands:
		return "", ""
	}
	if ruling.Outcome == match.Demoted {
		return ruling.Why(), ruling.By.Feed
	}
	return "feed " + ruling.Indicator.Feed + ": " + ruling.Why(), ruling.Indicator.Feed
}

// reconsider appends which matches of one entity are not what they were. A match that
// counted and that somebody speaks against now is taken back, also where its feed has
// dropped the indicator since. One that was taken back is put back when its indicator
// counts again, and so is any whose own indicator was changed so that it does; one that
// was demoted when the alert came stays so if just what demoted it is gone.
func (r *run) reconsider(ctx context.Context, x *match.Index, a *Alert, rows []Row, out []schema.RetroMatch) ([]schema.RetroMatch, error) {
	for k := range a.Matched {
		h := &a.Matched[k]
		if h.On != rows[0].Entity.Ref() {
			continue
		}
		w := r.worth(h.Match.Feed, h.Match.Indicator, h.Match.Value)
		if w == nil {
			w = &worth{}
		}
		switch counted := h.Match.Counts(); {
		case w.counts && !counted && (h.Withdrawn || r.changed[h.identity()]):
			m := w.match
			m.Retro = h.Match.Retro
			out = r.say(a, rows[0], schema.RetroReinstated, m, out)
		case w.counts || !counted:
		default:
			why, by := w.why, w.by
			if why == "" {
				why, by = r.without(x, a, rows, h)
			}
			if why == "" {
				var err error
				if why, by, err = r.takenBack(ctx, h.identity()); err != nil {
					return nil, err
				}
			}
			if why == "" {
				continue
			}
			m := h.Match
			m.Entity, m.Demoted, m.Snapshot = 0, why, x.ID()
			n := len(out)
			if out = r.say(a, rows[0], schema.RetroWithdrawn, m, out); len(out) > n {
				out[n].By = by
			}
		}
	}
	return out, nil
}

// without tells who speaks against a match whose indicator the index does not have as it
// was at the time, and why; empty: nobody. Only an analyst outranks what it may have been.
func (r *run) without(x *match.Index, a *Alert, rows []Row, h *Matched) (why, by string) {
	was := schema.Indicator{ID: h.Match.Indicator, Feed: h.Match.Feed, Type: h.Match.Type, Value: h.Match.Value, Verdict: h.Match.Verdict,
		Wish: h.Match.Wish, Confidence: 100, Rank: match.RankAnalyst - 1}
	for _, row := range rows {
		r.found = r.found[:0]
		o, ok := r.reader.FindEntity(x, &row.Entity, func(i *schema.Indicator) {
			if identityOf(i) != h.identity() {
				r.found = append(r.found, *i)
			}
		})
		if !ok {
			continue
		}
		r.found = append(r.found, was)
		r.rulings = match.Judge(r.decay, r.subject(a, row), o, r.found, r.rulings[:0])
		for k := range r.rulings {
			ruling := &r.rulings[k]
			if identityOf(ruling.Indicator) != h.identity() {
				continue
			}
			if ruling.Outcome == match.Counts {
				return "", ""
			}
			why, by = against(ruling)
		}
	}
	return why, by
}

// revocation is what Revoked said.
type revocation struct{ why, by string }

// takenBack tells why an indicator of which a change says that it is no more was taken
// back, and by whom.
func (r *run) takenBack(ctx context.Context, i identity) (why, by string, err error) {
	v, ok := r.removed[i]
	if !ok || r.revoked == nil {
		return "", "", nil
	}
	if v == nil {
		v = &revocation{}
		if v.why, v.by, err = r.revoked(ctx, i.typ, i.value, i.feed, i.id); err != nil {
			return "", "", fmt.Errorf("asking why an indicator is no more: %w", err)
		}
		r.removed[i] = v
	}
	return v.why, v.by, nil
}
