package mapping

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/stages/normalize/canon"
)

// test is what a condition asks of a path's values.
type test uint8

const (
	testAll test = iota // sub conditions
	testAny
	testNone
	testNever
	testHas
	testHasNot
	testIs
	testIsNot
	testFold
	testPrefix
	testSuffix
	testContains
	testAbove
	testAtLeast
	testBelow
	testAtMost
)

// cond is a compiled condition.
type cond struct {
	test   test
	ref    ref
	texts  []string
	many   map[string]struct{} // texts, where there are many
	number float64
	sub    []cond
}

// manyTexts is from where a map beats looking at one after the other.
const manyTexts = 9

// cond compiles a condition; a missing node always holds.
func (c *compiler) cond(n *yaml.Node, from scope) *cond {
	if n == nil {
		return nil
	}
	x := c.condition(n, from)
	return &x
}

func (c *compiler) condition(n *yaml.Node, from scope) cond {
	switch n.Kind {
	case yaml.ScalarNode:
		return cond{test: testHas, ref: c.path(n, c.string(n), from)}
	case yaml.SequenceNode:
		return c.conditions(testAll, n, from)
	case yaml.MappingNode:
		all := cond{test: testAll}
		t := c.table(n)
		for _, k := range t.keys {
			v := t.at[k]
			switch k {
			case "all":
				all.sub = append(all.sub, c.conditions(testAll, v, from))
			case "any":
				all.sub = append(all.sub, c.conditions(testAny, v, from))
			case "none":
				all.sub = append(all.sub, c.conditions(testNone, v, from))
			default:
				all.sub = append(all.sub, c.tests(v, c.path(n, k, from))...)
			}
		}
		if len(all.sub) == 0 {
			c.bad(n, "empty condition")
		}
		if len(all.sub) == 1 {
			return all.sub[0]
		}
		return all
	}
	c.bad(n, "want a condition")
	return cond{}
}

func (c *compiler) conditions(t test, n *yaml.Node, from scope) cond {
	x := cond{test: t}
	for _, sub := range c.list(n) {
		x.sub = append(x.sub, c.condition(sub, from))
	}
	switch {
	case len(x.sub) == 0:
		c.bad(n, "empty list of conditions")
	case len(x.sub) == 1 && t == testAll:
		return x.sub[0]
	}
	return x
}

// tests compiles what stands after a path.
func (c *compiler) tests(n *yaml.Node, r ref) (all []cond) {
	if n.Kind != yaml.MappingNode {
		return []cond{oneOf(testIs, r, c.strings(n))}
	}
	t := c.table(n)
	for _, k := range t.keys {
		v := t.at[k]
		switch k {
		case "is":
			all = append(all, oneOf(testIs, r, c.strings(v)))
		case "not":
			all = append(all, oneOf(testIsNot, r, c.strings(v)))
		case "fold":
			texts := c.strings(v)
			for i := range texts {
				texts[i] = strings.ToLower(texts[i])
			}
			all = append(all, oneOf(testFold, r, texts))
		case "prefix":
			all = append(all, cond{test: testPrefix, ref: r, texts: c.strings(v)})
		case "suffix":
			all = append(all, cond{test: testSuffix, ref: r, texts: c.strings(v)})
		case "contains":
			all = append(all, cond{test: testContains, ref: r, texts: c.strings(v)})
		case "above", "atleast", "below", "atmost":
			f, err := strconv.ParseFloat(c.string(v), 64)
			if err != nil {
				c.bad(v, "%s wants a number", k)
			}
			kind := map[string]test{"above": testAbove, "atleast": testAtLeast, "below": testBelow, "atmost": testAtMost}[k]
			all = append(all, cond{test: kind, ref: r, number: f})
		case "has":
			kind := testHasNot
			if c.bool(v) {
				kind = testHas
			}
			all = append(all, cond{test: kind, ref: r})
		default:
			c.bad(v, "unknown test %q, want is, not, fold, prefix, suffix, contains, above, atleast, below, atmost or has", k)
		}
	}
	if len(all) == 0 {
		c.bad(n, "empty test")
	}
	return all
}

func oneOf(t test, r ref, texts []string) cond {
	x := cond{test: t, ref: r, texts: texts}
	if len(texts) >= manyTexts {
		x.many = make(map[string]struct{}, len(texts))
		for _, s := range texts {
			x.many[s] = struct{}{}
		}
	}
	return x
}

// holds evaluates a condition in the runner's scope. nil always holds.
func (c *cond) holds(r *Runner) bool { return c == nil || c.asks(r) }

// asks is holds for a condition that there is.
func (c *cond) asks(r *Runner) bool {
	switch c.test {
	case testNever:
		return false
	case testAll:
		for i := range c.sub {
			if !c.sub[i].holds(r) {
				return false
			}
		}
		return true
	case testAny, testNone:
		for i := range c.sub {
			if c.sub[i].holds(r) {
				return c.test == testAny
			}
		}
		return c.test == testNone
	case testHas:
		return r.has(c.ref)
	case testHasNot:
		return !r.has(c.ref)
	case testIsNot:
		for t, i := r.firstText(c.ref); i >= 0; i = r.nextText(t, i) {
			if c.member(r.tape.Values[i].Text) {
				return false
			}
		}
		return r.has(c.ref)
	}
	for t, i := r.firstText(c.ref); i >= 0; i = r.nextText(t, i) {
		if c.passes(r, r.tape.Values[i].Text) {
			return true
		}
	}
	return false
}

// passes asks the test of one text.
func (c *cond) passes(r *Runner, s string) bool {
	switch c.test {
	case testIs:
		return c.member(s)
	case testFold:
		mark := len(r.arena.Buf)
		is := c.member(canon.Lower(r.arena, s))
		r.arena.Buf = r.arena.Buf[:mark] // nobody has it
		return is
	case testPrefix:
		for _, x := range c.texts {
			if strings.HasPrefix(s, x) {
				return true
			}
		}
	case testSuffix:
		for _, x := range c.texts {
			if strings.HasSuffix(s, x) {
				return true
			}
		}
	case testContains:
		for _, x := range c.texts {
			if strings.Contains(s, x) {
				return true
			}
		}
	default:
		f, ok := number(s)
		if !ok {
			return false
		}
		switch c.test {
		case testAbove:
			return f > c.number
		case testAtLeast:
			return f >= c.number
		case testBelow:
			return f < c.number
		case testAtMost:
			return f <= c.number
		}
	}
	return false
}

func (c *cond) member(s string) bool {
	if c.many != nil {
		_, ok := c.many[s]
		return ok
	}
	for _, x := range c.texts {
		if s == x {
			return true
		}
	}
	return false
}

// number reads a decimal number; ParseFloat's error would cost an allocation for
// each text that is none.
func number(s string) (float64, bool) {
	if s == "" || len(s) > 32 || (s[0]-'0' > 9 && s[0] != '-' && s[0] != '+' && s[0] != '.') {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}
