package mapping

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/stages/normalize/canon"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// value is a compiled value: where it is taken from and what is done to it.
type value struct {
	ref      ref    // path
	constant string // const
	first    []*value
	all      []*value
	parts    []part // text
	find     *find  // lookup: path is then taken in the element it finds

	when   *cond
	chain  []step
	lookup map[string]string
	sizes  uint64 // bit by length of lookup's keys, the last for all longer ones
	other  string // for a text that map does not have
	marks  []mark // ranges, ascending
	def    string

	plain bool // a path and nothing else
	as    bool // texts are taken as they are: no steps, map or ranges
}

// find names another element of the document: the first of list whose where has
// the text of is.
type find struct {
	list, where ref
	is          *value
}

// part is a piece of a joined text: literal, or a value.
type part struct {
	text     string
	value    *value
	optional bool
}

// step cuts a text.
type step struct {
	kind  stepKind
	sep   string
	regex *regexp.Regexp
}

type stepKind uint8

const (
	stepBefore stepKind = iota
	stepAfter
	stepAfterLast
	stepMatch
	stepLower
	stepSplit
)

type mark struct {
	bound float64
	out   string
}

func valueKeys() []string {
	return []string{"path", "first", "all", "const", "text", "when", "before", "after", "after_last", "match", "split", "lower", "map", "else",
		"ranges", "default", "lookup", "where", "is"}
}

// value compiles a value. extra are keys that the rule around it may have in the
// same mapping.
func (c *compiler) value(n *yaml.Node, from scope, extra ...string) *value {
	switch n.Kind {
	case yaml.ScalarNode:
		return &value{ref: c.path(n, c.string(n), from), plain: true, as: true}
	case yaml.SequenceNode:
		return &value{first: c.valuesOf(n, from), as: true}
	case yaml.MappingNode:
		return c.built(c.table(n), from, extra)
	}
	c.bad(n, "want a path, a list or a mapping")
	return &value{}
}

func (c *compiler) valuesOf(n *yaml.Node, from scope) (all []*value) {
	for _, x := range c.list(n) {
		all = append(all, c.value(x, from))
	}
	return all
}

func (c *compiler) built(t table, from scope, extra []string) *value {
	c.only(t, append(valueKeys(), extra...)...)
	v := &value{}
	sources, at := 0, from
	if n := t.at["lookup"]; n != nil {
		v.find = &find{}
		v.find.list, at = c.each(n, from)
		if t.at["where"] == nil || t.at["is"] == nil || t.at["path"] == nil {
			c.bad(n, "lookup needs where, is and path")
			return v
		}
		v.find.where, v.find.is = c.path(t.at["where"], c.string(t.at["where"]), at), c.value(t.at["is"], from)
	}
	for _, k := range []string{"path", "first", "all", "const", "text"} {
		n := t.at[k]
		if n == nil {
			continue
		}
		sources++
		switch k {
		case "path":
			if n.Kind == yaml.SequenceNode {
				v.first = c.valuesOf(n, from)
			} else {
				v.ref = c.path(n, c.string(n), at)
			}
		case "first":
			v.first = c.valuesOf(n, from)
		case "all":
			v.all = c.valuesOf(n, from)
		case "const":
			v.constant = c.string(n)
		case "text":
			v.parts = c.template(n, c.string(n), from)
		}
	}
	if sources != 1 {
		c.bad(t.node, "a value needs one of path, first, all, const, text")
	}
	v.when = c.cond(t.at["when"], from)
	for _, k := range t.keys { // in the order in which they are written
		c.step(v, k, t.at[k])
	}
	if n := t.at["map"]; n != nil {
		v.lookup = map[string]string{}
		m := c.table(n)
		for _, k := range m.keys {
			key := strings.ToLower(k)
			if other, twice := v.lookup[key]; twice && other != c.string(m.at[k]) {
				c.bad(m.at[k], "%q is there in another case with another value: %q", k, other)
			}
			v.lookup[key] = c.string(m.at[k])
			v.sizes |= 1 << min(len(key), 63)
		}
	}
	if n := t.at["else"]; n != nil {
		if v.other = c.string(n); v.lookup == nil {
			c.bad(n, "else without map")
		}
	}
	if n := t.at["ranges"]; n != nil {
		m := c.table(n)
		for _, k := range m.keys {
			f, ok := number(k)
			if !ok {
				c.bad(m.at[k], "%q is no number", k)
			}
			v.marks = append(v.marks, mark{f, c.string(m.at[k])})
		}
		slices.SortFunc(v.marks, func(a, b mark) int {
			switch {
			case a.bound < b.bound:
				return -1
			case a.bound > b.bound:
				return 1
			}
			return 0
		})
	}
	v.def = c.string(t.at["default"])
	v.plain = t.at["path"] != nil && v.first == nil && len(t.keys) == 1
	v.as = v.chain == nil && v.lookup == nil && v.marks == nil
	return v
}

