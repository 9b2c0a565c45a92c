package library

import (
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
)

// TestRuleThatCannotBe: a rule that is a mistake is told by its place and key, and with
// it all others.
func TestRuleThatCannotBe(t *testing.T) {
	edit := Edit{Raise: ptr(uint8(10))}
	for _, x := range []struct {
		name string
		rule Rule
		want string // empty: it is taken
	}{
		{"edits all", Rule{Edit: edit}, ""},
		{"skips all", Rule{Name: "r", Skip: true}, `library: rules[0]: skip: with an empty when it skips every indicator of every feed: give a condition (when: {at_least: 0}, if all are meant) (rule "r")`},
		{"skips all by empty lists", Rule{Name: "r", When: Condition{Feeds: []string{}, TLP: []schema.TLP{}}, Skip: true}, `library: rules[0]: skip: with an empty when it skips every indicator of every feed: give a condition (when: {at_least: 0}, if all are meant) (rule "r")`},
		{"skips all, as it says", Rule{When: Condition{AtLeast: ptr(uint8(0))}, Skip: true}, ""},
		{"does nothing", Rule{When: Condition{Types: []string{"ip"}}}, `library: rules[0]: edit: it is empty, and skip is not set: the rule does nothing; give one of them (rule "")`},
		{"adds no label", Rule{Edit: Edit{Labels: []string{}}}, `library: rules[0]: edit: it is empty, and skip is not set: the rule does nothing; give one of them (rule "")`},
		{"adds a label", Rule{Edit: Edit{Labels: []string{"x"}}}, ""},
		{"shortens", Rule{Edit: Edit{Extend: -time.Hour}}, ""},
		{"never holds", Rule{When: Condition{AtLeast: ptr(uint8(50)), Below: ptr(uint8(50))}, Skip: true}, `library: rules[0]: when.below: 50 is not more than at_least, 50: it never holds (rule "")`},
		{"below all", Rule{When: Condition{Below: ptr(uint8(0))}, Edit: edit}, `library: rules[0]: when.below: 0 is not more than at_least, 0: it never holds (rule "")`},
		{"two mistakes", Rule{Name: "%d", When: Condition{Types: []string{"x"}, Suffixes: []string{""}}, Edit: edit},
			"library: rules[0]: when.types: type \"x\" is unknown (rule \"%d\")\nlibrary: rules[0]: when.suffixes: one is empty (rule \"%d\")"},
	} {
		c := DefaultConfig()
		c.Rules = []Rule{x.rule}
		got := ""
		if err := c.Validate(); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", x.name, got, x.want)
		}
	}
}
