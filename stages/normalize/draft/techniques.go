package draft

import "strings"

// techniques writes the rules for ATT&CK.
func (d *drafter) techniques(p *page) {
	type rule struct{ id, tactic *field }
	var order []string
	by := map[string]*rule{} // by array
	at := func(f *field) *rule {
		if by[f.array] == nil {
			by[f.array] = &rule{}
			order = append(order, f.array)
		}
		return by[f.array]
	}
	var inText []*field
	for _, f := range d.order {
		w := append(f.around(), f.words()...)
		switch {
		case f.most(isTechnique):
			if r := at(f); r.id == nil {
				r.id = f
			}
		case has(w, "tactic", "tactics", "mitre") && !has(w, "url", "reference") && f.most(isTactic):
			if r := at(f); r.tactic == nil {
				r.tactic = f
			}
		case f.share(hasTechnique) > 0 && f.share(isURL) == 0 && (has(w, "mitre", "technique", "techniques", "attack", "tags", "tag")):
			inText = append(inText, f)
		}
	}
	if len(order)+len(inText) == 0 {
		return
	}
	p.line("techniques:", "")
	for _, array := range order {
		r := by[array]
		indent, ref := "  ", d.ref
		if array != d.split && r.id != nil && r.tactic != nil {
			p.line("  - each: "+q(d.ref(array)), "")
			p.line("    techniques:", "")
			indent, ref = "      ", func(path string) string { return strings.TrimPrefix(path, array+".") }
			p.line(indent+"- {id: "+q(ref(r.id.path))+", tactic: "+q(ref(r.tactic.path))+"}", "")
			d.used[r.id.path], d.used[r.tactic.path] = true, true
			continue
		}
		if r.id != nil {
			d.used[r.id.path] = true
			p.line(indent+"- id: "+q(ref(r.id.path)), "")
		}
		if r.tactic != nil {
			d.used[r.tactic.path] = true
			p.line(indent+"- tactic: "+q(ref(r.tactic.path)), "")
		}
	}
	for _, f := range inText {
		d.used[f.path] = true
		p.line("  - id: {path: "+q(d.ref(f.path))+`, match: '\b(T\d{4}(?:\.\d{3})?)\b'}`, "the first in the text")
	}
}
