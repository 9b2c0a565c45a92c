package mapping

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// example is one file of testdata: a format, and what it makes of documents.
type example struct {
	Format yaml.Node
	Cases  []struct {
		Doc  string
		Want string // see render; or "other", "not an alert", "fault: ..."
	}
}

// TestLanguage runs the examples in testdata, each about one part of the
// language.
func TestLanguage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var ex example
			if err := yaml.Unmarshal(text, &ex); err != nil {
				t.Fatal(err)
			}
			format, err := yaml.Marshal(&ex.Format)
			if err != nil {
				t.Fatal(err)
			}
			m := newMachine(t, string(format))
			if len(ex.Cases) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range ex.Cases {
				if got := m.run(t, c.Doc); got != strings.TrimSpace(c.Want) {
					t.Errorf("%s\ngot\n%s\nwant\n%s", c.Doc, got, c.Want)
				}
			}
		})
	}
}

// machine is formats, compiled.
type machine struct {
	set    *Set
	arena  arena.Arena
	limits extract.Limits
	scan   *extract.Scanner
	runner *Runner
}

func newMachine(t testing.TB, formats ...string) *machine {
	t.Helper()
	var sources []*Source
	for i, f := range formats {
		s, err := Parse(fmt.Sprintf("format%d.yaml", i), []byte(f))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	trie, err := extract.NewTrie(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{limits: extract.Limits{MaxDepth: 32, MaxKeys: 2000, MaxString: 1 << 16, MaxDocument: 1 << 20}}
	if m.set, err = Compile(trie, sources); err != nil {
		t.Fatal(err)
	}
	m.scan = extract.NewScanner(trie, &m.limits, &m.arena)
	m.runner = NewRunner(m.set, &m.arena, 512)
	return m
}

// run maps a document and renders what came of it.
func (m *machine) run(t testing.TB, doc string) string {
	t.Helper()
	if m.scan.Scan([]byte(doc), 0) != extract.Done {
		t.Fatalf("%s: %+v", doc, m.scan.Fault)
	}
	i := m.runner.Detect(m.scan.Tape, nil)
	if i < 0 {
		return "other"
	}
	f := &m.set.Formats[i]
	m.runner.For(&Trust{}, nil, 0)
	var out []string
	m.runner.Elements(f, m.scan.Tape, func(string) bool {
		var a schema.Alert
		if !m.runner.IsAlert(f) {
			out = append(out, "not an alert")
		} else if fault := m.runner.Fill(f, &a, false); fault.Reason != 0 {
			out = append(out, fmt.Sprintf("fault: %v %s", fault.Reason, fault.What))
		} else {
			out = append(out, render(&a))
		}
		return true
	})
	return strings.TrimSpace(strings.Join(out, "\n--\n"))
}

// render writes what is set of an alert, a line each.
func render(a *schema.Alert) string {
	var w strings.Builder
	line := func(name, text string) {
		if text != "" && text != "unknown" && text != "0" {
			fmt.Fprintf(&w, "%s: %s\n", name, text)
		}
	}
	line("id", a.VendorID)
	line("title", a.Title)
	line("type", a.Type)
	line("rule", a.Rule)
	line("rule_uid", a.RuleUID)
	line("created", timeText(a.Created))
	line("start", timeText(a.Start))
	line("severity", a.Severity.String())
	line("status", a.Status.String())
	line("verdict", a.Verdict.String())
	line("confidence", fmt.Sprint(a.Confidence))
	if a.Blocked {
		line("blocked", "yes")
	}
	for _, x := range a.Techniques {
		line("technique", strings.TrimSpace(x.ID+" "+x.Tactic))
	}
	for _, e := range a.Entities {
		s := fmt.Sprintf("%s %s", e.Role, e.Key)
		if e.Port != 0 {
			s += fmt.Sprintf(" port=%d", e.Port)
		}
		if e.UID != "" {
			s += " uid=" + e.UID
		}
		line(e.Type.String(), s)
	}
	return strings.TrimSpace(w.String())
}

func timeText(t schema.Millis) string {
	if t == 0 {
		return ""
	}
	return t.String()
}
