package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// Format is one compiled spelling of a format.
type Format struct {
	*Source
	Spelling string // "" as written

	detect     []cond
	alert      *cond
	split      *ref
	prefixes   []string // of paths inside the elements
	sets       []set
	entities   []rule
	techniques []technique
	wanted     []string
}

// Set is many formats compiled into one. Immutable; any number of Runners may
// share it.
type Set struct {
	Trie    *extract.Trie
	Formats []Format // specific ones before generic ones, built-in ones before users', by name
	index   index
}

// compiler lays out one spelling of one format.
type compiler struct {
	reader
	trie   *extract.Trie
	spell  func(path string) []string
	wanted []string
}

// Compile lays out formats over one trie. t may have paths of others already.
// Formats of equal names are an error.
func Compile(t *extract.Trie, sources []*Source) (*Set, error) {
	s := &Set{Trie: t}
	var errs []error
	seen := map[string]*Source{}
	for _, src := range sources {
		if other := seen[src.Name]; other != nil {
			errs = append(errs, fmt.Errorf("%s: format %s is also in %s", src.File, src.Name, other.File))
			continue
		}
		seen[src.Name] = src
		formats, err := compileSource(t, src)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.Formats = append(s.Formats, formats...)
	}
	slices.SortStableFunc(s.Formats, func(a, b Format) int {
		if a.Generic != b.Generic {
			if b.Generic {
				return -1
			}
			return 1
		}
		if a.User != b.User {
			if b.User {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := t.Compile(); err != nil {
		return nil, err
	}
	s.index = newIndex(s.Formats, len(extract.NewTape(t).First))
	return s, nil
}

func compileSource(t *extract.Trie, src *Source) ([]Format, error) {
	base := &compiler{reader: reader{file: src.File}, trie: t}
	spellings := base.strings(src.root.at["spellings"])
	names := []string{""}
	var flat func(string) []string
	for _, name := range spellings {
		switch {
		case name == "dotted":
			flat = dotted
		case spelling(name) != nil:
			names = append(names, name)
		default:
			base.bad(src.root.at["spellings"], "unknown spelling %q, want capitalized, lower_top, dotted or log_analytics", name)
		}
	}
	errs := base.errs
	var formats []Format
	for _, name := range names {
		c := &compiler{reader: reader{file: src.File}, trie: t, spell: spelling(name)}
		if name == "" {
			c.spell = flat
		}
		formats = append(formats, c.format(src, name))
		if len(c.errs) > 0 {
			errs = append(errs, c.errs...)
			break // the other spellings have the same faults
		}
	}
	return formats, errors.Join(errs...)
}

func (c *compiler) format(src *Source, spelling string) Format {
	f := Format{Source: src, Spelling: spelling}
	at := src.root.at
	for _, n := range c.list(at["detect"]) {
		f.detect = append(f.detect, c.condition(n, nil))
	}
	if len(f.detect) == 0 {
		c.bad(at["detect"], "detect needs a condition")
	}
	var from scope
	if n := at["split"]; n != nil {
		x := c.path(n, c.string(n), nil)
		f.split, from = &x, splitAlternatives(c.string(n))
		if slices.ContainsFunc(from, func(p string) bool { return strings.HasPrefix(p, "$.") }) {
			c.bad(n, `split starts at the document: leave out "$."`)
		}
		f.prefixes = c.wanted[len(c.wanted)-len(x):]
	}
	if n := at["alert"]; n != nil {
		if n.Kind == yaml.ScalarNode && n.Value == "never" {
			f.alert = &cond{test: testNever}
		} else {
			f.alert = c.cond(n, from)
		}
	}
	if n := at["set"]; n != nil {
		f.sets = c.sets(c.table(n), from)
	}
	if n := at["entities"]; n != nil {
		f.entities = c.rules(n, from)
	}
	if n := at["techniques"]; n != nil {
		f.techniques = c.techniquesOf(n, from)
	}
	f.wanted = c.wanted
	return f
}

// Wanted lists the paths that the format reads.
func (f *Format) Wanted() []string { return f.wanted }

// Elements calls yield with each alert-to-be of a document of format f: the
// document, or the elements it is split into (of every alternative), and the bytes of it (nil: the
// document's). It stops where yield says so. A document that is to be split and
// has nothing to split gives no element.
func (r *Runner) Elements(f *Format, t *extract.Tape, yield func(bytes string) bool) {
	r.whole(t)
	r.looked = 0
	if f.split == nil {
		yield("")
		return
	}
	for i := range *f.split {
		for x, at := r.first((*f.split)[i : i+1]); at >= 0; at = r.next(x, at) {
			v := &t.Values[at]
			if v.Kind != extract.Object {
				continue
			}
			outer := r.enter(x, at)
			more := yield(v.Text)
			if r.leave(outer); !more {
				return
			}
		}
	}
}

// IsAlert says whether the element at hand is an alert.
func (r *Runner) IsAlert(f *Format) bool { return f.alert.holds(r) }

// Fill fills a from the element at hand; of hearsay nothing is attested. A fault
// means that the document cannot be understood.
func (r *Runner) Fill(f *Format, a *schema.Alert, hearsay bool) extract.Fault {
	r.alert, r.fault, r.hearsay = a, extract.Fault{}, false
	if r.look(0); r.fault.Reason != 0 { // the elements before wanted too much
		return r.fault
	}
	a.Vendor, a.Product = f.Vendor, f.Product
	for i := range f.sets {
		r.set1(&f.sets[i])
	}
	for i := range f.techniques {
		r.technique(&f.techniques[i])
	}
	r.apply(f.entities, schema.RoleRelated, hearsay)
	return r.fault
}

// Rule gives the text of a line of the format, for people.
func (f *Format) Rule(line int) string {
	if line < 1 || line > len(f.Lines) {
		return ""
	}
	return strings.TrimSpace(f.Lines[line-1])
}

// Inside gives a wanted path as it is seen from an element that the format splits
// documents into.
func (f *Format) Inside(path string) string {
	for _, prefix := range f.prefixes {
		if rest, ok := strings.CutPrefix(path, prefix+"."); ok {
			return rest
		}
	}
	return path
}
