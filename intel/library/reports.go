package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Threat is something that indicators stand for: a report, a campaign, an actor, a
// malware family, with what belongs to it.
type Threat struct {
	Feed       string          `json:"feed"`
	Object     fact.Object     `json:"object"`
	Indicators int             `json:"indicators"` // that count
	Types      map[string]int  `json:"types,omitempty"`
	Techniques []schema.Threat `json:"techniques,omitempty"`
	Actors     []schema.Threat `json:"actors,omitempty"`
	Malware    []schema.Threat `json:"malware,omitempty"`
	// Listed are the first indicators, by type and value; only of ReportOf.
	Listed []schema.Indicator `json:"listed,omitempty"`
}

// Bounds on what one threat is told to have.
const (
	maxBehind = 256
	maxOfKind = 256
	maxOfOne  = 1000
)

// Reports lists reports, campaigns, actors and malware of every feed, in order of
// feed, kind, name and id. A *Partial names feeds that could not be read; those of the
// others are given.
func (l *Library) Reports(ctx context.Context) ([]Threat, error) { return l.reports(ctx, "") }

// ErrUnknownReport says that no feed has such an object.
var ErrUnknownReport = errors.New("no feed has such a report, campaign, actor or malware")

// ReportOf gives those with an id, one for each feed that has it, with indicators. A
// *Partial is as of Reports.
func (l *Library) ReportOf(ctx context.Context, id string) ([]Threat, error) {
	list, err := l.reports(ctx, id)
	if lacks := new(Partial); len(list) == 0 && (err == nil || errors.As(err, &lacks)) {
		err = errors.Join(fmt.Errorf("%q: %w", id, ErrUnknownReport), err)
	}
	return list, err
}

func (l *Library) reports(ctx context.Context, id string) ([]Threat, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	over, err := l.overlay()
	if err != nil {
		return nil, err
	}
	var list []Threat
	var lacks Partial
	for _, name := range names {
		var some []Threat
		err := l.reading(name, func(st *state) (err error) {
			some = nil
			if st.Facts > 0 && st.Standing.Objects > 0 {
				some, err = l.reportsOf(ctx, st, over, id)
			}
			return err
		})
		if err := lacks.take(name, err); err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, lacks.Err()
}

func isReport(k schema.ThreatKind) bool {
	switch k {
	case schema.ThreatReport, schema.ThreatCampaign, schema.ThreatActor, schema.ThreatMalware:
		return true
	}
	return false
}

func (l *Library) reportsOf(ctx context.Context, st *state, over *overlay, id string) (list []Threat, err error) {
	objects, err := openTable(generationFile(l.feedDir(st.Feed), st.Facts, "objects"), kindObjects)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, objects.close()) }()
	b := newGraphBuilder(maxBehind)
	err = eachThing(ctx, objects, func(t *thing) {
		b.add(t)
		if t.Object != nil && isReport(t.Object.Kind) && (id == "" || t.Object.ID == id) {
			list = append(list, Threat{Feed: st.Feed, Object: *t.Object, Types: map[string]int{}})
		}
	})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, nil
	}
	g := b.build()
	at := map[string]*Threat{}
	for n := range list {
		at[list[n].Object.ID] = &list[n]
	}
	for n := range list {
		list[n].collect(g)
	}
	t, err := openTable(generationFile(l.feedDir(st.Feed), st.Current, "current"), kindCurrent)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	w := newWalker(st.Feed, t, over)
	for {
		if err := w.next(ctx); err != nil {
			return nil, err
		}
		if w.key == nil {
			break
		}
		count := func(id string) {
			r := at[id]
			if r == nil {
				return
			}
			r.Indicators++
			r.Types[w.i.Type.String()]++
			if id != "" && len(r.Listed) < maxOfOne {
				r.Listed = append(r.Listed, w.i)
			}
		}
		said := map[string]bool{}
		g.reach(w.i.ID, maxBehind, func(t *schema.Threat) {
			said[t.ID] = true
			count(t.ID)
		})
		for _, t := range w.i.Threats {
			if !said[t.ID] {
				said[t.ID] = true
				count(t.ID)
			}
		}
	}
	if id == "" {
		for n := range list {
			list[n].Listed = nil
		}
	}
	slices.SortFunc(list, func(a, b Threat) int {
		return compareThreats(&schema.Threat{Kind: a.Object.Kind, Name: a.Object.Name, ID: a.Object.ID}, &schema.Threat{Kind: b.Object.Kind, Name: b.Object.Name, ID: b.Object.ID})
	})
	return list, nil
}

// collect gathers what a threat leads to and, of a report, what it groups.
func (r *Threat) collect(g *graph) {
	seen := map[schema.Threat]bool{}
	take := func(t *schema.Threat) {
		if t.ID == r.Object.ID || seen[*t] {
			return
		}
		seen[*t] = true
		switch {
		case t.Kind == schema.ThreatTechnique && len(r.Techniques) < maxOfKind:
			r.Techniques = append(r.Techniques, *t)
		case t.Kind == schema.ThreatActor && len(r.Actors) < maxOfKind:
			r.Actors = append(r.Actors, *t)
		case t.Kind == schema.ThreatMalware && len(r.Malware) < maxOfKind:
			r.Malware = append(r.Malware, *t)
		}
	}
	from := []string{r.Object.ID}
	if r.Object.Kind == schema.ThreatReport {
		from = append(from, r.Object.Refs...)
	}
	asked := 0
	for _, id := range from {
		n, ok := g.number[digestOf(id)]
		if !ok || g.nodes[n].Kind == schema.ThreatUnknown {
			continue
		}
		if asked++; asked > maxBehind {
			break
		}
		take(&g.nodes[n])
		for _, to := range g.behind(n) {
			take(&g.nodes[to])
		}
	}
	for _, list := range [][]schema.Threat{r.Techniques, r.Actors, r.Malware} {
		slices.SortFunc(list, func(a, b schema.Threat) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	}
}
