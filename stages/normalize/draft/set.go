package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// set writes the fields of the alert.
func (d *drafter) set(p *page) {
	lines := &page{}
	d.id(lines)
	taken := map[string]bool{}
	if all := d.rank(scoreTitle); len(all) > 0 {
		taken[all[0].path] = true
		d.plain(lines, "title", all)
	} else {
		lines.note("  ", "title:  # check: no name of what was detected was found")
	}
	for _, x := range []struct {
		name  string
		score func(*field) int
	}{{"desc", scoreDesc}, {"rule", scoreRule}, {"rule_uid", scoreRuleUID}, {"type", scoreType}} {
		all := slices.DeleteFunc(d.rank(x.score), func(c candidate) bool { return taken[c.path] && x.name == "desc" })
		if len(all) > 0 {
			d.plain(lines, x.name, all)
		}
	}
	d.times(lines)
	d.severity(lines)
	d.confidence(lines)
	d.vocabularies(lines)
	if lines.lines == 0 {
		p.note("", "set:")
	} else {
		p.line("set:", "")
	}
	p.WriteString(lines.String())
}

func (d *drafter) plain(p *page, name string, all []candidate) {
	path, check := d.paths(all)
	p.line("  "+name+": "+q(path), check)
}

func (d *drafter) id(p *page) {
	all := d.rank(func(f *field) int {
		if !f.unique() && !d.alone() || !d.always(f) || f.share(isMoment) > 0 && !f.numeric() || f.share(isIP) > 0 || !f.all(isToken) {
			return 0
		}
		return scoreID(f)
	})
	if len(all) == 0 {
		p.note("  ", "id:  # check: no unique id was found; alerts are named by a hash of the document")
		return
	}
	d.used[all[0].path] = true
	check := "the same when the vendor sends the alert again?"
	if d.alone() {
		check = "is it unique? there is one sample"
	}
	p.line("  id: "+q(d.ref(all[0].path)), check)
}

func scoreID(f *field) int {
	w, around := f.words(), f.around()
	if !has(w, "id") || has(w, "user", "host", "sensor", "session", "process", "rule", "tenant", "customer", "org", "organization", "parent", "signature",
		"policy", "source", "target", "site", "group", "flow", "trace", "technique", "tactic", "correlation", "request", "account", "subscription") ||
		has(around, "user", "host", "sensor", "process", "rule", "source", "target", "file", "technique", "tactic", "actor", "signature", "policy", "mitre", "attack") {
		return 0
	}
	switch {
	case has(w, "alert", "incident"):
		return 100
	case len(w) == 1:
		return 90
	case has(w, "event", "threat", "case", "ticket", "record", "log", "message", "unique"):
		return 80
	}
	return 50
}

// subjects are things that have names of their own.
func subjects() []string {
	return []string{"user", "host", "sensor", "file", "process", "group", "domain", "technique", "tactic", "parent", "site", "tenant", "customer", "policy", "app",
		"application", "service", "vendor", "product", "provider", "country", "city", "actor", "protocol", "source", "target", "os", "image", "session", "agent"}
}

func words2(f *field) bool {
	return !f.numeric() && f.share(isMoment) < 0.5 && f.share(isUUID) == 0 && f.share(isURL) < 0.5
}

func scoreTitle(f *field) int {
	switch f.path {
	case "@cef.name", "@snort.title":
		return 100
	case "@leef.event", "@cisco.text":
		return 60
	case "@syslog.message":
		return 12
	case "@line":
		return 11
	}
	w, around := f.words(), f.around()
	if !words2(f) || has(w, "id", "severity", "level", "status", "url", "hash", "ip", "path", "time", "time zone") || strings.HasPrefix(f.path, "@syslog") ||
		has(w, subjects()...) || has(around, subjects()...) {
		return 0
	}
	named := has(w, "name", "title")
	switch {
	case has(w, "title"):
		return 100
	case named && has(w, "alert", "incident"):
		return 97
	case named && has(w, "threat", "signature", "attack", "malware", "virus"):
		return 92
	case has(w, "signature"):
		return 86
	case named && has(w, "rule", "event"):
		return 80
	case has(w, "name") && has(around, "alert", "rule", "threat", "signature", "attack", "malware"):
		return 84
	case has(w, "summary", "headline", "subject"):
		return 75
	case len(w) == 1 && has(w, "name"):
		return 70
	case has(w, "alert", "threat", "attack", "virus", "malware") && len(w) == 1:
		return 60
	case has(w, "message"):
		return 50
	case has(w, "description"):
		return 45
	case has(w, "reason"):
		return 35
	case has(w, "category"):
		return 25
	case has(w, "type"):
		return 20
	}
	return 0
}

