package library

import (
	"cmp"
	"slices"

	"github.com/interdict/interdict/schema"
)

// graph says what is behind an indicator. It knows objects and relations of one feed,
// with a number for each id.
type graph struct {
	max    int
	number map[digest]uint32
	nodes  []schema.Threat // by number; kind unknown: no threat
	out    edges           // what an indicator or threat leads to
	within edges           // reports that group an id
	memo   map[uint32][]uint32
}

// edges are lists of numbers, by number.
type edges struct {
	start []uint32
	to    []uint32
}

func (e *edges) of(n uint32) []uint32 { return e.to[e.start[n]:e.start[n+1]] }

type graphBuilder struct {
	g         *graph
	relations []relation // all; some have no threat at an end
	refs      [][2]uint32
}

type relation struct {
	from, to uint32
	kind     relationKind
}

type relationKind uint8

const (
	relationOther relationKind = iota
	relationIndicates
	relationUses
	relationAttributed
	relationTargets
)

func newGraphBuilder(limit int) *graphBuilder {
	return &graphBuilder{g: &graph{max: limit, number: map[digest]uint32{}, memo: map[uint32][]uint32{}}}
}

func (b *graphBuilder) node(id string) uint32 {
	d := digestOf(id)
	n, ok := b.g.number[d]
	if !ok {
		n = uint32(len(b.g.nodes))
		b.g.number[d] = n
		b.g.nodes = append(b.g.nodes, schema.Threat{})
	}
	return n
}

// add notes an object or a relation.
func (b *graphBuilder) add(t *thing) {
	switch {
	case t.Object != nil:
		o := t.Object
		n := b.node(o.ID)
		if o.Kind != schema.ThreatUnknown {
			b.g.nodes[n] = schema.Threat{Kind: o.Kind, ID: o.ID, Name: o.Name}
			if o.Kind == schema.ThreatTechnique && o.Technique != "" {
				b.g.nodes[n].Name = o.Technique
			}
		}
		for _, r := range o.Refs {
			b.refs = append(b.refs, [2]uint32{b.node(r), n})
		}
	case t.Relation != nil:
		r := t.Relation
		kind := relationOther
		switch r.Type {
		case "indicates":
			kind = relationIndicates
		case "uses", "employs", "delivers", "drops", "downloads", "authored-by":
			kind = relationUses
		case "attributed-to", "attributed-to-actor", "variant-of":
			kind = relationAttributed
		case "exploits", "targets":
			kind = relationTargets
		}
		if kind != relationOther {
			b.relations = append(b.relations, relation{b.node(r.From), b.node(r.To), kind})
		}
	}
}

// build orders what was added.
func (b *graphBuilder) build() *graph {
	g := b.g
	list := make([][2]uint32, 0, len(b.relations))
	for _, r := range b.relations {
		from, to := g.nodes[r.from].Kind, g.nodes[r.to].Kind
		if to == schema.ThreatUnknown {
			continue
		}
		if r.kind == relationIndicates || from != schema.ThreatUnknown {
			list = append(list, [2]uint32{r.from, r.to})
		}
		// A family leads to those who use it. A tool or a technique does not: everybody
		// uses it.
		if r.kind == relationUses && to == schema.ThreatMalware && (from == schema.ThreatActor || from == schema.ThreatCampaign) {
			list = append(list, [2]uint32{r.to, r.from})
		}
	}
	g.out = g.order(list)
	groups := b.refs[:0]
	for _, r := range b.refs {
		if g.nodes[r[1]].Kind == schema.ThreatReport {
			groups = append(groups, r)
		}
	}
	g.within = g.order(groups)
	b.relations, b.refs = nil, nil
	return g
}

// order makes lists of pairs, each in the order of what it leads to.
func (g *graph) order(pairs [][2]uint32) edges {
	slices.SortFunc(pairs, func(a, b [2]uint32) int {
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return compareThreats(&g.nodes[a[1]], &g.nodes[b[1]])
	})
	pairs = slices.Compact(pairs)
	e := edges{start: make([]uint32, len(g.nodes)+1), to: make([]uint32, len(pairs))}
	for n, p := range pairs {
		e.start[p[0]+1]++
		e.to[n] = p[1]
	}
	for n := range g.nodes {
		e.start[n+1] += e.start[n]
	}
	return e
}

func compareThreats(a, b *schema.Threat) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// depth is how many relations lead from an indicator to a threat at most.
const depth = 3

// behind gives what a threat leads to, nearest first, by number; at most max.
func (g *graph) behind(n uint32) []uint32 {
	if list, ok := g.memo[n]; ok {
		return list
	}
	list := []uint32{n}
	for level, from := 1, 0; level < depth && len(list) <= g.max; level++ {
		until := len(list)
		for _, at := range list[from:until] {
			if g.nodes[at].Kind == schema.ThreatTechnique || g.nodes[at].Kind == schema.ThreatTool {
				continue
			}
			for _, to := range g.out.of(at) {
				if len(list) > g.max {
					break
				}
				if !slices.Contains(list, to) {
					list = append(list, to)
				}
			}
		}
		from = until
	}
	list = slices.Clip(list[1:])
	g.memo[n] = list
	return list
}

// reach gives what is behind an id in order: what it indicates, reports that group
// it, reports that group what it indicates, and what these lead to; at most limit.
func (g *graph) reach(id string, limit int, yield func(*schema.Threat)) {
	if g == nil || len(g.nodes) == 0 {
		return
	}
	n, ok := g.number[digestOf(id)]
	if !ok {
		return
	}
	var list []uint32
	add := func(some []uint32) {
		for _, to := range some {
			if len(list) >= limit {
				return
			}
			if to != n && !slices.Contains(list, to) {
				list = append(list, to)
			}
		}
	}
	direct := g.out.of(n)
	direct = direct[:min(len(direct), limit)]
	add(direct)
	add(g.within.of(n))
	for _, d := range direct {
		add(g.within.of(d))
	}
	for _, d := range direct {
		add(g.behind(d))
	}
	for _, at := range list {
		yield(&g.nodes[at])
	}
}

// threats gives those of an indicator: what its feed said of it first.
func (g *graph) threats(id string, said []schema.Threat) []schema.Threat {
	list := said
	if len(list) > g.max {
		list = slices.Clip(list[:g.max])
	}
	g.reach(id, g.max, func(t *schema.Threat) {
		if len(list) >= g.max {
			return
		}
		for n := range list {
			if list[n].Kind == t.Kind && (list[n].ID == t.ID && t.ID != "" || list[n].ID == "" && list[n].Name == t.Name) {
				return
			}
		}
		if len(list) == len(said) {
			list = slices.Clip(list)
		}
		list = append(list, *t)
	})
	return list
}
