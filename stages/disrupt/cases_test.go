package disrupt

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
)

var update = flag.Bool("update", false, "rewrite the expected decisions of the policy cases")

// caseFile is the cases of one shipped policy. Want lists the decisions in order
// as "target action outcome rule"; none is a case that must not decide anything.
type caseFile struct {
	Policy string       `yaml:"policy"`
	Cases  []policyCase `yaml:"cases"`
}

type policyCase struct {
	Name    string            `yaml:"name"`
	Mode    string            `yaml:"mode"`   // default armed
	Assets  map[string]string `yaml:"assets"` // "type:key" to class
	Control []struct {
		At    time.Duration `yaml:"at"`
		Kind  string        `yaml:"kind"`
		Value string        `yaml:"value"`
	} `yaml:"control"`
	Alerts []caseAlert `yaml:"alerts"`
	Want   []string    `yaml:"want"`
}

type caseAlert struct {
	At         time.Duration  `yaml:"at"`      // ingest time since the start
	Created    *time.Duration `yaml:"created"` // event time since the start; default At
	Source     string         `yaml:"source"`
	ID         string         `yaml:"id"`     // vendor's id; default by position
	Tenant     string         `yaml:"tenant"` // default acme
	Severity   string         `yaml:"severity"`
	Techniques []string       `yaml:"techniques"` // technique and tactic ids
	Entities   []string       `yaml:"entities"`   // "type:key role attested"
	Matches    []string       `yaml:"matches"`    // "type value verdict confidence"
	Vendor     string         `yaml:"vendor"`
	Blocked    bool           `yaml:"blocked"`
	Standing   string         `yaml:"standing"` // revision or duplicate
	Verdict    string         `yaml:"verdict"`
	Repeat     int            `yaml:"repeat"` // so many alike, a second apart, ids apart
}

func (c *caseAlert) alerts(t *testing.T, i int) (out []schema.Alert) {
	t.Helper()
	for n := range max(1, c.Repeat) {
		at := start + schema.Millis(c.At.Milliseconds()) + schema.Millis(n)*schema.Second
		id := c.ID
		if id == "" {
			id = fmt.Sprintf("%d.%d", i, n)
		}
		a := alert(c.Source, id, at, "", c.Entities...)
		if c.Tenant != "" {
			a.Tenant, a.ID = c.Tenant, schema.NewAlertID(c.Tenant, c.Source, id)
		}
		if c.Created != nil {
			a.Created = start + schema.Millis(c.Created.Milliseconds())
		}
		sev, ok := parseSeverity(c.Severity)
		if !ok {
			t.Fatalf("alert %d: no severity %q", i, c.Severity)
		}
		a.Severity, a.Vendor, a.Product, a.Blocked = sev, c.Vendor, c.Vendor, c.Blocked
		for _, x := range c.Techniques {
			if strings.HasPrefix(x, "TA") {
				a.Techniques = append(a.Techniques, schema.Technique{Tactic: x})
			} else {
				a.Techniques = append(a.Techniques, schema.Technique{ID: x})
			}
		}
		for _, x := range c.Matches {
			var typ, value, verdict string
			var confidence uint8
			if _, err := fmt.Sscan(x, &typ, &value, &verdict, &confidence); err != nil {
				t.Fatalf("match %q: %v", x, err)
			}
			m := schema.Match{Value: value, Confidence: confidence, Verdict: schema.VerdictSuspicious}
			if verdict == "malicious" {
				m.Verdict = schema.VerdictMalicious
			}
			a.Matches = append(a.Matches, m)
		}
		switch c.Standing {
		case "revision":
			a.Standing = schema.StandingRevision
		case "duplicate":
			a.Standing = schema.StandingDuplicate
		}
		if c.Verdict == "false_positive" {
			a.Verdict = schema.VerdictFalsePositive
		}
		out = append(out, a)
	}
	return out
}

func (c *policyCase) run(t *testing.T, p Policy) []string {
	t.Helper()
	p.Mode = c.Mode
	if p.Mode == "" {
		p.Mode = ModeArmed
	}
	cfg := simpleConfig(p)
	cfg.Exclude = []Exclusion{{Target: "host:scanner-1", Note: "penetration test"}, {Target: "user:svc-backup", Note: "runs everywhere"}}
	d := build(t, cfg)
	var items []any
	for ref, class := range c.Assets {
		run(t, d, assetControl("acme", ref, class, start))
	}
	type timed struct {
		at   schema.Millis
		item any
	}
	var log []timed
	for _, k := range c.Control {
		kind := map[string]schema.ControlKind{"kill_switch": schema.ControlKillSwitch, "release_all": schema.ControlReleaseAll}[k.Kind]
		log = append(log, timed{start + schema.Millis(k.At.Milliseconds()), schema.Control{Tenant: "acme", Kind: kind, Value: k.Value}})
	}
	for i := range c.Alerts {
		for _, a := range c.Alerts[i].alerts(t, i) {
			log = append(log, timed{a.Ingested, a})
		}
	}
	slices.SortStableFunc(log, func(x, y timed) int { return int(x.at - y.at) })
	got := []string{}
	for _, l := range log {
		items = append(items[:0], l.item)
		b := run(t, d, items...)
		got = append(got, brief(b.Decisions)...)
		tick(t, d, "acme", l.at)
	}
	return got
}

func TestShippedPolicyCases(t *testing.T) {
	name := filepath.Join("testdata", filepath.Base(ShippedPolicy))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file caseFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	p := DefaultConfig().Policies[0]
	if file.Policy != p.Name {
		t.Fatalf("the cases are of policy %q, not %q", file.Policy, p.Name)
	}
	positive, negative := 0, 0
	results := make([][]string, len(file.Cases))
	for i := range file.Cases {
		c := &file.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			got := c.run(t, p)
			results[i] = got
			if slices.ContainsFunc(c.Want, func(s string) bool { return strings.HasSuffix(s, "fired") || strings.HasSuffix(s, "shadow") }) {
				positive++
			} else {
				negative++
			}
			if !*update {
				expect(t, "decisions", got, c.Want)
			}
		})
	}
	if positive == 0 || negative == 0 {
		t.Errorf("%d positive and %d negative cases: want both", positive, negative)
	}
	if *update {
		rewrite(t, name, data, results)
	}
}

// rewrite puts the decisions into the file and keeps everything else.
func rewrite(t *testing.T, name string, data []byte, results [][]string) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	cases := child(doc.Content[0], "cases")
	for i, want := range results {
		var list yaml.Node
		if err := list.Encode(want); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 {
			list.Style = yaml.FlowStyle
		}
		if old := child(cases.Content[i], "want"); old != nil {
			*old = list
			continue
		}
		cases.Content[i].Content = append(cases.Content[i].Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "want"}, &list)
	}
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