func scoreDesc(f *field) int {
	w := f.words()
	if !words2(f) || strings.HasPrefix(f.path, "@syslog") || has(f.around(), subjects()...) || has(w, "id", "url") {
		return 0
	}
	switch {
	case has(w, "description"):
		return 100
	case has(w, "message"):
		return 80
	case has(w, "summary"):
		return 60
	case has(w, "reason"):
		return 50
	}
	return 0
}

func scoreRule(f *field) int {
	w, around := f.words(), f.around()
	rule := []string{"rule", "signature", "detector", "analytic", "policy"}
	if !words2(f) || has(w, "id", "url", "type", "level", "version", "severity", "category", "action", "description") {
		return 0
	}
	switch {
	case has(w, rule...) && (len(w) == 1 || has(w, "name", "title")):
		return 100
	case has(around, rule...) && has(w, "name", "title"):
		return 90
	}
	return 0
}

func scoreRuleUID(f *field) int {
	switch f.path {
	case "@cef.class", "@cisco.code", "@snort.sid":
		return 100
	}
	w := f.words()
	if has(w, "id") && (has(w, "rule", "signature", "detector", "analytic", "policy") || has(f.around(), "rule", "signature", "detector", "analytic")) && !has(w, "name") {
		return 100
	}
	return 0
}

func scoreType(f *field) int {
	if f.path == "@snort.class" {
		return 100
	}
	w := f.words()
	if !words2(f) || len(f.order) > 50 || has(w, "id", "content", "mime") || has(f.around(), subjects()...) || has(w, subjects()...) {
		return 0
	}
	switch {
	case has(w, "category"):
		return 100
	case has(w, "type") && has(w, "threat", "alert", "attack", "event", "incident", "malware"):
		return 90
	case has(w, "classification"):
		return 80
	case len(w) == 1 && has(w, "type"):
		return 70
	case len(w) == 1 && has(w, "class", "kind"):
		return 60
	}
	return 0
}

func (d *drafter) severity(p *page) {
	all := d.rank(func(f *field) int {
		w := f.words()
		n := 0
		switch {
		case strings.HasPrefix(f.path, "@syslog"), has(w, "id") && !f.numeric(), has(w, "confidence", "reason"):
		case has(w, "severity"):
			n = 100
		case has(w, "risk", "threat", "alert") && has(w, "level", "score", "priority"):
			n = 75
		case has(w, "priority", "criticality", "urgency"):
			n = 60
		case has(w, "risk") && len(w) == 1:
			n = 58
		case len(w) == 1 && has(w, "level"):
			n = 50
		case len(w) == 1 && has(w, "score"):
			n = 40
		}
		switch {
		case n == 0:
		case f.share(isSeverity) > 0 && !f.numeric():
			n += 20
		case !f.numeric():
			n = 0
		}
		return n
	})
	if len(all) == 0 {
		p.note("  ", "severity:  # check: none was found; without one the severity is unknown")
		return
	}
	f := all[0].field
	d.used[f.path] = true
	path := q(d.ref(f.path))
	switch {
	case f.numeric():
		low, high := bounds(f)
		p.line("  severity: {path: "+path+", ranges: "+ranges(high)+"}", fmt.Sprintf("the vendor's scale; %s to %s seen, more taken for worse", trim(low), trim(high)))
	case f.all(isSeverity):
		p.line("  severity: "+path, "")
	default:
		var odd []string
		for _, v := range f.order {
			if !isSeverity(v) {
				odd = append(odd, v)
			}
		}
		p.line("  severity: "+path, "not understood, needs a map: "+strings.Join(odd[:min(len(odd), 10)], ", "))
	}
}

func bounds(f *field) (low, high float64) {
	for i, v := range f.order {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			continue
		}
		if i == 0 {
			low, high = n, n
		}
		low, high = min(low, n), max(high, n)
	}
	return low, high
}

func trim(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// ranges guesses a scale from its largest number.
func ranges(high float64) string {
	switch {
	case high <= 1:
		return "{0: low, 0.4: medium, 0.7: high, 0.9: critical}"
	case high <= 5:
		return "{0: informational, 2: low, 3: medium, 4: high, 5: critical}"
	case high <= 10:
		return "{0: informational, 1: low, 4: medium, 7: high, 9: critical}"
	case high <= 20:
		return "{0: informational, 3: low, 7: medium, 12: high, 15: critical}"
	case high <= 100:
		return "{0: informational, 1: low, 40: medium, 70: high, 90: critical}"
	}
	return "{0: informational, 1: low, 400: medium, 700: high, 900: critical}"
}

func (d *drafter) confidence(p *page) {
	all := d.rank(func(f *field) int {
		low, high := bounds(f)
		words := f.all(func(s string) bool { return slices.Contains([]string{"low", "medium", "high"}, strings.ToLower(s)) })
		if has(f.words(), "confidence") && (words || f.numeric() && low >= 0 && high > 1 && high <= 100) {
			return 100
		}
		return 0
	})
	if len(all) > 0 {
		d.plain(p, "confidence", all[:1])
	}
}
