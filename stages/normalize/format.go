package normalize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// FormatInfo describes a format to people.
type FormatInfo struct {
	Name   string
	Vendor string
	Doc    string // one line: what it reads, and what it takes for an alert
}

// slot numbers the values a format wants: an index into its paths.
type slot uint8

// format is one vendor dialect.
type format struct {
	FormatInfo
	product string
	paths   []string // by slot: paths of trie, "|" between alternatives, best first
	clauses []clause // the shape: each must hold
	alert   func(d *doc) bool
	// fill sets what the vendor says. What every alert has in common is done
	// around it: see finish.
	fill func(d *doc, a *schema.Alert)

	slots [][]uint16 // trie slots by slot; set by compile
}

// clause holds if any of its conditions does.
type clause []cond

// cond holds if the slot has a value and, where is names some, one of those.
type cond struct {
	slot slot
	is   []string
}

func has(s slot) clause                  { return clause{{slot: s}} }
func hasAny(slots ...slot) (c clause)    { return append(c, conds(slots)...) }
func equals(s slot, is ...string) clause { return clause{{slot: s, is: is}} }
func conds(slots []slot) (c []cond) {
	for _, s := range slots {
		c = append(c, cond{slot: s})
	}
	return c
}

// builtin lists the formats in the order in which shapes are tried. The shapes
// exclude each other; tests over foreign data watch that. A format whose names
// come in two spellings is there twice, so that a document has one or the other.
func builtin() []format {
	return []format{
		suricata(),
		guardDuty(),
		respelled(guardDuty(), capitalized),
		graph(),
		okta(),
		respelled(okta(), lowerTop),
		ocsf(),
	}
}

// respelled is the same format with other names.
func respelled(f format, spell func(path string) string) format {
	for i, p := range f.paths {
		alternatives := strings.Split(p, "|")
		for j := range alternatives {
			alternatives[j] = spell(alternatives[j])
		}
		f.paths[i] = strings.Join(alternatives, "|")
	}
	return f
}

// listPaths are the arrays that make a document a list of documents: Azure
// ("records"), AWS ("Records", "Findings"), Microsoft Graph ("value").
func listPaths() []string { return []string{"records", "Records", "value", "findings", "Findings"} }

// wrapperPaths are the objects that hold the document: Amazon EventBridge.
// Tried only where the outer document is of no known format.
func wrapperPaths() []string { return []string{"detail"} }

// Formats lists what the stage can read, in the order of detection.
func Formats() (infos []FormatInfo) {
	for _, f := range builtin() {
		if len(infos) == 0 || infos[len(infos)-1] != f.FormatInfo {
			infos = append(infos, f.FormatInfo)
		}
	}
	return infos
}

func known(name string) bool {
	for _, f := range Formats() {
		if f.Name == name {
			return true
		}
	}
	return false
}

// compile merges the paths of formats into one trie and gives the slots of the
// wrappers.
func compile(formats []format) (t *trie, wrappers []uint16, err error) {
	if t, err = newTrie(listPaths()); err != nil {
		return nil, nil, err
	}
	for _, p := range wrapperPaths() {
		s, err := t.add(p)
		if err != nil {
			return nil, nil, err
		}
		wrappers = append(wrappers, s)
	}
	for i := range formats {
		f := &formats[i]
		f.slots = make([][]uint16, len(f.paths))
		for j, paths := range f.paths {
			for p := range strings.SplitSeq(paths, "|") {
				s, err := t.add(p)
				if err != nil {
					return nil, nil, fmt.Errorf("format %s: %w", f.Name, err)
				}
				f.slots[j] = append(f.slots[j], s)
			}
		}
	}
	return t, wrappers, nil
}

// matches reports whether a scanned document has the format's shape.
func (f *format) matches(s *scanner) bool {
	for _, c := range f.clauses {
		if !f.holds(c, s) {
			return false
		}
	}
	return true
}

func (f *format) holds(c clause, s *scanner) bool {
	for _, x := range c {
		for _, slot := range f.slots[x.slot] {
			i := s.first[slot]
			if i == 0 {
				continue
			}
			if len(x.is) == 0 || slices.Contains(x.is, s.tape[i-1].text) {
				return true
			}
		}
	}
	return false
}
