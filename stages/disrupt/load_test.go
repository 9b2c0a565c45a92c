package disrupt

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const goodPolicy = `# a comment
name: example
mode: armed
window: 30m
target: host
action: contain_host
lease: 2h
signals:
  - name: theft
    min_severity: medium
    techniques: [T1003]
    when: alert.severity >= severity.high && target.attested
  - name: move
    min_severity: medium
    tactics: [TA0008]
conditions:
  - all_of: [theft]
    any_of: [move]
`

func TestLoadPolicies(t *testing.T) {
	ps, err := LoadPolicies(strings.NewReader(goodPolicy+"---\n"+strings.Replace(goodPolicy, "example", "second", 1)), "good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != 2 || ps[0].Name != "example" || ps[1].Name != "second" || len(ps[0].Signals) != 2 {
		t.Errorf("loaded %+v", ps)
	}
}

// TestLoadPoliciesFaults replaces one text in a good policy; the error must name
// the file, the line and the fault.
func TestLoadPoliciesFaults(t *testing.T) {
	exists := func(depth int) string { // each level multiplies the cost by the length of a list
		s := "true"
		for i := range depth {
			s = fmt.Sprintf("alert.entities.exists(e%d, e%d.key == target.key && %s)", i, i, s)
		}
		return s
	}
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "mode:", "mod:", "bad.yaml:3: field mod not found"},
		{"unknown nested key", "techniques:", "technique:", "bad.yaml:11: field technique not found"},
		{"wrong type", "window: 30m", "window: [1]", "bad.yaml:4: "},
		{"bad duration", "30m", "30 minutes", "bad.yaml:4: "},
		{"duplicate key", "mode: armed", "mode: armed\nmode: shadow", "bad.yaml:4: "},
		{"broken YAML", "target: host", "target: [host", "bad.yaml:"},
		{"mode", "mode: armed", "mode: fire", "bad.yaml:3: mode: \"fire\""},
		{"window", "30m", "300h", "bad.yaml:4: window: "},
		{"target", "target: host", "target: hots", "bad.yaml:5: target: "},
		{"action", "contain_host", "contain_hots", "bad.yaml:6: action: "},
		{"action of another target", "contain_host", "contain_user", "bad.yaml:6: action: contain_user cannot be done to a host"},
		{"lease", "lease: 2h", "lease: 1s", "bad.yaml:7: lease: "},
		{"one source", "lease: 2h", "min_sources: 1", "bad.yaml:7: min_sources: "},
		{"no attestation", "lease: 2h", "min_attested: -1", "bad.yaml:7: min_attested: "},
		{"severity", "min_severity: medium\n    tec", "min_severity: middling\n    tec", "bad.yaml:10: signals[0].min_severity: "},
		{"technique", "T1003", "1003", "bad.yaml:11: signals[0].techniques[0]: "},
		{"tactic", "TA0008", "TA8", "bad.yaml:15: signals[1].tactics[0]: "},
		{"signal without a predicate", "    tactics: [TA0008]\n", "", "bad.yaml:13: signals[1]: looks at nothing"},
		{"unknown signal", "any_of: [move]", "any_of: [moves]", "bad.yaml:18: conditions[0].any_of[0]: "},
		{"impossible minimum", "any_of: [move]", "any_of: [move]\n    min: 2", "bad.yaml:19: conditions[0].min: "},
		{"CEL syntax", "alert.severity >=", "alert.severity >>", "bad.yaml:12: signals[0].when: "},
		{"CEL unknown field", "target.attested", "target.atested", "bad.yaml:12: signals[0].when: "},
		{"CEL type", "target.attested", "target.key", "bad.yaml:12: signals[0].when: "},
		{"CEL not a bool", "alert.severity >= severity.high && target.attested", "alert.severity", "bad.yaml:12: signals[0].when: expression gives int, not bool"},
		{"CEL bomb of comprehensions", "target.attested", exists(4), "bad.yaml:12: signals[0].when: expression may cost"},
		{"CEL bomb of size", "target.attested", strings.Repeat("target.attested && ", 400) + "true", "bad.yaml:12: signals[0].when: "},
		{"CEL bomb of depth", "target.attested", strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "bad.yaml:12: signals[0].when: "},
		{"CEL bomb of a regular expression", "target.attested", "target.key.matches('((a{1,100}){1,100}){1,100}')", "bad.yaml:12: signals[0].when: "},
		{"no document", goodPolicy, "# nothing\n", "bad.yaml:1: no policy"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(goodPolicy, c.old) {
				t.Fatalf("%q is not in the policy", c.old)
			}
			_, err := LoadPolicies(strings.NewReader(strings.Replace(goodPolicy, c.old, c.new, 1)), "bad.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("every fault is told", func(t *testing.T) {
		bad := strings.NewReplacer("mode: armed", "mode: x", "T1003", "x", "lease: 2h", "lease: 1s").Replace(goodPolicy)
		_, err := LoadPolicies(strings.NewReader(bad), "bad.yaml")
		for _, want := range []string{"bad.yaml:3: ", "bad.yaml:7: ", "bad.yaml:11: "} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not tell %q", err, want)
			}
		}
	})
	t.Run("a name twice", func(t *testing.T) {
		_, err := LoadPolicies(strings.NewReader(goodPolicy+"---\n"+goodPolicy), "bad.yaml")
		if err == nil || !strings.Contains(err.Error(), `policy "example" is defined on line 2 already`) {
			t.Errorf("error %v", err)
		}
	})
}

// What LoadPolicies accepts, New accepts; nothing else happens than policies or an
// error that names the file.
func FuzzLoadPolicies(f *testing.F) {
	shippedPolicy, err := os.ReadFile(ShippedPolicy)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(goodPolicy))
	f.Add(shippedPolicy)
	f.Add([]byte("name: &a [*a]\n"))
	f.Add([]byte("{name: x, also: [{target: user}], signals: [{name: a, when: 'alert.title.matches(\"(a+)+$\")'}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ps, err := LoadPolicies(strings.NewReader(string(data)), "fuzz.yaml")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.yaml:") {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		cfg := DefaultConfig()
		cfg.Policies = ps
		if _, err := New(cfg); err != nil {
			t.Fatalf("loaded, but New says: %v", err)
		}
	})
}
