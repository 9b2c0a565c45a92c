package mapping

// needs gives the paths that a value is taken from, as one; ok is false where it may
// have text without any of them.
func (v *value) needs() (all ref, ok bool) {
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
	case v.find != nil:
		return v.find.list, len(v.find.list) > 0
	}
	return v.ref, len(v.ref) > 0
}

// needed joins what several values need, of which each may give something: a rule
// whose scope has none of it says nothing. Most rules of a format say nothing about
// most documents, and this is how they are passed over. nil: the rule may say
// something in any case.
func needed(values ...*value) (all ref) {
	for _, v := range values {
		sub, ok := v.needs()
		if !ok {
			return nil
		}
		all = append(all, sub...)
	}
	return all
}
