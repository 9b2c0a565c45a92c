package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// ref is a path as laid out: its alternatives, best first.
type ref []target

// slots gives those of the alternatives.
func (x ref) slots() (all []extract.Slot) {
	for _, t := range x {
		all = append(all, t.slot)
	}
	return all
}

// target is a slot, and where it is looked for.
type target struct {
	slot extract.Slot
	root bool // in the whole document, wherever the rule stands
}

// scope is the place from which paths start while a rule is compiled.
type scope []string // alternatives; empty: the document

// path lays out one path with its alternatives.
func (c *compiler) path(n *yaml.Node, text string, from scope) ref {
	return c.paths(n, splitAlternatives(text), from)
}

func (c *compiler) paths(n *yaml.Node, alternatives []string, from scope) ref {
	var x ref
	add := func(full string, root bool) {
		if c.spell != nil {
			for _, p := range c.spell(full) {
				c.add(n, p, root, &x)
			}
			return
		}
		c.add(n, full, root, &x)
	}
	for _, p := range alternatives {
		rest, absolute := strings.CutPrefix(p, "$.")
		switch {
		case absolute:
			add(rest, true)
		case len(from) == 0:
			if p == "." {
				c.bad(n, `"." is for rules inside each`)
				return x
			}
			add(p, true)
		default:
			for _, prefix := range from {
				if p == "." {
					add(prefix, false)
				} else {
					add(prefix+"."+p, false)
				}
			}
		}
	}
	return x
}

func (c *compiler) add(n *yaml.Node, path string, root bool, x *ref) {
	s, err := c.trie.Add(path)
	if err != nil {
		c.bad(n, "path: %v", err)
		return
	}
	*x = append(*x, target{s, root})
	c.wanted = append(c.wanted, path)
}

// splitAlternatives cuts at "|", but not at "\|".
func splitAlternatives(text string) (all []string) {
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '|':
			all = append(all, text[from:i])
			from = i + 1
		}
	}
	return append(all, text[from:])
}

// splitNames cuts a path at its dots, keeping escapes.
func splitNames(path string) (names []string) {
	from := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.':
			names = append(names, path[from:i])
			from = i + 1
		}
	}
	return append(names, path[from:])
}

// spelling gives the names of a path in another spelling; nil for one that does
// not exist.
func spelling(name string) func(path string) []string {
	switch name {
	case "capitalized":
		return func(p string) []string { return []string{capitalized(p)} }
	case "lower_top":
		return func(p string) []string { return []string{lowerTop(p)} }
	case "log_analytics":
		return logAnalytics
	}
	return nil
}

// capitalized spells a path as the AWS API does: each name with a capital.
func capitalized(path string) string {
	b := []byte(path)
	for i := range b {
		if (i == 0 || b[i-1] == '.') && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// lowerTop spells a path as shippers do that put the top-level names in lower
// case.
func lowerTop(path string) string {
	names := splitNames(path)
	names[0] = strings.ToLower(names[0])
	return strings.Join(names, ".")
}

// logAnalytics spells a path as the columns of an Azure custom log: names joined
// by "_" and a letter for the type; arrays and what is in them are JSON in a
// string.
func logAnalytics(path string) (all []string) {
	names := splitNames(path)
	for i, name := range names {
		bare := strings.TrimSuffix(strings.TrimSuffix(name, "[]"), "{}")
		if bare == name && i < len(names)-1 {
			continue
		}
		column := strings.Join(names[:i], "_")
		if i > 0 {
			column += "_"
		}
		column = strings.ReplaceAll(strings.ReplaceAll(column+bare, `\.`, "_"), "@", "_")
		if bare != name { // a list, or JSON
			tail := "{}"
			if strings.HasSuffix(name, "[]") {
				tail += "[]"
			}
			return []string{strings.Join(append([]string{column + "_s" + tail}, names[i+1:]...), ".")}
		}
		for _, suffix := range []string{"_s", "_d", "_b", "_g", "_t", ""} {
			all = append(all, column+suffix)
		}
	}
	return all
}

// dotted gives a path and the same as one name with dots, as document stores
// flatten it. What is inside an array keeps its place.
func dotted(path string) []string {
	names := splitNames(path)
	for i, name := range names {
		if i == len(names)-1 || strings.HasSuffix(name, "]") || strings.HasSuffix(name, "}") {
			if i == 0 {
				return []string{path}
			}
			flat := strings.Join(names[:i+1], `\.`)
			if i == len(names)-1 {
				return []string{path, flat}
			}
			return []string{path, flat + "." + strings.Join(names[i+1:], ".")}
		}
	}
	return []string{path}
}
