package mapping

import (
	"strings"
	"testing"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// TestErrors: what is wrong with a format is said with file, line and reason.
func TestErrors(t *testing.T) {
	const head = "format: f\ndoc: d\ndetect: [k]\n" // lines 1-3
	for _, c := range []struct{ text, want string }{
		{"", "f.yaml"},
		{"format: f\ndetect: [k]\n", "f.yaml:1: format f needs a doc line"},
		{"format: Bad Name\ndoc: d\ndetect: [k]", `f.yaml:1: format needs a name`},
		{"format: f\ndoc: d", "f.yaml:1: format f needs detect"},
		{head + "nonsense: 1", `f.yaml:4: unknown key "nonsense"`},
		{head + "proof: rumor", "f.yaml:4: proof is"},
		{head + "generic: maybe", "f.yaml:4: want true or false"},
		{"format: f\nformat: g\ndoc: d\ndetect: [k]", `f.yaml:2: key "format" is there twice`},
		{head + "set: {titel: a}", `f.yaml:4: unknown field "titel"`},
		{head + "set:\n  severity: {path: a, map: {x: huge}}", `f.yaml:5: "huge" is no severity`},
		{head + "set:\n  status: {const: lost}", `f.yaml:5: "lost" is no status`},
		{head + "set:\n  title: {path: a, const: b}", "f.yaml:5: a value needs one of"},
		{head + "set:\n  title: {path: a, shout: true}", `f.yaml:5: unknown key "shout"`},
		{head + "set:\n  title: {path: a, match: x(}", "f.yaml:5: match: "},
		{head + "set:\n  title: {path: a, match: x}", "f.yaml:5: match needs a group"},
		{head + "set:\n  title: {path: a, else: x}", "f.yaml:5: else without map"},
		{head + "set:\n  title: {path: a, ranges: {x: y}}", `f.yaml:5: "x" is no number`},
		{head + `set: {title: {text: "{a"}}`, "f.yaml:4: a brace is not closed"},
		{head + "set:\n  created: {path: a, zone: Mars/Base}", "f.yaml:5: zone: "},
		{head + "set: {title: a..b}", "f.yaml:4: path: "},
		{head + "set: {title: .}", "f.yaml:4"},
		{head + "alert: [{a: {near: 1}}]", `f.yaml:4: unknown test "near"`},
		{head + "alert: [{a: {above: x}}]", "f.yaml:4: above wants a number"},
		{head + "alert: [{}]", "f.yaml:4: empty condition"},
		{head + "entities:\n  - ip: a\n    rolle: source", `f.yaml:6: unknown key "rolle"`},
		{head + "entities:\n  - ip: a\n    role: boss", `f.yaml:6: "boss" is no role`},
		{head + "entities:\n  - ip: a\n    role: {path: r}", "f.yaml:6: role needs a map"},
		{head + "entities:\n  - ip: a\n    host: b", "f.yaml:5: an entity rule names one"},
		{head + "entities:\n  - ip: a\n    port: b[].c", "f.yaml:6: a port of several"},
		{head + "entities:\n  - domain: a\n    port: [x, {path: b.*}]", "f.yaml:6: a port of several"},
		{head + "entities:\n  - ip: a\n    port: {path: b, split: \",\"}", "f.yaml:6: a port of several"},
		{head + "entities:\n  - user: a\n    port: b", `f.yaml:6: unknown key "port"`},
		{head + "entities:\n  - role: source", "f.yaml:5: an entity rule names one"},
		{head + "entities:\n  - each: x[]\n    ip: y", `unknown key "ip"`},
		{head + "techniques:\n  - when: a", "f.yaml:5: a technique needs id or tactic"},
		{head + "spellings: [shouted]", `f.yaml:4: unknown spelling "shouted"`},
	} {
		src, err := Parse("f.yaml", []byte(c.text))
		if err == nil {
			trie, _ := extract.NewTrie(nil)
			_, err = Compile(trie, []*Source{src})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestOrder: a specific format beats a generic one whatever their names, and two
// of a name are refused.
func TestOrder(t *testing.T) {
	m := newMachine(t, "format: a\ndoc: d\ndetect: [k]\ngeneric: true", "format: z\ndoc: d\ndetect: [k]\nset: {title: k}")
	if got := m.run(t, `{"k":"v"}`); got != "title: v" {
		t.Errorf("got %q", got)
	}
	src, err := Parse("f.yaml", []byte("format: a\ndoc: d\ndetect: [k]"))
	if err != nil {
		t.Fatal(err)
	}
	trie, _ := extract.NewTrie(nil)
	if _, err := Compile(trie, []*Source{src, src}); err == nil {
		t.Error("two formats of one name")
	}
}
