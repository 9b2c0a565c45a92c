package mapping

import "github.com/interdict/interdict/stages/normalize/extract"

// needs are slots of which a document must fill one, lest a rule give nothing: most
// rules of a format say nothing about most documents, and this is how they are
// passed over. nil: the rule may give something in any case.
type needs []extract.Slot

func (n needs) met(t *extract.Tape) bool {
	if n == nil {
		return true
	}
	for _, s := range n {
		if t.First[s] != 0 {
			return true
		}
	}
	return false
}

// needs gives the slots that a value is taken from; ok is false where it may have
// text without any.
func (v *value) needs() (all needs, ok bool) {
	if v == nil {
		return nil, true // nothing comes of it
	}
	switch {
	case v.def != "" || v.constant != "":
		return nil, false
	case v.parts != nil:
		for i := range v.parts {
			if p := &v.parts[i]; p.value != nil && !p.optional {
				return p.value.needs()
			}
		}
		return nil, false
	case v.first != nil || v.all != nil:
		for _, list := range [...][]*value{v.first, v.all} {
			for _, x := range list {
				sub, ok := x.needs()
				if !ok {
					return nil, false
				}
				all = append(all, sub...)
			}
		}
		return all, len(all) > 0
	}
	return v.ref.slots(), len(v.ref) > 0
}

// anyOf joins what several values need, of which each may give something.
func anyOf(values ...*value) (all needs) {
	for _, v := range values {
		sub, ok := v.needs()
		if !ok {
			return nil
		}
		all = append(all, sub...)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
