package oracle_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

const tenant = "acme"

// day0 is a midnight, so that hours and slices of any length that divides a day
// are aligned to it.
var day0 = schema.FromTime(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))

// script is one hand-worked case of testdata/rules.txt.
type script struct {
	name   string
	params oracle.Params
	alerts []schema.Alert // as in steps
	steps  []step
	want   string
}

// readScripts reads hand-worked cases. The format is described in the file.
func readScripts(t *testing.T, path string) (all []script) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		if err := readLine(&all, strings.TrimSpace(line)); err != nil {
			t.Fatalf("%s:%d: %v", path, n+1, err)
		}
	}
	return all
}

func readLine(all *[]script, line string) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	if name, ok := strings.CutPrefix(line, "== "); ok {
		*all = append(*all, script{name: name, params: oracle.DefaultParams()})
		return nil
	}
	if len(*all) == 0 {
		return fmt.Errorf("text before the first case")
	}
	s := &(*all)[len(*all)-1]
	if want, ok := strings.CutPrefix(line, "-> "); ok {
		s.want += want + "\n"
		return nil
	}
	if params, ok := strings.CutPrefix(line, "with "); ok {
		return setParams(&s.params, params)
	}
	if st, ok, err := readStep(line); ok {
		s.steps = append(s.steps, st)
		return err
	}
	a, err := readAlert(line)
	s.alerts = append(s.alerts, a)
	s.steps = append(s.steps, step{kind: deliver, doc: a})
	return err
}

// readAlert reads "[tenant!]name[/revision] day+hh:mm[:ss[.mmm]] [severity] [role@]type:key...".
func readAlert(line string) (schema.Alert, error) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return schema.Alert{}, fmt.Errorf("want a name and a time")
	}
	name, revision, _ := strings.Cut(f[0], "/")
	created, err := readTime(f[1])
	if err != nil {
		return schema.Alert{}, err
	}
	in := tenant
	if of, rest, ok := strings.Cut(name, "!"); ok {
		in, name = of, rest
	}
	a := newAlert(name, revision, created)
	a.Tenant = in
	for _, e := range f[2:] {
		typ, key, isEntity := strings.Cut(e, ":")
		if !isEntity {
			for a.Severity = schema.SeverityFatal; a.Severity > 0 && a.Severity.String() != e; a.Severity-- {
			}
			continue
		}
		role := schema.RoleRelated
		if r, rest, ok := strings.Cut(typ, "@"); ok {
			typ = rest
			for role = schema.RoleC2; role > 0 && role.String() != r; role-- {
			}
		}
		et, ok := schema.ParseEntityType(typ)
		if !ok {
			return a, fmt.Errorf("%q is no entity type", typ)
		}
		a.Entities = append(a.Entities, schema.Entity{Type: et, Role: role, Key: key})
	}
	return a, nil
}

// newAlert makes an alert whose id sorts like its name. The content is made of
// the name and the revision.
func newAlert(name, revision string, created schema.Millis) schema.Alert {
	a := schema.Alert{
		Tenant: tenant, Source: "test", VendorID: name, Title: name, Created: created, Severity: schema.SeverityLow,
	}
	copy(a.ID[:], name)
	h := fnv.New64a()
	h.Write([]byte(name + "/" + revision))
	a.Content = h.Sum64()
	return a
}

// render writes a result the way testdata/rules.txt has it.
func render(tenant string, r oracle.Result) string {
	name := func(id schema.AlertID) string { return strings.TrimRight(string(id[:]), "\x00") }
	founder := map[schema.IncidentID]string{}
	for _, m := range r.Members { // any alert may have founded a campaign
		founder[schema.NewIncidentID(tenant, m.Alert)] = name(m.Alert)
	}
	var lines []string
	for _, in := range r.Incidents {
		line := fmt.Sprintf("L%d %s", in.Level, name(in.Founder))
		if in.Level == schema.LevelSingle {
			line = "single " + name(in.Founder)
		}
		var rest string
		for _, m := range r.Members {
			if m.Incident != in.ID {
				continue
			}
			weightless := ""
			if m.Weight == 0 {
				weightless = "!"
			}
			if m.Reason == schema.ReasonFounder {
				line += weightless
				continue
			}
			rest += fmt.Sprintf("; %s%s<%s %s %v", name(m.Alert), weightless, name(m.Peer), m.Key, time.Duration(m.Distance)*time.Millisecond)
		}
		if in.Campaign != in.ID && !in.Campaign.IsZero() {
			line += " of " + founder[in.Campaign]
		}
		lines = append(lines, line+rest+"\n")
	}
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1]) })
	return strings.Join(lines, "")
}

// TestRules checks every hand-worked case.
func TestRules(t *testing.T) {
	for _, s := range readScripts(t, "testdata/rules.txt") {
		t.Run(s.name, func(t *testing.T) {
			if got := render(tenant, oracle.Correlate(tenant, s.alerts, s.params)); got != s.want {
				t.Errorf("got:\n%swant:\n%s", got, s.want)
			}
		})
	}
}
