package retro

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// judge keeps the rows that changed indicators name, and those that have matches which
// may be taken back or put back, asks what is known of their alerts, and puts what match
// says of them onto the log.
func (r *run) judge(ctx context.Context, rows []Row) error {
	x := r.index()
	if x == nil {
		return nil
	}
	// An entity that an alert names with several ports or in several roles is judged as
	// one: an indicator may name it with one of them only.
	type place struct {
		alert schema.AlertID
		on    schema.EntityRef
	}
	named := map[place]bool{}
	for _, row := range rows {
		at := place{row.Alert, row.Entity.Ref()}
		if len(row.Values) > 0 {
			named[at] = true
		}
		r.reader.FindEntity(x, &row.Entity, func(i *schema.Indicator) {
			if r.changed[identityOf(i)] {
				named[at] = true
			}
		})
	}
	byTenant := map[string][]Row{}
	values := map[string]bool{}
	for _, row := range rows {
		if !named[place{row.Alert, row.Entity.Ref()}] {
			continue
		}
		byTenant[row.Tenant] = append(byTenant[row.Tenant], row)
		for _, v := range row.Values {
			values[v] = true
		}
		// What has changed may have been something else before, such as harmless, and
		// have kept others from counting.
		r.reader.FindEntity(x, &row.Entity, func(i *schema.Indicator) {
			if bad(i) {
				values[i.Value] = true
			}
		})
	}
	asked := slices.Sorted(maps.Keys(values))
	for _, t := range slices.Sorted(maps.Keys(byTenant)) {
		if err := r.tell(ctx, x, t, byTenant[t], asked); err != nil {
			return err
		}
	}
	return nil
}

// perAlerts is how many alerts the store is asked for at a time.
const perAlerts = 1000

// tell puts what is to be said of one tenant's rows onto the log. The values are those of
// all indicators that name a row, and of all matches that a row has.
func (r *run) tell(ctx context.Context, x *match.Index, tenant string, rows []Row, values []string) error {
	byAlert := map[schema.AlertID][]Row{}
	for _, row := range rows {
		// The revisions of an alert may name an entity at several times and in
		// several roles: one match is enough. But the mailbox that something was sent
		// to is asked for less than the one that it came from.
		same := func(o Row) bool {
			return o.Entity.Ref() == row.Entity.Ref() && o.Entity.Port == row.Entity.Port && (o.Entity.Role == schema.RoleTarget) == (row.Entity.Role == schema.RoleTarget)
		}
		if !slices.ContainsFunc(byAlert[row.Alert], same) {
			byAlert[row.Alert] = append(byAlert[row.Alert], row)
		}
	}
	ids := make([]schema.AlertID, 0, len(byAlert))
	for id := range byAlert {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, schema.AlertID.Compare)
	for part := range slices.Chunk(ids, perAlerts) {
		known, err := r.alerts(ctx, tenant, part, values)
		if err != nil {
			return err
		}
		var out []schema.RetroMatch
		for i := range known {
			start := len(out)
			if out, err = r.compare(ctx, x, &known[i], byAlert[known[i].ID], out); err != nil {
				return err
			}
			// The store keeps the last of those it cannot tell apart.
			slices.SortStableFunc(out[start:], func(a, b schema.RetroMatch) int { return rank(&a) - rank(&b) })
		}
		if len(out) == 0 {
			continue
		}
		if err := r.emit(ctx, out); err != nil {
			return fmt.Errorf("telling the alerts log: %w", err)
		}
		for i := range out {
			r.progress.add(&out[i])
		}
	}
	return nil
}

func (p *Progress) add(m *schema.RetroMatch) {
	switch m.Kind {
	case schema.RetroWithdrawn:
		p.Withdrawn++
	case schema.RetroReinstated:
		p.Reinstated++
	default:
		p.Found++
		if m.Match.Counts() {
			p.Counting++
		}
	}
}

// alerts asks for alerts with their matches of all the values, some at a time.
func (r *run) alerts(ctx context.Context, tenant string, ids []schema.AlertID, values []string) (known []Alert, err error) {
	at := map[schema.AlertID]int{}
	for _, some := range groups(values, len(values), func(v string) int { return len(v) }) {
		if err := r.pace(ctx); err != nil {
			return nil, err
		}
		list, err := r.store.Alerts(ctx, tenant, ids, some)
		if err != nil {
			return nil, fmt.Errorf("asking for alerts: %w", err)
		}
		r.progress.Queries++
		for i := range list {
			if k, ok := at[list[i].ID]; ok {
				known[k].Matched = append(known[k].Matched, list[i].Matched...)
				continue
			}
			at[list[i].ID] = len(known)
			known = append(known, list[i])
		}
	}
	return known, nil
}

func rank(m *schema.RetroMatch) int {
	if m.Match.Counts() {
		return 1
	}
	return 0
}

// maxTold bounds what a part remembers of its own matches. Past it some may be told
// twice, which adds nothing to what they say.
const maxTold = 1 << 20

// first reports something that this part has not told yet: an entity may be in the
// answers to several questions.
func (r *run) first(t *schema.RetroMatch) bool {
	m := &t.Match
	b := append(t.Alert[:], byte(t.On.Type), byte(m.Type), byte(t.Kind)<<1)
	if m.Counts() { // an address may count where a list speaks of it with its port
		b[len(b)-1] |= 1
	}
	for _, s := range [...]string{t.On.Key, m.Feed, m.Indicator, m.Value} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	h := xxh3.Hash128(b)
	if r.told[h] {
		return false
	}
	if len(r.told) >= maxTold {
		clear(r.told)
	}
	r.told[h] = true
	return true
}
