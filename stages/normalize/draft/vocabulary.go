package draft

import (
	"slices"
	"strings"
)

// vocabularies writes the fields that have words of their own: status, verdict
// and blocked.
func (d *drafter) vocabularies(p *page) {
	d.vocabulary(p, "status", []string{"status", "state", "workflow"}, statusWord)
	d.vocabulary(p, "verdict", []string{"verdict", "determination", "disposition", "classification", "resolution"}, verdictWord)
	d.blocked(p)
}

func (d *drafter) vocabulary(p *page, name string, names []string, means func(string) string) {
	for _, f := range d.order {
		if !d.single(f) || !has(f.words(), names...) || has(f.around(), subjects()...) || len(f.order) > 20 || f.numeric() {
			continue
		}
		var pairs, odd []string
		for _, v := range f.order {
			if m := means(v); m != "" {
				pairs = append(pairs, q(v)+": "+m)
			} else {
				odd = append(odd, v)
			}
		}
		if len(pairs) == 0 || len(odd) > len(pairs) {
			continue
		}
		d.used[f.path] = true
		check := "the vendor's other words"
		if len(odd) > 0 {
			check = "left out: " + strings.Join(odd, ", ")
		}
		p.line("  "+name+": {path: "+q(d.ref(f.path))+", map: {"+strings.Join(pairs, ", ")+"}}", check)
		return
	}
}

func plainWord(v string) string {
	return strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(strings.TrimSpace(v)))
}

func statusWord(v string) string {
	switch strings.ReplaceAll(plainWord(v), " ", "") {
	case "new", "open", "opened", "active", "unresolved", "untriaged", "created", "unassigned":
		return "new"
	case "inprogress", "investigating", "acknowledged", "assigned", "pending", "underinvestigation", "triaged":
		return "in_progress"
	case "suppressed", "ignored", "muted", "snoozed":
		return "suppressed"
	case "closed", "resolved", "done", "fixed", "dismissed", "completed", "remediated":
		return "resolved"
	}
	return ""
}

func verdictWord(v string) string {
	switch strings.ReplaceAll(plainWord(v), " ", "") {
	case "falsepositive":
		return "false_positive"
	case "malicious", "truepositive", "malware", "confirmed":
		return "malicious"
	case "suspicious":
		return "suspicious"
	case "benign", "clean", "harmless", "benignpositive":
		return "benign"
	}
	return ""
}

func (d *drafter) blocked(p *page) {
	for _, f := range d.order {
		if !d.single(f) || !has(f.words(), "action", "outcome", "disposition", "verdict", "result", "blocked", "prevented", "response") || len(f.order) > 30 {
			continue
		}
		var yes []string
		for _, v := range f.order {
			if stopped(f, v) {
				yes = append(yes, v)
			}
		}
		if len(yes) > 0 {
			d.used[f.path] = true
			p.line("  blocked: {"+q(d.ref(f.path))+": "+list(yes)+"}", "the product stopped it; also seen: "+others(f.order, yes))
			return
		}
	}
}

func others(all, without []string) string {
	var left []string
	for _, v := range all {
		if !slices.Contains(without, v) {
			left = append(left, v)
		}
	}
	if len(left) == 0 {
		return "nothing else"
	}
	return strings.Join(left, ", ")
}

func stopped(f *field, v string) bool {
	if has(f.words(), "blocked", "prevented") {
		return strings.EqualFold(v, "true") || strings.EqualFold(v, "yes")
	}
	for _, w := range strings.Fields(plainWord(v)) {
		switch w {
		case "block", "blocked", "deny", "denied", "drop", "dropped", "prevent", "prevented", "quarantine", "quarantined", "reject", "rejected", "reset", "killed",
			"terminated", "cleaned", "deleted", "removed":
			return true
		}
	}
	return false
}