// step compiles one of the keys that cut texts.
func (c *compiler) step(v *value, key string, n *yaml.Node) {
	switch key {
	case "before":
		v.chain = append(v.chain, step{kind: stepBefore, sep: c.string(n)})
	case "after":
		v.chain = append(v.chain, step{kind: stepAfter, sep: c.string(n)})
	case "after_last":
		v.chain = append(v.chain, step{kind: stepAfterLast, sep: c.string(n)})
	case "match":
		re, err := regexp.Compile(c.string(n))
		switch {
		case err != nil:
			c.bad(n, "match: %v", err)
		case re.NumSubexp() < 1:
			c.bad(n, "match needs a group in brackets: it is what is taken")
		default:
			v.chain = append(v.chain, step{kind: stepMatch, regex: re})
		}
	case "split":
		v.chain = append(v.chain, step{kind: stepSplit, sep: c.string(n)})
		if c.string(n) == "" {
			c.bad(n, "split by nothing")
		}
	case "lower":
		if c.bool(n) {
			v.chain = append(v.chain, step{kind: stepLower})
		}
	}
}

// template compiles "{gid}:{sid?}". A brace within a path, as in {a{}.b}, nests.
func (c *compiler) template(n *yaml.Node, text string, from scope) (parts []part) {
	for text != "" {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return append(parts, part{text: text})
		}
		if i > 0 {
			parts = append(parts, part{text: text[:i]})
		}
		depth, end := 0, -1
		for j := i; j < len(text) && end < 0; j++ {
			switch text[j] {
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					end = j
				}
			}
		}
		if end < 0 {
			c.bad(n, "a brace is not closed")
			return parts
		}
		path, optional := strings.CutSuffix(text[i+1:end], "?")
		parts = append(parts, part{value: &value{ref: c.path(n, path, from), plain: true}, optional: optional})
		text = text[end+1:]
	}
	return parts
}

// outs gives everything a value can give if that is known: its map, ranges,
// default and constants. open says that it may give other texts, too.
func (v *value) outs() (all []string, open bool) {
	switch {
	case v.marks != nil: // the last of all steps
		for _, m := range v.marks {
			all = append(all, m.out)
		}
	case v.lookup != nil:
		for _, k := range slices.Sorted(maps.Keys(v.lookup)) {
			all = append(all, v.lookup[k])
		}
		all = append(all, v.other)
	case v.first != nil || v.all != nil:
		for _, x := range append(slices.Clone(v.first), v.all...) {
			sub, o := x.outs()
			all, open = append(all, sub...), open || o
		}
	case v.constant != "":
		all = append(all, v.constant)
	default:
		open = true
	}
	return append(all, v.def), open
}

// text gives the first text of a value, "" where there is none.
func (v *value) text(r *Runner) string {
	switch {
	case v == nil:
		return ""
	case v.plain:
		return r.text(v.ref)
	case v.first != nil && v.as && v.when == nil && v.def == "":
		for _, x := range v.first {
			if s := x.text(r); s != "" {
				return s
			}
		}
		return ""
	}
	mark := len(r.texts)
	r.collect(v)
	s := ""
	if len(r.texts) > mark {
		s = r.texts[mark]
	}
	r.texts = r.texts[:mark]
	return s
}

// collect appends all texts of a value to r.texts.
func (r *Runner) collect(v *value) {
	mark := len(r.texts)
	if v.when.holds(r) {
		r.source(v)
		switch {
		case !v.as:
			r.work(v, mark)
		case len(r.texts)-mark > maxTexts:
			r.texts = r.texts[:mark+maxTexts]
		}
	}
	if len(r.texts) == mark && v.def != "" {
		r.texts = append(r.texts, v.def)
	}
}

