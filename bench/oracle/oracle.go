package oracle

import (
	"cmp"
	"slices"

	"github.com/interdict/interdict/schema"
)

// Incident is one incident of a result.
type Incident struct {
	ID       schema.IncidentID
	Founder  schema.AlertID
	Level    int8 // schema.LevelSingle for one alert
	Campaign schema.IncidentID
	Alerts   int              // as the head says
	Members  []schema.AlertID // sorted

	// Newest is the time of the newest observation, and CampaignNewest that of the
	// loosest component around. Only Correlate sets them; no dump shows them.
	Newest, CampaignNewest schema.Millis
}

// Member is one alert's place.
type Member struct {
	Alert    schema.AlertID
	Incident schema.IncidentID
	Level    int8
	Weight   int
	Reason   schema.ReasonKind
	Key      string         // empty for the founder
	Peer     schema.AlertID // zero for the founder
	Distance schema.Millis
}

// Result is the correlation of one tenant, in canonical order: incidents by id,
// members by alert.
type Result struct {
	Incidents []Incident
	Members   []Member
}

// Correlate gives the correlation of a tenant's on-time alerts, in any order.
// Alerts of other tenants are passed over. Documents with the same id and
// Content must be equal. The alerts are not kept.
func Correlate(tenant string, docs []schema.Alert, p Params) Result {
	w := newWorld(tenant, docs, p)
	n := len(w.alerts)

	// C_l(a): a's group at each level.
	var groups [levels]forest
	for l := range groups {
		groups[l] = newForest(n)
	}
	w.links(func(l link) { groups[l.level].join(l.later, l.earlier) })

	weight := func(a int) int {
		if w.alerts[a].least >= schema.SeverityHigh {
			return 0
		}
		return 1
	}
	var weights [levels]map[int]int
	for l := range groups {
		weights[l] = map[int]int{}
		for a := range n {
			weights[l][groups[l].root(a)] += weight(a)
		}
	}

	// Resolution. The root of a group is its least alert: the founder.
	level := make([]int, n)
	founder := make([]int, n)
	for a := range n {
		for level[a] < levels-1 && weights[level[a]][groups[level[a]].root(a)] > p.Caps[level[a]] {
			level[a]++
		}
		founder[a] = groups[level[a]].root(a)
	}

	newest := map[int]schema.Millis{} // of the group of level 0, by root
	byFounder := map[int]*Incident{}
	for a := range n {
		root := groups[0].root(a)
		newest[root] = max(newest[root], w.alerts[a].newest)
		f := founder[a]
		if byFounder[f] == nil {
			byFounder[f] = &Incident{
				ID: schema.NewIncidentID(tenant, w.alerts[f].id), Founder: w.alerts[f].id, Level: int8(level[f]),
				Campaign: schema.NewIncidentID(tenant, w.alerts[groups[0].root(f)].id),
			}
		}
		in := byFounder[f]
		in.Members = append(in.Members, w.alerts[a].id)
		in.Newest = max(in.Newest, w.alerts[a].newest)
	}
	for f, in := range byFounder {
		in.Alerts = len(in.Members)
		if in.Alerts == 1 {
			in.Level = schema.LevelSingle
		}
		in.CampaignNewest = newest[groups[0].root(f)]
	}

	best := w.reasons(level, founder)
	var r Result
	for a := range n {
		in := byFounder[founder[a]]
		m := Member{Alert: w.alerts[a].id, Incident: in.ID, Level: in.Level, Weight: weight(a)}
		if a != founder[a] {
			b := best[a]
			m.Reason, m.Key, m.Peer, m.Distance = schema.ReasonLinked, b.text, w.alerts[b.peer].id, b.distance
		}
		r.Members = append(r.Members, m)
	}
	for _, in := range byFounder {
		r.Incidents = append(r.Incidents, *in)
	}
	r.sort()
	return r
}

// reason is a link seen from one of its ends.
type reason struct {
	peer     int
	older    bool // the peer is older
	distance schema.Millis
	single   bool
	text     string
}

// reasons gives the best reason of every alert that has a link within its
// incident.
func (w *world) reasons(level, founder []int) map[int]reason {
	before := func(x, y reason) bool {
		if x.older != y.older {
			return x.older
		}
		if x.distance != y.distance {
			return x.distance < y.distance
		}
		if x.single != y.single {
			return y.single
		}
		c := cmp.Or(cmp.Compare(x.text, y.text), w.alerts[x.peer].id.Compare(w.alerts[y.peer].id))
		return c < 0
	}
	best := map[int]reason{}
	see := func(a, b int, l link) {
		if level[a] != l.level || founder[a] != founder[b] {
			return
		}
		r := reason{b, b < a, l.distance, !l.key.pair(), l.key.text()}
		if old, ok := best[a]; !ok || before(r, old) {
			best[a] = r
		}
	}
	w.links(func(l link) {
		see(l.later, l.earlier, l)
		see(l.earlier, l.later, l)
	})
	return best
}

func (r *Result) sort() {
	slices.SortFunc(r.Incidents, func(a, b Incident) int { return slices.Compare(a.ID[:], b.ID[:]) })
	slices.SortFunc(r.Members, func(a, b Member) int { return a.Alert.Compare(b.Alert) })
	for _, in := range r.Incidents {
		slices.SortFunc(in.Members, schema.AlertID.Compare)
	}
}

// forest holds disjoint groups of numbers; the root of a group is its least.
type forest []int

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = i
	}
	return f
}

func (f forest) root(a int) int {
	for f[a] != a {
		f[a] = f[f[a]]
		a = f[a]
	}
	return a
}

func (f forest) join(a, b int) {
	a, b = f.root(a), f.root(b)
	f[max(a, b)] = min(a, b)
}
