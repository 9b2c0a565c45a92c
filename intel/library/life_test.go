package library

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

var update = flag.Bool("update", false, "write the golden files")

// lifeCase is a file of testdata/life: a configuration and what happens.
type lifeCase struct {
	About string   `json:"about"`
	Rules []Rule   `json:"rules"`
	Steps []lifeOp `json:"steps"`
}

// lifeOp is one thing that happens on a day.
type lifeOp struct {
	Day        int             `json:"day"`
	Do         string          `json:"do"`   // replace, update, renew, unchanged, fail, remove, override, drop, sight, check
	Feed       string          `json:"feed"` // default: acme
	Config     json.RawMessage `json:"config"`
	Said       []fact.Said     `json:"said"`
	Objects    []fact.Object   `json:"objects"`
	Relations  []fact.Relation `json:"relations"`
	Sightings  []fact.Sighting `json:"sightings"`
	Override   *Override       `json:"override"`
	Observable schema.Observable
}

// TestLife plays every case of testdata/life and compares what is seen after each
// step with the golden file.
func TestLife(t *testing.T) {
	names, err := filepath.Glob("testdata/life/*.json")
	if err != nil || len(names) < 8 {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var c lifeCase
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			got := play(t, &c)
			golden := strings.TrimSuffix(name, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func play(t *testing.T, c *lifeCase) string {
	ctx := context.Background()
	cfg := small()
	cfg.Rules = c.Rules
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	l := Open(t.TempDir(), cfg)
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n", c.About)
	configs := map[string]*fact.Feed{}
	for n, op := range c.Steps {
		feed := configs[op.Feed]
		if feed == nil {
			feed = feedOf(map[bool]string{true: "acme", false: op.Feed}[op.Feed == ""])
			configs[op.Feed] = feed
		}
		if op.Config != nil {
			if err := json.Unmarshal(op.Config, feed); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&out, "\n%d. day %d, %s %s\n", n+1, op.Day, op.Do, feed.Name)
		var facts []any
		for _, s := range op.Said {
			if s.Verdict == 0 && !s.Revoked {
				s.Verdict = schema.VerdictMalicious
			}
			facts = append(facts, s)
		}
		for _, o := range op.Objects {
			facts = append(facts, o)
		}
		for _, r := range op.Relations {
			facts = append(facts, r)
		}
		for _, s := range op.Sightings {
			facts = append(facts, s)
		}
		var rep Report
		var err error
		counted := false
		switch op.Do {
		case "replace":
			rep, err = tryPull(l, feed, fact.Replace, day(op.Day), facts...)
			counted = true
		case "update":
			rep, err = tryPull(l, feed, fact.Update, day(op.Day), facts...)
			counted = true
		case "renew":
			rep, err = l.Renew(ctx, feed, day(op.Day))
			counted = true
		case "unchanged":
			err = l.NotModified(ctx, feed, day(op.Day), nil)
		case "fail":
			err = l.Failed(ctx, feed, fmt.Errorf("the server is out"), day(op.Day+1), day(op.Day))
		case "remove":
			err = l.Remove(ctx, feed.Name)
		case "override":
			op.Override.Time = millis(op.Day)
			_, err = l.Override(ctx, *op.Override)
		case "drop":
			err = l.RemoveOverride(ctx, op.Override.id(), "ann")
		case "sight":
			err = l.Sight(ctx, op.Sightings[0])
		case "check":
			var known []Known
			known, err = l.Check(ctx, op.Observable)
			for _, k := range known {
				fmt.Fprintf(&out, "   known: %s; aside: %q; first %s last %s ended %s; override: %v\n", line(&k.Indicator), k.Aside, k.First, k.Last, k.Ended, k.Overrides != nil)
			}
		default:
			t.Fatalf("step %d: cannot %q", n+1, op.Do)
		}
		if err != nil {
			fmt.Fprintf(&out, "   error: %v\n", err)
		}
		if counted && err == nil {
			fmt.Fprintf(&out, "   added %d changed %d removed %d expired %d unchanged %d refused %d skipped %d aside %s objects %d relations %d sightings %d\n", rep.Added, rep.Changed, rep.Removed,
				rep.Expired, rep.Unchanged, rep.Refused, rep.Skipped, asJSON(t, rep.Aside), rep.Objects, rep.Relations, rep.Sightings)
			for _, r := range rep.Refusals {
				fmt.Fprintf(&out, "   refused %d: %s: %s\n", r.Line, r.Value, r.Reason)
			}
		}
		list, v := all(t, l)
		if _, err := match.Build(match.DefaultConfig(), list); err != nil {
			t.Fatalf("step %d: what counts cannot stand in an index: %v", n+1, err)
		}
		fmt.Fprintf(&out, "   version %q\n", v)
		for _, i := range list {
			fmt.Fprintf(&out, "   %s\n", line(&i))
		}
	}
	return out.String()
}

// line is an indicator for people.
func line(i *schema.Indicator) string {
	s := fmt.Sprintf("%s/%s %s %s %s", i.Feed, i.ID, i.Type, i.Value, i.Verdict)
	add := func(ok bool, format string, args ...any) {
		if ok {
			s += " " + fmt.Sprintf(format, args...)
		}
	}
	add(i.Tenant != "", "tenant=%s", i.Tenant)
	add(true, "confidence=%d", i.Confidence)
	add(i.Severity != 0, "severity=%s", i.Severity)
	add(i.Wish != 0, "wish=%s", i.Wish)
	add(i.Rank != 50, "rank=%d", i.Rank)
	add(i.TLP != 0, "tlp=%s", i.TLP)
	add(i.ValidUntil != 0, "until=%s", i.ValidUntil)
	add(i.Fresh != 0, "fresh=%s", i.Fresh)
	add(len(i.Labels) > 0, "labels=%s", strings.Join(i.Labels, ","))
	threats := make([]string, len(i.Threats))
	for n, t := range i.Threats {
		threats[n] = t.Kind.String() + ":" + t.Name
	}
	add(len(threats) > 0, "threats=%s", strings.Join(slices.Clip(threats), ","))
	return s
}
