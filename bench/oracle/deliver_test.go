package oracle_test

import (
	"cmp"
	"maps"
	"slices"

	"github.com/interdict/interdict/schema"
)

const other = "other"

// endOfTime is a watermark at which everything is closed.
var endOfTime = day0 + 60*schema.Day

// ended reports whether the watermarks of all tenants reach it.
func ended(steps []step) bool {
	open := map[string]bool{}
	for _, s := range steps {
		switch {
		case s.kind == deliver:
			open[s.doc.Tenant] = true
		case s.kind == tick && s.wm >= endOfTime:
			open[s.tenant] = false
		}
	}
	for _, yes := range open {
		if yes {
			return false
		}
	}
	return len(open) > 0
}

// arrival is a document on its way.
type arrival struct {
	doc schema.Alert
	at  schema.Millis // when its partition has it
}

// partition is one raw partition: in order up to the disorder.
type partition struct {
	tenant string
	queue  []arrival
	newest schema.Millis // created, of what was delivered
	weight int           // how fast it is read
	starve bool          // read only when all others are at their end
}

// pickDelivery lays the documents out over partitions, one of which lags and one
// of which is empty, and gives the steps in which a worker would see them, with
// watermarks as the partitions allow them. Every observation is on time.
func pickDelivery(pick picker, docs []schema.Alert, starve bool) (steps []step) {
	disorder := pickOf(pick, 1, schema.Minute, 30*schema.Minute, 5*schema.Hour)
	parts := map[string][]*partition{}
	var all []*partition
	seen := map[seenKey]bool{}
	for _, name := range []string{tenant, other} {
		for i := range 1 + pick(8) {
			q := &partition{tenant: name, weight: pickOf(pick, 1, 10, 100), starve: starve && i == 1}
			parts[name] = append(parts[name], q)
			all = append(all, q)
		}
	}
	for _, d := range docs {
		of := parts[d.Tenant]
		n := pick(len(of))
		if n > 0 && n == len(of)-1 && !of[n].starve {
			n = 0 // the last partition is empty
		}
		at := d.Created + schema.Millis(pick(int(disorder)))
		k := seenKey{d.Tenant, d.ID, d.Content, false}
		if seen[k] && pick.chance(50) {
			at += schema.Millis(pick(int(20 * schema.Hour))) // sent again much later
		}
		seen[k] = true
		of[n].queue = append(of[n].queue, arrival{d, at})
	}
	for _, q := range all {
		slices.SortStableFunc(q.queue, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	}

	told := map[string]schema.Millis{}
	tell := func(name string) {
		wm := lowest(parts[name], disorder)
		if wm > told[name] {
			told[name] = wm
			steps = append(steps, step{kind: tick, tenant: name, wm: wm})
		}
	}
	eager := pickOf(pick, 5, 50, 100) // percent of arrivals after which the watermark is told
	for q := next(pick, all); q != nil; q = next(pick, all) {
		run := 1 + pick(4)
		for range min(run, len(q.queue)) {
			d := q.queue[0].doc
			q.queue, q.newest = q.queue[1:], max(q.newest, d.Created)
			steps = append(steps, step{kind: deliver, doc: d})
		}
		if pick.chance(eager) {
			tell(q.tenant)
		}
		if pick.chance(30) {
			steps = append(steps, step{kind: cut})
		}
	}
	end := endOfTime
	if pick.chance(50) {
		end = day0
		for _, d := range docs {
			end = max(end, d.Created)
		}
	}
	for _, name := range []string{tenant, other} {
		steps = append(steps, step{kind: tick, tenant: name, wm: max(end, told[name])})
	}
	return transact(pick, steps)
}

// lowest is the watermark of partitions: zero while one with documents has not
// been heard of.
func lowest(parts []*partition, disorder schema.Millis) schema.Millis {
	var wm schema.Millis = 1 << 60
	for _, q := range parts {
		if len(q.queue) > 0 {
			wm = min(wm, q.newest-disorder)
		}
	}
	if wm == 1<<60 {
		return 0 // all at their end: the last tick will say so
	}
	return wm
}

// next picks the partition that is read next.
func next(pick picker, all []*partition) *partition {
	var open, last []*partition
	total := 0
	for _, q := range all {
		switch {
		case len(q.queue) == 0:
		case q.starve:
			last = append(last, q)
		default:
			open = append(open, q)
			total += q.weight
		}
	}
	if len(open) == 0 {
		if len(last) == 0 {
			return nil
		}
		return last[pick(len(last))]
	}
	at := pick(total)
	for _, q := range open {
		if at -= q.weight; at < 0 {
			return q
		}
	}
	return nil
}

// transact puts commits, aborted attempts and restarts between the steps.
func transact(pick picker, steps []step) (out []step) {
	longest := pickOf(pick, 3, 10, 40)
	for len(steps) > 0 {
		n := min(1+pick(longest), len(steps))
		for pick.chance(20) {
			out = append(out, steps[:pick(n+1)]...)
			out = append(out, step{kind: rollback})
		}
		out = append(out, steps[:n]...)
		out = append(out, step{kind: pickOf(pick, commit, commit, commit, commit, restart)})
		steps = steps[n:]
	}
	return out
}

// fair reports whether the steps are what the guarantee speaks of: no
// observation comes after a watermark that has passed it, no watermark falls,
// and in the end each tenant's watermark has reached its newest observation.
func fair(steps []step) bool {
	type state struct {
		wm, newest map[string]schema.Millis
		seen       map[seenKey]bool
	}
	clone := func(s state) state { return state{maps.Clone(s.wm), maps.Clone(s.newest), maps.Clone(s.seen)} }
	now := state{map[string]schema.Millis{}, map[string]schema.Millis{}, map[seenKey]bool{}}
	kept := clone(now)
	for _, s := range steps {
		switch s.kind {
		case deliver:
			k := seenKey{s.doc.Tenant, s.doc.ID, s.doc.Content, false}
			if !now.seen[k] && s.doc.Created < now.wm[s.doc.Tenant] {
				return false
			}
			now.seen[k] = true
			now.newest[s.doc.Tenant] = max(now.newest[s.doc.Tenant], s.doc.Created)
		case tick:
			if s.wm < now.wm[s.tenant] {
				return false
			}
			now.wm[s.tenant] = s.wm
		case rollback:
			now = clone(kept)
		case commit, restart:
			kept = clone(now)
		}
	}
	for name, t := range now.newest {
		if now.wm[name] < t {
			return false
		}
	}
	return true
}
