package match

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// judgeCase is one case of testdata/judge.json. The alert is of
// tenant acme and of 2026-04-11, its severity low.
type judgeCase struct {
	Name  string            `json:"name"`
	Ask   schema.Observable `json:"ask"`
	Port  uint16            `json:"port"`
	Role  string            `json:"role"`
	Alert struct {
		Blocked  bool             `json:"blocked"`
		Retro    bool             `json:"retro"`
		Severity *schema.Severity `json:"severity"`
		At       schema.Millis    `json:"at"`
	} `json:"alert"`
	Curve Curve              `json:"curve"`
	Known []schema.Indicator `json:"known"`
}

// TestJudge puts the indicators of each case into an index, asks it, and compares
// what the judge says, in order, with testdata/judge.golden.
func TestJudge(t *testing.T) {
	text, err := os.ReadFile("testdata/judge.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []judgeCase
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	reasons := map[Reason]bool{}
	for _, c := range cases {
		fmt.Fprintf(&out, "# %s\n", c.Name)
		for k := range c.Known {
			i := &c.Known[k]
			if i.Confidence == 0 {
				i.Confidence = 80
			}
			if i.Verdict == schema.VerdictUnknown && !slices.Contains(i.Labels, "no verdict") {
				i.Verdict = schema.VerdictMalicious
			}
		}
		s := Subject{Tenant: "acme", Created: schema.FromTime(time.Date(2026, 4, 11, 0, 0, 0, 0, time.UTC)), Severity: schema.SeverityLow, Blocked: c.Alert.Blocked, Retro: c.Alert.Retro}
		if c.Alert.Severity != nil {
			s.Severity = *c.Alert.Severity
		}
		if c.Alert.At != 0 {
			s.Created = c.Alert.At
		}
		decay := DefaultConfig().Decay
		if c.Curve != "" {
			decay.Curve = c.Curve
		}
		found := ask(build(t, c.Known...), c)
		rulings := Judge(decay, s, c.Ask, found, nil)
		if len(rulings) != len(found) {
			t.Errorf("%s: %d rulings of %d indicators", c.Name, len(rulings), len(found))
		}
		said := render(rulings)
		out.WriteString(said + "\n")
		for range 3 {
			n := min(1, len(found))
			rotated := slices.Concat(found[n:], found[:n])
			if got := render(Judge(decay, s, c.Ask, rotated, nil)); got != said {
				t.Errorf("%s: another order, another judgment:\n%s\nbefore:\n%s", c.Name, got, said)
			}
			found = rotated
		}
		for k := range rulings {
			r := &rulings[k]
			reasons[r.Reason] = true
			if r.Outcome == Ignored {
				continue
			}
			if m := r.Match(0, 0); m.Counts() != (r.Outcome == Counts) || (m.Demoted != "") != (r.Outcome == Demoted) {
				t.Errorf("%s: %s is a match that counts: %v, demoted %q", c.Name, r.Outcome, m.Counts(), m.Demoted)
			}
		}
	}
	for r := range Outranked + 1 {
		if !reasons[r] {
			t.Errorf("no case has reason %d", r)
		}
	}
	const golden = "testdata/judge.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func ask(x *Index, c judgeCase) (found []schema.Indicator) {
	role := schema.RoleRelated
	if c.Role == "target" {
		role = schema.RoleTarget
	}
	take := func(i *schema.Indicator) { found = append(found, *i) }
	r := NewReader()
	switch c.Ask.Type {
	case schema.ObservableIP:
		r.FindEntity(x, &schema.Entity{Type: schema.EntityIP, Key: c.Ask.Value, Port: c.Port, Role: role}, take)
	case schema.ObservableEmail:
		r.FindEntity(x, &schema.Entity{Type: schema.EntityMailbox, Key: c.Ask.Value, Role: role}, take)
	default:
		r.Find(x, c.Ask, take)
	}
	return found
}

func render(rulings []Ruling) string {
	var b strings.Builder
	for k := range rulings {
		r := &rulings[k]
		i := r.Indicator
		fmt.Fprintf(&b, "%-8s %s %s of %s", r.Outcome, i.Type, i.Value, i.Feed)
		if r.Outcome != Ignored {
			m := r.Match(0, 0)
			fmt.Fprintf(&b, ", %s, confidence %d", m.Verdict, m.Confidence)
			if m.Severity != schema.SeverityUnknown {
				fmt.Fprintf(&b, ", raises to %s", m.Severity)
			}
		}
		fmt.Fprintf(&b, ": %s\n", r.Why())
	}
	return b.String()
}
