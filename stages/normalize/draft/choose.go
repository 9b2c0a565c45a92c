package draft

import (
	"fmt"
	"slices"
	"strings"
)

// Draft writes a format.yaml of the given name.
func (s *Sample) Draft(name string) []byte {
	d := &drafter{Sample: s, used: map[string]bool{}}
	d.split = d.findSplit()
	p := &page{}
	d.head(p, name)
	d.detect(p)
	d.alert(p)
	if d.split != "" {
		p.line("split: "+q(d.split), "each element is an alert of its own")
	}
	d.set(p)
	d.entities(p)
	d.techniques(p)
	d.leftover(p)
	return []byte(p.String())
}

// drafter is one draft under way.
type drafter struct {
	*Sample
	split string
	used  map[string]bool // paths
}

// ref writes the path of a field as rules outside each have it.
func (d *drafter) ref(path string) string {
	if d.split == "" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, d.split+"."); ok {
		return rest
	}
	return "$." + path
}

// single reports whether a field has one value for each alert.
func (d *drafter) single(f *field) bool {
	return f.array == d.split && !strings.HasSuffix(f.path, "[]")
}

// always reports whether each alert seen has the field.
func (d *drafter) always(f *field) bool {
	return f.docs == d.docs && (d.split == "" || f.array == d.split)
}

// alone is a single document, in which nothing can be seen to repeat.
func (d *drafter) alone() bool { return d.docs == 1 && d.split == "" }

type candidate struct {
	*field
	score int
}

// rank gives the fields with a score, best first.
func (d *drafter) rank(score func(*field) int) (all []candidate) {
	for _, f := range d.order {
		root := d.split != "" && f.array == "" && !strings.HasSuffix(f.path, "[]")
		if len(f.order) == 0 || !d.single(f) && !root {
			continue
		}
		n := score(f)
		if n <= 0 {
			continue
		}
		n = 10*n - 20*len(f.names) + 40*f.docs/d.docs
		if root {
			n -= 400
		}
		all = append(all, candidate{f, n})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return b.score - a.score })
	return all
}

// maxAlternatives bounds the paths of one field.
const maxAlternatives = 3

// paths joins the best fields until every document has one.
func (d *drafter) paths(all []candidate) (text string, check string) {
	var paths []string
	for _, c := range all {
		paths = append(paths, d.ref(c.path))
		d.used[c.path] = true
		if d.always(c.field) || len(paths) == maxAlternatives {
			break
		}
	}
	if c := all[0]; !d.always(c.field) {
		check = fmt.Sprintf("in %d of %d samples", c.docs, d.docs)
	}
	return strings.Join(paths, "|"), check
}

// findSplit finds the array whose elements are the alerts, where the document
// around has nothing of an alert itself.
func (d *drafter) findSplit() string {
	parts := map[string]int{} // bits by array
	many := map[string]bool{}
	var arrays []string
	for _, f := range d.order {
		if strings.Contains(f.array, "{}") || strings.Count(f.array, "[]") > 1 || len(f.names) > 2+strings.Count(f.array, ".") {
			continue
		}
		if parts[f.array] == 0 && f.array != "" {
			arrays = append(arrays, f.array)
		}
		w := f.words()
		switch {
		case has(w, "id") && f.unique():
			parts[f.array] |= 1
		case has(w, "severity", "priority", "title", "summary"), has(w, "alert", "rule", "threat", "signature") && has(w, "name"):
			parts[f.array] |= 2
		case has(w, "time", "date", "created") && f.all(isMoment):
			parts[f.array] |= 4
		}
		many[f.array] = many[f.array] || f.values > f.docs
	}
	for _, a := range arrays {
		if parts[a] == 7 && parts[""]&2 == 0 && many[a] {
			return a
		}
	}
	return ""
}

func (d *drafter) head(p *page, name string) {
	p.line("format: "+q(name), "")
	vendor, product := d.maker("vendor"), d.maker("product")
	switch {
	case vendor != "":
		p.line("vendor: "+q(vendor), "")
	default:
		p.line("vendor: "+q(title(name)), "the vendor's name")
	}
	switch {
	case product != "":
		p.line("product: "+q(product), "")
	default:
		p.line("product: "+q(title(name)), "the product's name")
	}
	p.line("doc: "+q(title(name)+"; every document."), "one line: what it reads, and what it takes for an alert")
}

// maker gives the only value of a field that names the vendor or the product.
func (d *drafter) maker(what string) string {
	for _, f := range d.order {
		w := f.words()
		if len(f.order) == 1 && f.docs == d.docs && slices.Equal(w[max(0, len(w)-1):], []string{what}) || len(f.order) == 1 && has(w, what) && has(w, "name") && f.docs == d.docs {
			if v := f.order[0]; len(v) <= 64 && !strings.ContainsAny(v, "\n\r\t") {
				return v
			}
		}
	}
	return ""
}

// title makes a name for people of one for machines.
func title(name string) string {
	all := strings.Split(name, "_")
	for i, w := range all {
		if w != "" {
			all[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(all, " ")
}

// maxLeftover bounds the list of paths that nothing reads.
const maxLeftover = 60

// leftover lists what the draft does not read.
func (d *drafter) leftover(p *page) {
	var left []string
	for _, f := range d.order {
		if !d.used[f.path] && len(f.order) > 0 && !strings.HasPrefix(f.path, "@line") && f.path != "@syslog.message" {
			left = append(left, f.path)
		}
	}
	if len(left) == 0 {
		return
	}
	p.line("", "")
	p.note("", "Not read:")
	for i, path := range left {
		if i == maxLeftover {
			p.note("", fmt.Sprintf("  and %d more", len(left)-i))
			break
		}
		p.note("", "  "+path)
	}
}
