package oracle

import (
	"cmp"
	"slices"

	"github.com/interdict/interdict/schema"
)

// observation is an alert or a revision of it.
type observation struct {
	alert int // index of its alert in world.alerts
	t     schema.Millis
	keys  []key
}

// alert is what the observations of one id make together.
type alert struct {
	id     schema.AlertID
	t      schema.Millis // T(a)
	newest schema.Millis
	least  schema.Severity
}

// world is the input in the terms of the text.
type world struct {
	p      Params
	alerts []alert // by (T, id): the smaller index is the older alert
	obs    []observation
	keys   []key         // every key there is
	of     map[key][]int // observations with the key, by (time, alert)
}

// newWorld reads the observations of a tenant.
func newWorld(tenant string, docs []schema.Alert, p Params) *world {
	w := &world{p: p, of: map[key][]int{}}
	type document struct {
		id      schema.AlertID
		content uint64
	}
	seen := map[document]bool{}
	merged := map[schema.AlertID]alert{}
	var kept []schema.Alert
	for _, d := range docs {
		if d.Tenant != tenant || seen[document{d.ID, d.Content}] {
			continue
		}
		seen[document{d.ID, d.Content}] = true
		kept = append(kept, d)
		a, ok := merged[d.ID]
		if !ok {
			a = alert{d.ID, d.Created, d.Created, d.Severity}
		}
		a.t, a.newest, a.least = min(a.t, d.Created), max(a.newest, d.Created), min(a.least, d.Severity)
		merged[d.ID] = a
	}
	for _, a := range merged {
		w.alerts = append(w.alerts, a)
	}
	slices.SortFunc(w.alerts, func(a, b alert) int { return cmp.Or(cmp.Compare(a.t, b.t), a.id.Compare(b.id)) })
	index := map[schema.AlertID]int{}
	for i, a := range w.alerts {
		index[a.id] = i
	}
	for _, d := range kept {
		w.obs = append(w.obs, observation{index[d.ID], d.Created, p.keysOf(d.Entities)})
	}
	slices.SortFunc(w.obs, func(x, y observation) int {
		return cmp.Or(cmp.Compare(x.t, y.t), w.alerts[x.alert].id.Compare(w.alerts[y.alert].id))
	})
	for i, o := range w.obs {
		for _, k := range o.keys {
			if w.of[k] == nil {
				w.keys = append(w.keys, k)
			}
			w.of[k] = append(w.of[k], i)
		}
	}
	return w
}

// degree is the number of observations of a single key in the sealed day
// before t.
func (w *world) degree(k key, t schema.Millis) (d schema.Millis) {
	s := floor(t, epoch) - epoch
	for _, i := range w.of[k] {
		if u := w.obs[i].t; u >= s-degreeSpan && u < s {
			d++
		}
	}
	return d
}

// window is the window of a key of degree d (of a pair: any) at levels 0 to 3.
func (w *world) window(k key, d schema.Millis, level int) (schema.Millis, bool) {
	if k.pair() {
		return w.p.Pair[level], true
	}
	hub, rare := schema.Millis(w.p.HubDegree), schema.Millis(w.p.RareDegree)
	switch {
	case level == 0 && d <= hub:
		return w.p.base(k.a) * 3 / (2 + d), true
	case level == 1 && d <= hub:
		return w.p.base(k.a) * 4 / (5 * (2 + d)), true
	case level == 2 && d <= rare:
		return w.p.base(k.a) * 4 / (15 * (2 + d)), true
	}
	return 0, false
}

// link says that two alerts share a key closely enough for a level.
type link struct {
	level    int
	later    int // alert of the later observation
	earlier  int // alert of the other
	key      key
	distance schema.Millis
}

// links calls yield with every link of every level.
func (w *world) links(yield func(link)) {
	for _, k := range w.keys {
		at := w.of[k]
		degrees := make([]schema.Millis, len(at))
		if !k.pair() {
			for n, i := range at {
				degrees[n] = w.degree(k, w.obs[i].t)
			}
		}
		for level := range levels {
			for n, i := range at {
				w.linksBack(k, level, at, degrees, n, i, yield)
			}
		}
	}
}

// linksBack calls yield with the links of one level from the n-th observation
// of a key, i, to the ones before it.
func (w *world) linksBack(k key, level int, at []int, degrees []schema.Millis, n, i int, yield func(link)) {
	later := w.obs[i]
	for m := n - 1; m >= 0; m-- {
		earlier := w.obs[at[m]]
		distance := later.t - earlier.t
		if level == levels-1 {
			if !k.pair() || floor(later.t, w.p.Slice) != floor(earlier.t, w.p.Slice) {
				return
			}
		} else {
			reach, ok := w.window(k, degrees[n], level)
			if !ok || distance > reach {
				return // all others are farther still
			}
			if _, ok := w.window(k, degrees[m], level); !ok {
				continue
			}
		}
		if later.alert != earlier.alert {
			yield(link{level, later.alert, earlier.alert, k, distance})
		}
	}
}
