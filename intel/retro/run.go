package retro

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// run is the work on one part of the changes.
type run struct {
	*Finder
	progress *Progress
	changed  map[identity]bool            // bad ones that are new or different
	removed  map[identity]*revocation     // bad ones that are no more; nil: not asked for yet
	wants    map[group]map[string][]int32 // hours by value
	told     map[xxh3.Uint128]bool        // matches of this part: the store does not have them at once
	made     schema.Millis
	found    []schema.Indicator
	rulings  []match.Ruling
	worths   []worth
}

// group is what may be asked for together.
type group struct {
	field   Field
	tenant  string // empty: all tenants
	matched bool
}

func (g group) compare(o group) int {
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(g.field, o.field), compareText(g.tenant, o.tenant), flag(g.matched)-flag(o.matched))
}

type valueHours struct {
	value string
	hours []int32
}

func compareText(a, b string) int { return strings.Compare(a, b) }

func (r *run) want(i *schema.Indicator, matched bool, hours []int32) {
	if r.wants == nil {
		r.wants = map[group]map[string][]int32{}
	}
	for _, a := range asks(nil, i) {
		g := group{a.field, i.Tenant, matched}
		if r.wants[g] == nil {
			r.wants[g] = map[string][]int32{}
		}
		have := r.wants[g][a.value]
		if len(have) > 0 {
			hours = append(slices.Clone(have), hours...)
			slices.Sort(hours)
			hours = slices.Compact(hours)
		}
		r.wants[g][a.value] = hours
	}
}

// ask asks the store group by group.
func (r *run) ask(ctx context.Context) error {
	groups := make([]group, 0, len(r.wants))
	for g := range r.wants {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, group.compare)
	for _, g := range groups {
		tenants := []string{g.tenant}
		if g.tenant == "" {
			tenants = slices.Clone(r.tenants())
			slices.Sort(tenants)
		}
		if len(tenants) == 0 {
			continue
		}
		var values []valueHours
		for v, hours := range r.wants[g] {
			values = append(values, valueHours{v, hours})
		}
		for _, b := range batches(values, perQuery(g.field)) {
			for _, s := range spans(b) {
				q := Query{Tenants: tenants, Field: g.field, Values: s.values, From: schema.Millis(s.from) * schema.Hour,
					To: schema.Millis(s.to) * schema.Hour, Limit: r.cfg.Rows, Matched: g.matched}
				if err := r.query(ctx, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// span is a run of hours with the values to ask for in it.
type span struct {
	from, to int32 // to: exclusive
	values   []string
}

// maxSpans bounds the queries that one batch of values may become: spans that lie
// closest to each other are asked as one.
const maxSpans = 8

// spans gives the runs of contiguous hours of a batch, joined to at most maxSpans.
func spans(batch []valueHours) []span {
	set := map[int32]bool{}
	for _, v := range batch {
		for _, h := range v.hours {
			set[h] = true
		}
	}
	var list []span
	for _, h := range sorted(set) {
		if n := len(list); n > 0 && list[n-1].to == h {
			list[n-1].to++
		} else {
			list = append(list, span{from: h, to: h + 1})
		}
	}
	if len(list) > maxSpans {
		gaps := make([]int32, 0, len(list)-1)
		for i := range list[1:] {
			gaps = append(gaps, list[i+1].from-list[i].to)
		}
		slices.SortFunc(gaps, func(a, b int32) int { return cmp.Compare(b, a) })
		keep, equal := gaps[maxSpans-2], 0 // gaps above it part spans, and of those equal to it some
		for _, g := range gaps[:maxSpans-1] {
			if g == keep {
				equal++
			}
		}
		joined := list[:1]
		for _, s := range list[1:] {
			last := &joined[len(joined)-1]
			gap := s.from - last.to
			if gap == keep && equal > 0 {
				equal--
				gap++
			}
			if gap > keep {
				joined = append(joined, s)
			} else {
				last.to = s.to
			}
		}
		list = joined
	}
	for _, v := range batch {
		for i := range list {
			s := &list[i]
			if k, _ := slices.BinarySearch(v.hours, s.from); k < len(v.hours) && v.hours[k] < s.to {
				s.values = append(s.values, v.value)
			}
		}
	}
	return list
}

// query asks for what happened in a query's hours, in parts where there is more than
// one answer may hold. A value that names more than Most entities is given up: it is
// a mistake or everybody's, and what it found so far says as much. Matches are never
// given up: those that are wrong are to be taken back, however many they are.
func (r *run) query(ctx context.Context, q Query) error {
	r.progress.HoursAsked += int((q.To - q.From) / schema.Hour)
	open := []Query{q}
	got := map[string]int{} // rows by value that was asked alone
	for len(open) > 0 {
		q := open[len(open)-1]
		open = open[:len(open)-1]
		one := ""
		if len(q.Values) == 1 && !q.Matched {
			if one = q.Values[0]; got[one] >= r.cfg.Most {
				continue
			}
		}
		if err := r.pace(ctx); err != nil {
			return err
		}
		rows, err := r.store.Entities(ctx, q)
		if err != nil {
			return fmt.Errorf("asking for entities by %s: %w", q.Field, err)
		}
		r.progress.Queries++
		r.progress.Rows += len(rows)
		if len(rows) >= q.Limit {
			if a, b, ok := halves(q); ok {
				open = append(open, b, a)
				continue
			}
			r.progress.Cut++ // more in one millisecond than an answer holds
		}
		if one != "" {
			if got[one] += len(rows); got[one] >= r.cfg.Most {
				r.progress.Cut++
			}
		}
		if err := r.judge(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

// halves cuts a query in two: by its values, so that the one that is too much stands
// alone; then by tenant; then by time, the newer first.
func halves(q Query) (a, b Query, ok bool) {
	a, b = q, q
	switch {
	case len(q.Values) > 1:
		a.Values, b.Values = q.Values[:len(q.Values)/2], q.Values[len(q.Values)/2:]
	case len(q.Tenants) > 1:
		a.Tenants, b.Tenants = q.Tenants[:len(q.Tenants)/2], q.Tenants[len(q.Tenants)/2:]
	case q.To-q.From > 1:
		a.From = q.From + (q.To-q.From)/2
		b.To = a.From
	default:
		return q, q, false
	}
	return a, b, true
}