func (r *Runner) source(v *value) {
	mark := len(r.texts)
	switch {
	case v.constant != "":
		r.texts = append(r.texts, v.constant)
	case v.parts != nil:
		if s := r.joined(v.parts); s != "" {
			r.texts = append(r.texts, s)
		}
	case v.all != nil:
		for _, x := range v.all {
			r.collect(x)
		}
	case v.first != nil:
		for _, x := range v.first {
			if r.collect(x); len(r.texts) > mark {
				return
			}
		}
	case v.find != nil:
		r.found(v)
	default:
		for t, i := r.firstText(v.ref); i >= 0; i = r.nextText(t, i) {
			r.texts = append(r.texts, r.tape.Values[i].Text)
		}
	}
}

// found appends what a lookup gives.
func (r *Runner) found(v *value) {
	want := v.find.is.text(r)
	if want == "" {
		return
	}
	for t, i := r.first(v.find.list); i >= 0; i = r.next(t, i) {
		if r.tape.Values[i].Kind != extract.Object {
			continue
		}
		outer, s := r.enter(t, i), ""
		if r.text(v.find.where) == want {
			s = r.text(v.ref)
		}
		if r.leave(outer); s != "" {
			r.texts = append(r.texts, s)
			return
		}
	}
}

func (r *Runner) joined(parts []part) string {
	mark := len(r.arena.Buf)
	for i := range parts {
		p := &parts[i]
		if p.value == nil {
			r.arena.Buf = append(r.arena.Buf, p.text...)
			continue
		}
		s := r.text(p.value.ref)
		if s == "" && !p.optional {
			r.arena.Buf = r.arena.Buf[:mark]
			return ""
		}
		r.arena.Buf = append(r.arena.Buf, s...)
	}
	return r.arena.From(mark)
}

// maxTexts bounds the texts of one value.
const maxTexts = 4096

// work applies the steps to the texts from mark on, in place.
func (r *Runner) work(v *value, mark int) {
	if len(r.texts)-mark > maxTexts {
		r.texts = r.texts[:mark+maxTexts]
	}
	for i := range v.chain {
		s := &v.chain[i]
		if s.kind == stepSplit {
			r.split(s.sep, mark)
			continue
		}
		for j := mark; j < len(r.texts); j++ {
			r.texts[j] = s.cut(r, r.texts[j])
		}
	}
	if v.lookup != nil {
		for j := mark; j < len(r.texts); j++ {
			r.texts[j] = v.mapped(r, r.texts[j])
		}
	}
	if v.marks != nil {
		for j := mark; j < len(r.texts); j++ {
			r.texts[j] = within(v.marks, r.texts[j])
		}
	}
	kept := r.texts[:mark]
	for _, s := range r.texts[mark:] {
		if s != "" {
			kept = append(kept, s)
		}
	}
	r.texts = kept
}

// mapped looks a text up. Letters that change their length with their case are not
// found; no vendor's enumeration has any.
func (v *value) mapped(r *Runner, text string) string {
	if text == "" {
		return ""
	}
	if v.sizes>>min(len(text), 63)&1 == 1 {
		mark := len(r.arena.Buf)
		out, ok := v.lookup[canon.Lower(r.arena, text)]
		r.arena.Buf = r.arena.Buf[:mark] // nobody has the lower case
		if ok {
			return out
		}
	}
	return v.other
}

func (r *Runner) split(sep string, mark int) {
	n := len(r.texts)
	for j := mark; j < n; j++ {
		for rest, more := r.texts[j], true; more && len(r.texts)-mark < maxTexts; {
			var one string
			one, rest, more = strings.Cut(rest, sep)
			r.texts = append(r.texts, strings.TrimSpace(one))
		}
	}
	r.texts = slices.Delete(r.texts, mark, n)
}

func (s *step) cut(r *Runner, text string) string {
	switch s.kind {
	case stepBefore:
		before, _, _ := strings.Cut(text, s.sep)
		return before
	case stepAfter:
		if _, after, ok := strings.Cut(text, s.sep); ok {
			return after
		}
	case stepAfterLast:
		if i := strings.LastIndex(text, s.sep); i >= 0 {
			return text[i+len(s.sep):]
		}
	case stepMatch:
		m := s.regex.FindStringSubmatchIndex(text)
		if m == nil || m[2] < 0 {
			return ""
		}
		return text[m[2]:m[3]]
	case stepLower:
		return canon.Lower(r.arena, text)
	}
	return text
}

// within gives the out of the largest bound that is not above the number.
func within(marks []mark, text string) (out string) {
	f, ok := number(strings.TrimSpace(text))
	if !ok {
		return ""
	}
	for _, m := range marks {
		if f < m.bound {
			break
		}
		out = m.out
	}
	return out
}
