package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Info describes a format to people.
type Info struct {
	Name    string   `json:"name"`
	Vendor  string   `json:"vendor"`
	Product string   `json:"product,omitempty"`
	Doc     string   `json:"doc"`               // one line: what it reads, and what it takes for an alert
	Generic bool     `json:"generic,omitempty"` // tried only where nothing else has the shape
	Partial bool     `json:"partial,omitempty"` // a document tells a part of an alert
	Proof   string   `json:"proof,omitempty"`   // "documentation": no third-party sample was at hand
	Notes   []string `json:"notes,omitempty"`
}

// Source is one format as written.
type Source struct {
	Info
	File string // for errors
	User bool   // of a user's folder, and none that takes a built-in one's place
	root table
	// Lines are the YAML's own lines, for people who ask which rule did it.
	Lines []string
}

// problem is one thing wrong with a format.
type problem struct {
	file string
	line int
	what string
}

func (p problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.what) }

// maxSource bounds the YAML of one format, in bytes.
const maxSource = 1 << 20

// Parse reads the YAML of one format. Errors name file and line; what only shows
// when the paths are laid out is found by Compile.
func Parse(file string, text []byte) (*Source, error) {
	if len(text) > maxSource {
		return nil, problem{file, 1, fmt.Sprintf("format is larger than %d bytes", maxSource)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, yamlProblem(file, err)
	}
	s := &Source{File: file, Lines: strings.Split(string(text), "\n")}
	r := &reader{file: file}
	if len(doc.Content) != 1 {
		return nil, problem{file, 1, "empty"}
	}
	s.root = r.table(doc.Content[0])
	for _, key := range s.root.keys {
		if !slices.Contains(topKeys(), key) {
			r.bad(s.root.at[key], "unknown key %q", key)
		}
	}
	s.Name, s.Vendor, s.Product, s.Doc = r.string(s.root.at["format"]), r.string(s.root.at["vendor"]), r.string(s.root.at["product"]), r.string(s.root.at["doc"])
	s.Generic, s.Partial = r.bool(s.root.at["generic"]), r.bool(s.root.at["partial"])
	s.Proof, s.Notes = r.string(s.root.at["proof"]), r.strings(s.root.at["notes"])
	switch {
	case !validName(s.Name):
		r.bad(doc.Content[0], "format needs a name of lower-case letters, digits and _: %q", s.Name)
	case s.Doc == "":
		r.bad(doc.Content[0], "format %s needs a doc line", s.Name)
	case s.root.at["detect"] == nil:
		r.bad(doc.Content[0], "format %s needs detect", s.Name)
	}
	if s.Proof != "" && s.Proof != "documentation" {
		r.bad(s.root.at["proof"], "proof is %q, want documentation or nothing", s.Proof)
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// yamlProblem puts a fault that the YAML reader found into the form of the others.
func yamlProblem(file string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, what, ok := strings.Cut(rest, ": "); ok {
			if i, err := strconv.Atoi(n); err == nil {
				line, text = i, what
			}
		}
	}
	switch {
	case strings.Contains(text, "cannot start any token"):
		text += " (a text that begins with @ needs quotes; tabs cannot indent)"
	case text == "EOF":
		text = "empty"
	}
	return problem{file, line, "not YAML: " + text}
}

func topKeys() []string {
	return []string{"format", "vendor", "product", "doc", "detect", "alert", "set", "entities", "techniques", "split", "spellings",
		"generic", "partial", "proof", "notes"}
}

func validName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// table is a YAML mapping with its order.
type table struct {
	node  *yaml.Node
	keys  []string
	lines []int // of the keys
	at    map[string]*yaml.Node
}

// reader takes YAML nodes apart and collects what is wrong with them.
type reader struct {
	file string
	errs []error
}

// maxProblems bounds what is reported of one format.
const maxProblems = 50

func (r *reader) bad(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	if len(r.errs) < maxProblems {
		r.errs = append(r.errs, problem{r.file, line, fmt.Sprintf(format, args...)})
	}
}

func (r *reader) table(n *yaml.Node) table {
	t := table{node: n}
	if n == nil || n.Kind != yaml.MappingNode {
		r.bad(n, "want a mapping")
		return t
	}
	size := len(n.Content) / 2
	t.keys, t.lines, t.at = make([]string, 0, size), make([]int, 0, size), make(map[string]*yaml.Node, size)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			r.bad(k, "want a plain key")
			continue
		}
		if t.at[k.Value] != nil {
			r.bad(k, "key %q is there twice", k.Value)
			continue
		}
		t.keys = append(t.keys, k.Value)
		t.lines = append(t.lines, k.Line)
		t.at[k.Value] = n.Content[i+1]
	}
	return t
}

func (r *reader) list(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.bad(n, "want a list")
		return nil
	}
	return n.Content
}

// string gives the text of a scalar, "" for none.
func (r *reader) string(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.bad(n, "want a text")
		return ""
	}
	return n.Value
}

// strings gives a list of texts, or one.
func (r *reader) strings(n *yaml.Node) (all []string) {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{r.string(n)}
	}
	for _, x := range r.list(n) {
		all = append(all, r.string(x))
	}
	return all
}

func (r *reader) bool(n *yaml.Node) bool {
	switch s := r.string(n); s {
	case "", "false":
		return false
	case "true":
		return true
	default:
		r.bad(n, "want true or false, not %q", s)
		return false
	}
}

// only reports keys that a mapping may not have.
func (r *reader) only(t table, allowed ...string) {
	for _, k := range t.keys {
		if !slices.Contains(allowed, k) {
			r.bad(t.at[k], "unknown key %q, want one of %s", k, strings.Join(allowed, ", "))
		}
	}
}
