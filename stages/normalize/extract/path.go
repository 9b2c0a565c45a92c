package extract

import (
	"errors"
	"fmt"
	"strings"
)

// want is a path, or the beginning of one, as it was added. Compile makes nodes
// of wants: at one place of a document several may hold at once.
type want struct {
	slot  Slot // of the value here; 0: none
	list  bool // an array here makes the document a list of documents
	names map[string]int
	star  int // below any name
	elem  int // of an array's elements
	text  int // of what the JSON in a string holds
}

// step is one move along a path.
type step struct {
	kind stepKind
	name string
}

type stepKind uint8

const (
	stepName stepKind = iota
	stepStar
	stepElem
	stepText
)

// maxSteps bounds the length of a path.
const maxSteps = 64

var errPath = errors.New("not a path")

// steps takes a path apart.
func steps(path string) ([]step, error) {
	var all []step
	for rest, more := path, true; more; {
		i, escaped := 0, false
		for ; i < len(rest) && rest[i] != '.' && suffix(rest[i:]) == 0; i++ {
			if rest[i] == '\\' {
				if i++; i == len(rest) {
					return nil, fmt.Errorf("%q ends in a backslash: %w", path, errPath)
				}
				escaped = true
			}
		}
		switch name := rest[:i]; {
		case name == "":
			return nil, fmt.Errorf("%q has an empty name: %w", path, errPath)
		case name == "*":
			all = append(all, step{kind: stepStar})
		case escaped:
			all = append(all, step{stepName, unescaped(name)})
		default:
			all = append(all, step{stepName, name})
		}
		for rest = rest[i:]; ; rest = rest[2:] {
			kind := suffix(rest)
			if kind == 0 {
				break
			}
			all = append(all, step{kind: kind})
		}
		switch {
		case rest == "":
			more = false
		case rest[0] != '.':
			return nil, fmt.Errorf("%q has a name right after brackets: %w", path, errPath)
		default:
			rest = rest[1:]
		}
	}
	if len(all) > maxSteps {
		return nil, fmt.Errorf("%q has more than %d steps: %w", path, maxSteps, errPath)
	}
	return all, nil
}

// unescaped gives a name without the backslashes that make what follows a part of it.
func unescaped(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' {
			i++
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// suffix tells the brackets that text begins with, 0 for none.
func suffix(text string) stepKind {
	switch {
	case strings.HasPrefix(text, "[]"):
		return stepElem
	case strings.HasPrefix(text, "{}"):
		return stepText
	}
	return 0
}

// at gives the want of a path, making it if needed.
func (t *Trie) at(path string) (int, error) {
	if w, ok := t.paths[path]; ok {
		return w, nil
	}
	all, err := steps(path)
	if err != nil {
		return 0, err
	}
	w := int(Root)
	for _, s := range all {
		var next int
		switch s.kind {
		case stepName:
			next = t.wants[w].names[s.name]
		case stepStar:
			next = t.wants[w].star
		case stepElem:
			next = t.wants[w].elem
		case stepText:
			next = t.wants[w].text
		}
		if next == 0 {
			if next = len(t.wants); next >= maxNodes {
				return 0, fmt.Errorf("%q: more than %d nodes", path, maxNodes)
			}
			t.wants = append(t.wants, want{})
			here := &t.wants[w]
			switch s.kind {
			case stepName:
				if here.names == nil {
					here.names = map[string]int{}
				}
				here.names[s.name] = next
			case stepStar:
				here.star = next
			case stepElem:
				here.elem = next
			case stepText:
				here.text = next
			}
		}
		w = next
	}
	t.paths[path] = w
	return w, nil
}
