package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// technique is a rule for ATT&CK's names.
type technique struct {
	id, tactic *value
	when       *cond
	each       *ref
	sub        []technique
	line       int
}

func (c *compiler) techniquesOf(n *yaml.Node, from scope) (all []technique) {
	for _, x := range c.list(n) {
		t := c.table(x)
		tech := technique{line: x.Line}
		if e := t.at["each"]; e != nil {
			c.only(t, "each", "when", "techniques")
			ref, inner := c.each(e, from)
			tech.each, tech.when = &ref, c.cond(t.at["when"], inner)
			tech.sub = c.techniquesOf(t.at["techniques"], inner)
		} else {
			c.only(t, "id", "tactic", "when")
			tech.when = c.cond(t.at["when"], from)
			if v := t.at["id"]; v != nil {
				tech.id = c.value(v, from)
			}
			if v := t.at["tactic"]; v != nil {
				tech.tactic = c.value(v, from)
			}
			c.attack(x, tech.id, techniqueOf)
			c.attack(x, tech.tactic, tacticOf)
			if tech.id == nil && tech.tactic == nil {
				c.bad(x, "a technique needs id or tactic")
			}
		}
		all = append(all, tech)
	}
	return all
}

// attack checks what a rule of ATT&CK gives where that is known.
func (c *compiler) attack(n *yaml.Node, v *value, known func(string) string) {
	if v == nil {
		return
	}
	outs, _ := v.outs()
	for _, w := range outs {
		if w != "" && known(w) == "" {
			c.bad(n, "ATT&CK does not know %q", w)
		}
	}
}

func techniqueOf(said string) string {
	if id := canon.TechniqueID(said); id != "" {
		return id
	}
	return canon.TechniqueByName(said)
}

func tacticOf(category string) string {
	if id := canon.TacticID(category); id != "" {
		return id
	}
	return canon.TacticOfCategory(category)
}

// each compiles the path of an each, and the scope inside it.
func (c *compiler) each(n *yaml.Node, from scope) (ref, scope) {
	text := c.string(n)
	alternatives := splitAlternatives(text)
	x := c.paths(n, alternatives, from)
	var inner scope
	for _, p := range alternatives {
		if rest, absolute := strings.CutPrefix(p, "$."); absolute || len(from) == 0 {
			inner = append(inner, rest)
			continue
		}
		for _, prefix := range from {
			inner = append(inner, prefix+"."+p)
		}
	}
	return x, inner
}

// in calls do for each value of x with the value as the scope.
func (r *Runner) in(x ref, do func()) {
	for t, i := r.first(x); i >= 0 && r.fault.Reason == 0; i = r.next(t, i) {
		outer := r.enter(t, i)
		do()
		r.leave(outer)
	}
}

func (r *Runner) technique(t *technique) {
	if t.each != nil {
		r.in(*t.each, func() {
			if t.when.holds(r) {
				for i := range t.sub {
					r.technique(&t.sub[i])
				}
			}
		})
		return
	}
	if !t.when.holds(r) {
		return
	}
	mark := len(r.texts)
	if t.id != nil {
		r.collect(t.id)
	}
	ids := len(r.texts)
	if t.tactic != nil {
		r.collect(t.tactic)
	}
	tactics := r.texts[ids:]
	switch {
	case ids == mark:
		for _, s := range tactics {
			r.add(t.line, "", s)
		}
	case len(tactics) == 0:
		for _, s := range r.texts[mark:ids] {
			r.add(t.line, s, "")
		}
	case (ids-mark)*len(tactics) > maxPairs:
		r.fault = extract.Fault{Reason: schema.ReasonTooLarge, What: "too many techniques for too many tactics"}
	default:
		for _, id := range r.texts[mark:ids] {
			for _, s := range tactics {
				r.add(t.line, id, s)
			}
		}
	}
	r.texts = r.texts[:mark]
}

// maxTechniques bounds an alert's techniques and tactics. The wire form takes
// schema.MaxElements: an alert with more could be written and never read.
const maxTechniques = 256

// maxPairs bounds the techniques times the tactics of one rule, most of which may
// be none or be there already.
const maxPairs = 1 << 16

// add notes a technique or tactic that the vendor names, by id or by name, once.
func (r *Runner) add(line int, said, category string) {
	id, tactic := "", ""
	if said != "" {
		id = techniqueOf(said)
	}
	if category != "" {
		tactic = tacticOf(category)
	}
	if id == "" && tactic == "" {
		return
	}
	a := r.alert
	for _, t := range a.Techniques {
		if t.ID == id && t.Tactic == tactic || id == "" && t.Tactic == tactic {
			return
		}
	}
	if len(a.Techniques) == maxTechniques {
		r.fault = extract.Fault{Reason: schema.ReasonTooLarge, What: "too many techniques"}
		return
	}
	a.Techniques = append(a.Techniques, schema.Technique{ID: id, Tactic: tactic})
	if r.Trace != nil {
		r.Trace(Step{line, "technique", id + " " + tactic})
	}
}
