package ocsf

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func newValidator(t testing.TB) *Validator {
	t.Helper()
	v, err := NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// baseEvents are the hand-written events that conform.
func baseEvents() []string {
	return []string{"detection_finding", "incident_finding", "network_remediation_activity"}
}

func TestGoodEvents(t *testing.T) {
	v := newValidator(t)
	for _, name := range baseEvents() {
		if got := v.Validate(readFile(t, name+".json")); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// mutation changes one good event in one place. Want is what it must bring,
// as "kind path"; the golden file adds the details.
type mutation struct {
	Base   string          `json:"base"`
	Remove string          `json:"remove,omitempty"`
	Set    string          `json:"set,omitempty"`
	To     json.RawMessage `json:"to,omitempty"`
	Want   string          `json:"want"`
}

func TestMutations(t *testing.T) {
	v := newValidator(t)
	var golden strings.Builder
	seen := map[Kind]bool{}
	for line := range strings.Lines(string(readFile(t, "mutations.ndjson"))) {
		var m mutation
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var event any
		if err := json.Unmarshal(readFile(t, m.Base+".json"), &event); err != nil {
			t.Fatal(err)
		}
		what := m.Base + " remove " + m.Remove
		if m.Set != "" {
			what = m.Base + " set " + m.Set + " to " + string(m.To)
			var to any
			if err := json.Unmarshal(m.To, &to); err != nil {
				t.Fatal(err)
			}
			edit(t, event, m.Set, func(o map[string]any, key string) { o[key] = to })
		} else {
			edit(t, event, m.Remove, func(o map[string]any, key string) {
				if _, ok := o[key]; !ok {
					t.Fatalf("%s: nothing to remove", what)
				}
				delete(o, key)
			})
		}
		b, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		got := v.Validate(b)
		if len(got) != 1 || strings.TrimSpace(got[0].Kind.String()+" "+got[0].Path) != m.Want {
			t.Errorf("%s:\n got %v\nwant exactly %s", what, got, m.Want)
		}
		golden.WriteString(what + "\n")
		for _, p := range got {
			seen[p.Kind] = true
			golden.WriteString("\t" + p.String() + "\n")
		}
	}
	for k := KindClass; k < KindTruncated; k++ {
		if !seen[k] {
			t.Errorf("no mutation brings %v", k)
		}
	}
	compareGolden(t, "mutations.golden", golden.String())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(readFile(t, name)); got != want {
		t.Errorf("%s differs (run with -update and look at the diff):\n%s", name, got)
	}
}

// edit walks a path such as "a.b[0].c" and calls do on the last object. Every
// step but the last must exist.
func edit(t *testing.T, event any, path string, do func(map[string]any, string)) {
	t.Helper()
	steps := strings.Split(strings.ReplaceAll(path, "[", ".["), ".")
	at := event
	for i, step := range steps {
		if index, ok := strings.CutPrefix(step, "["); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			list, isList := at.([]any)
			if err != nil || !isList || n >= len(list) {
				t.Fatalf("path %s: no element %s", path, step)
			}
			at = list[n]
			continue
		}
		o, ok := at.(map[string]any)
		if !ok {
			t.Fatalf("path %s: %s is not in an object", path, step)
		}
		if i == len(steps)-1 {
			do(o, step)
			return
		}
		at = o[step]
	}
	t.Fatalf("path %s does not end in a key", path)
}

// TestRawInputs covers what a mutation of decoded JSON cannot express.
func TestRawInputs(t *testing.T) {
	v := newValidator(t)
	good := string(readFile(t, "incident_finding.json"))
	with := func(old, new string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("the good event has no %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	many := strings.Repeat(`{"x":1},`, 2*MaxProblems) + `{"x":1}`
	cases := []struct {
		name, in string
		want     []string // kinds and paths, in order
	}{
		{"empty", "", []string{"syntax "}},
		{"truncated", good[:len(good)/2], []string{"syntax "}},
		{"array", "[" + good + "]", []string{"syntax "}},
		{"scalar", "2004", []string{"syntax "}},
		{"trailing", good + "{}", []string{"syntax "}},
		{"invalid UTF-8", with("tier-1", "\xff"), []string{"syntax "}},
		{"NaN", with(`"impact_id": 4`, `"impact_id": NaN`), []string{"syntax "}},
		{"fraction", with(`"impact_id": 4`, `"impact_id": 4.0`), []string{"type impact_id"}},
		{"huge", with(`"time": 1767229200000`, `"time": 99999999999999999999`), []string{"type time"}},
		{"duplicate", with(`"impact_id": 4`, `"impact_id": 4, "impact_id": 4`), []string{"duplicate impact_id"}},
		{"nested duplicate", with(`{"name": "tier-1"}`, `{"name": "a", "name": "b"}`), []string{"duplicate assignee_group.name"}},
		{"deepest", with(`"impact_id": 4`, `"unmapped": {"a": `+nest(MaxDepth-2)+`}`), nil},
		{"too deep", with(`"impact_id": 4`, `"unmapped": {"a": `+nest(MaxDepth-1)+`}`), []string{"depth "}},
		{"bomb", strings.Repeat("[", 1<<20), []string{"depth "}},
		{"no class", "{}", []string{"required class_uid"}},
		{"only a class", `{"class_uid":2005}`, []string{
			"constraint ", "required activity_id", "required category_uid", "required finding_info_list", "required metadata",
			"required severity_id", "required status_id", "required time", "required type_uid",
		}},
		{"odd key", with(`"impact_id": 4`, `"a.b \u2028": 4`), []string{`unknown "a.b \u2028"`}},
		{"flood", with(`"tickets": [`, `"tickets": [`+many+`,`), nil},
	}
	for _, c := range cases {
		problems := v.Validate([]byte(c.in))
		if c.name == "flood" {
			if len(problems) != MaxProblems+1 || problems[MaxProblems].Kind != KindTruncated {
				t.Errorf("flood: %d problems, want %d and one that says so", len(problems), MaxProblems)
			}
			continue
		}
		var got []string
		for _, p := range problems {
			got = append(got, p.Kind.String()+" "+p.Path)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q\n%v", c.name, got, c.want, problems)
		}
	}
}

func nest(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

func TestFormats(t *testing.T) {
	cases := []struct {
		typ       string
		good, bad []string
	}{
		{"ip_t", []string{"10.0.0.1", "::1", "fe80::1%eth0"}, []string{"", "10.0.0", "10.0.0.256", "example.com", "10.0.0.0/8"}},
		{"mac_t", []string{"00:11:22:33:44:55", "00-11-22-AA-bb-CC"}, []string{"", "0011.2233.4455", "00:11:22:33:44", "00:11:22:33:44:55:66:77"}},
		{"subnet_t", []string{"10.0.0.0/8", "2001:db8::/32"}, []string{"10.0.0.0", "10.0.0.0/33"}},
		{"email_t", []string{"a@example.com"}, []string{"a", "@b", "a@", "a b@c", "a@b@c"}},
		{"uuid_t", []string{"6f1e2c1a-0d7f-5a53-9A44-0f6d3b1a7e10"}, []string{"", "6f1e2c1a0d7f5a539a440f6d3b1a7e10", "6f1e2c1a-0d7f-5a53-9a44-0f6d3b1a7e1g", "6f1e2c1a-0d7f-5a53-9a44\x4d0f6d3b1a7e10"}},
		{"datetime_t", []string{"2026-01-01T00:00:00Z", "2026-01-01t00:00:00.5z", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00.25"}, []string{"", "2026-01-01", "2026-13-01T00:00:00Z", "1767225600"}},
		{"bytestring_t", []string{"", "YQ==", "_-8="}, []string{"YQ", "a b", "YQ=\n="}},
		{"string_t", []string{"", "\x00"}, nil},
	}
	for _, c := range cases {
		for _, s := range c.good {
			if !wellFormed(c.typ, s) {
				t.Errorf("%s: %q refused", c.typ, s)
			}
		}
		for _, s := range c.bad {
			if wellFormed(c.typ, s) {
				t.Errorf("%s: %q accepted", c.typ, s)
			}
		}
	}
}
