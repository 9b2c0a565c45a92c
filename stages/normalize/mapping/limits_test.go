package mapping

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/stages/normalize/extract"
)

const anyFormat = "format: x\nvendor: V\nproduct: P\ndoc: d\ndetect: [k]\n"

// TestHostileDocumentsAreCheap: what a document costs does not grow with the
// square of its values.
func TestHostileDocumentsAreCheap(t *testing.T) {
	list := func(n int, form string) string {
		var w strings.Builder
		for i := range n {
			if i > 0 {
				w.WriteByte(',')
			}
			w.WriteString(strings.ReplaceAll(form, "#", strconv.Itoa(i)))
		}
		return "[" + w.String() + "]"
	}
	for name, c := range map[string]struct{ rules, doc string }{
		"parts": {`entities: [{message: "a[]", name: {path: "b[]", match: "^(.*)$"}}]`,
			`{"k":1,"a":` + list(4000, `"-"`) + `,"b":` + list(4000, `"n#"`) + `}`},
		"entities": {`entities: [{each: "a[]", entities: [{message: "$.b[]"}]}]`,
			`{"k":1,"a":` + list(5000, `"#"`) + `,"b":` + list(5000, `"n#"`) + `}`},
		"techniques": {`techniques: [{id: "a[]", tactic: "b[]"}]`, `{"k":1,"a":` + list(5000, `"#"`) + `,"b":` + list(5000, `"n#"`) + `}`},
		"hashes": {`entities: [{hash: "a[]", name: {path: "b[]", match: "^(.*)$"}}]`,
			`{"k":1,"a":` + list(4000, `"0123456789abcdef0123456789abcdef"`) + `,"b":` + list(3999, `"n#"`) + `}`},
		"conditions": {`entities: [{each: "a[]", when: {"$.b[]": x}, entities: [{message: "."}]}]`,
			`{"k":1,"a":` + list(7000, `"#"`) + `,"b":` + list(7000, `"n#"`) + `}`},
		"elements": {"set: {title: \"b.c[]\"}\nentities: [{each: \"a[]\", entities: [" + strings.Repeat("{each: $.b, entities: [{message: x}]},", 50) + "]}]",
			`{"k":1,"b":{"c":` + list(7000, `1`) + `},"a":` + list(5000, `"#"`) + `}`},
		"lookups": {"split: a[]\nset: {title: {lookup: \"$.b[]\", where: w, is: i, path: p}}",
			`{"k":1,"a":` + list(1900, `{"i":"x#"}`) + `,"b":` + list(4000, `{"w":"#"}`) + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, anyFormat+c.rules)
			m.limits.MaxKeys = 30_000
			took := time.Hour
			for try := 0; try < 3 && took > time.Second; try++ { // a machine may stand still once
				start := time.Now()
				m.run(t, c.doc)
				took = time.Since(start)
			}
			if took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestObjectsAreNoText: where a text is wanted, alternatives and elements that
// are objects are passed over, however the value is written.
func TestObjectsAreNoText(t *testing.T) {
	for _, rule := range []string{`"a|b"`, `{path: "a|b", lower: true}`, `["a|b"]`, `{text: "{a|b}"}`} {
		m := newMachine(t, anyFormat+"set: {title: "+rule+"}\nentities: [{domain: a|b}, {application: {path: a|b}}]")
		if got := m.run(t, `{"k":1,"a":{"c":1},"b":"x.example"}`); !strings.Contains(got, "title: x.example") || !strings.Contains(got, "domain: ") || !strings.Contains(got, "application: ") {
			t.Errorf("%s: got %s", rule, got)
		}
		m = newMachine(t, anyFormat+"set: {title: "+strings.ReplaceAll(rule, "a|b", "a[]|b")+"}")
		if got := m.run(t, `{"k":1,"a":[{"c":1},"x.example"],"b":"other"}`); !strings.Contains(got, "title: x.example") {
			t.Errorf("%s: elements: got %s", rule, got)
		}
	}
}

// TestRangesAfterMap: what a value can give is what its last step gives.
func TestRangesAfterMap(t *testing.T) {
	m := newMachine(t, anyFormat+`set: {severity: {path: s, map: {bad: 80, ok: 10}, ranges: {0: low, 50: high}}}`)
	if got := m.run(t, `{"k":1,"s":"bad"}`); !strings.Contains(got, "severity: high") {
		t.Errorf("got %s", got)
	}
}

// TestManySmallLookups: a document may have many small lookups.
func TestManySmallLookups(t *testing.T) {
	m := newMachine(t, anyFormat+"split: a[]\nset: {title: {lookup: \"$.b[]\", where: w, is: i, path: p}}")
	m.limits.MaxKeys = 30_000
	doc := `{"k":1,"b":[{"w":"1","p":"found"}],"a":[` + strings.TrimSuffix(strings.Repeat(`{"i":"1"},`, 3000), ",") + `]}`
	if got := strings.Count(m.run(t, doc), "title: found"); got != 3000 {
		t.Errorf("%d of 3000", got)
	}
}

// TestConditionsLeaveNothingInTheArena: a text that is only compared is not kept.
func TestConditionsLeaveNothingInTheArena(t *testing.T) {
	m := newMachine(t, anyFormat+`set: {blocked: {"a[]": {fold: [x]}}, severity: {path: "a[]", map: {`+strings.Repeat("x", 100)+`: high}}}`)
	m.run(t, `{"k":1,"a":[`+strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("A", 100)+`",`, 1000), ",")+`]}`)
	if n := len(m.arena.Buf); n > 1000 {
		t.Errorf("%d bytes", n)
	}
}

// TestUsersHaveTheirOwnDomains: parts belong to the same element as the value.
func TestUsersHaveTheirOwnDomains(t *testing.T) {
	m := newMachine(t, anyFormat+`entities: [{user: "u[].n", domain: "u[].d"}]`)
	m.run(t, `{"k":1,"u":[{"n":"alice","d":"A"},{"n":"bob","d":"B"}]}`)
	if e := m.runner.alert.Entities; len(e) != 2 || e[0].Name != `A\alice` || e[1].Name != `B\bob` {
		t.Errorf("got %+v", e)
	}
}

// TestMoreMistakes: what would never hold, or hold by chance, is told.
func TestMoreMistakes(t *testing.T) {
	for rules, want := range map[string]string{
		"alert: {any: []}": "empty list of conditions",
		"alert: []":        "empty list of conditions",
		"split: $.a[]":     `leave out "$."`,
		"set: {title: {path: a, map: {x: 1, X: 2}}}": `"X" is there in another case`,
	} {
		src, err := Parse("f.yaml", []byte(anyFormat+rules))
		if err == nil {
			trie, _ := extract.NewTrie(nil)
			_, err = Compile(trie, []*Source{src})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", rules, err, want)
		}
	}
}
