package draft

import (
	"fmt"
	"slices"
	"strings"
)

// common are words of names that many vendors have.
func common() []string {
	return []string{"id", "time", "date", "name", "type", "message", "host", "severity", "level", "source", "target", "ip", "user", "status", "version",
		"description", "title", "category", "action", "event", "port", "protocol", "proto", "data", "value", "url", "tags", "count", "created", "updated",
		"priority", "summary", "address", "file", "hash", "process", "domain", "score", "state", "result", "reason", "class", "kind", "tenant"}
}

// detectKeys is how many keys a draft names.
const detectKeys = 3

// detect writes the shape: what names the maker, and the keys that are always
// there and least likely somebody else's.
func (d *drafter) detect(p *page) {
	p.line("detect:", "do these tell it from everything else?")
	var lines []string
	for _, f := range d.order {
		if v, ok := d.maker1(f); ok && len(lines) < 2 {
			lines = append(lines, "{"+q(f.path)+": "+q(v)+"}")
		}
	}
	keys := d.keys()
	for _, f := range keys[:min(len(keys), max(1, detectKeys-len(lines)))] {
		lines = append(lines, q(f.path))
	}
	if d.text == d.docs && len(keys) > 0 && strings.HasPrefix(keys[0].path, "@line") && len(lines) == 1 {
		// A line of words: what it begins with is all there is.
		if prefix := commonPrefix(keys[0].order); prefix != "" {
			lines = []string{"{'@line': {prefix: " + q(prefix) + "}}"}
		}
	}
	for _, l := range lines {
		p.line("  - "+l, "")
	}
	if len(keys) == 0 && len(lines) == 0 {
		d.either(p)
	}
}

// maker1 tells a field whose one value in all samples names the maker.
func (d *drafter) maker1(f *field) (string, bool) {
	if f.docs != d.docs || f.array != "" || len(f.order) != 1 || f.more || strings.HasSuffix(f.path, "[]") || f.number > 0 {
		return "", false
	}
	w := f.words()
	v := f.order[0]
	ok := has(w, "vendor", "product", "provider", "manufacturer", "facility") && !has(w, "id", "version") && len(f.names) <= 3
	return v, ok && len(v) <= 64 && !strings.ContainsAny(v, "\n\r\t") && !strings.HasPrefix(f.path, "@syslog")
}

// keys gives the fields that all documents have, the least common names first.
func (d *drafter) keys() (all []*field) {
	ordinary := common()
	rare := func(f *field) int {
		n := 0
		for _, name := range f.names {
			for _, w := range words(name) {
				if !slices.Contains(ordinary, w) {
					n += 2
				}
			}
			n++
			if strings.HasPrefix(name, "@line") || strings.HasPrefix(name, "@syslog") {
				n -= 20
			}
			if strings.HasPrefix(name, "@col") {
				n -= 5
			}
		}
		if strings.Contains(f.path, "[]") {
			n -= 10
		}
		return n
	}
	for _, f := range d.order {
		if f.docs != d.docs || strings.Contains(f.path, "{}") || len(f.order) == 0 {
			continue
		}
		if _, ok := d.maker1(f); !ok {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *field) int { return rare(b) - rare(a) })
	return spread(all)
}

// spread puts the first of each top-level name before the others: keys of one
// object come and go together.
func spread(all []*field) []*field {
	var first, rest []*field
	seen := map[string]bool{}
	for _, f := range all {
		top := f.names[0]
		if strings.HasPrefix(top, "@") {
			top = f.path
		}
		if seen[top] {
			rest = append(rest, f)
		} else {
			first = append(first, f)
		}
		seen[top] = true
	}
	return append(first, rest...)
}

// either writes a shape for samples that share no key.
func (d *drafter) either(p *page) {
	left := slices.Clone(d.order)
	slices.SortStableFunc(left, func(a, b *field) int { return b.docs - a.docs })
	var paths []string
	for _, f := range left {
		if len(paths) < 20 && !strings.Contains(f.path, "{}") && len(f.order) > 0 {
			paths = append(paths, q(f.path))
		}
	}
	if len(paths) == 0 { // nothing but empty values, or JSON in strings
		paths = []string{"'@line'"}
	}
	p.line("  - any: ["+strings.Join(paths, ", ")+"]", "the samples share no key: are they of one format?")
}

func commonPrefix(all []string) string {
	prefix := all[0]
	for _, s := range all[1:] {
		for !strings.HasPrefix(s, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	if i := strings.LastIndexAny(prefix, " :="); i > 0 && len(all) > 1 {
		prefix = prefix[:i+1]
	}
	if len(all) == 1 {
		prefix, _, _ = strings.Cut(prefix, " ")
	}
	if len(prefix) < 3 {
		return ""
	}
	return prefix
}

// alert writes which documents are alerts, where a field tells them apart by a
// word for it.
func (d *drafter) alert(p *page) {
	for _, f := range d.order {
		w := f.words()
		if !d.single(f) || !has(w, "type", "kind", "category", "class", "event", "action", "module") || has(w, "id") || f.more || len(f.order) < 2 || len(f.order) > 20 || !d.always(f) {
			continue
		}
		var yes, no []string
		for _, v := range f.order {
			if alertish(v) {
				yes = append(yes, v)
			} else {
				no = append(no, v)
			}
		}
		if len(yes) > 0 && len(no) > 0 {
			d.used[f.path] = true
			p.line("alert:", "")
			p.line("  - {"+q(d.ref(f.path))+": "+list(yes)+"}", "not so: "+strings.Join(no, ", "))
			return
		}
	}
	p.note("", "alert:  # check: every document counts as an alert; write a condition if some are not")
	p.note("", fmt.Sprintf("  - {%s: [detection]}", "some_path"))
}

func alertish(v string) bool {
	v = strings.ToLower(v)
	for _, w := range []string{"alert", "alarm", "detect", "threat", "malware", "virus", "attack", "intrusion", "incident", "finding", "anomal", "suspicious", "violation"} {
		if strings.Contains(v, w) {
			return true
		}
	}
	return false
}
