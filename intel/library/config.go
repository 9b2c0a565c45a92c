package library

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Config shapes the life cycle. DefaultConfig gives the defaults.
type Config struct {
	// Rules are applied in order to every indicator when it is derived: to what
	// arrives, and to what is stored whenever its feed is pulled or renewed.
	Rules []Rule `yaml:"rules"`
	// Grace is how long an indicator stays among those that count after it has
	// ended; it does not match any more. Default: 24h.
	Grace time.Duration `yaml:"grace"`
	// ForgetAfter is how long what was revoked or has ended is kept, so that it
	// can be explained. Default: 2160h, 90 days.
	ForgetAfter time.Duration `yaml:"forget_after"`
	// ForgetMissing is the same for what is no longer in a feed that is read as a
	// whole; such feeds may change much. Default: 168h, 7 days.
	ForgetMissing time.Duration `yaml:"forget_missing"`
	// Keep is how many generations of a feed's indicators stay in any case, at least
	// 2: what was said before takes the place of what is damaged. Those that are
	// needed to tell what has changed stay besides. Default: 3.
	Keep int `yaml:"keep"`
	// MaxThreats bounds the threats on one indicator. Default: 16.
	MaxThreats int `yaml:"max_threats"`
	// MaxRelations bounds the relations of a feed, the references of its reports
	// among them, and also its objects and its sightings. Default: 2,000,000.
	MaxRelations int `yaml:"max_relations"`
	// MaxIndicators bounds the facts of one pull and the indicators of a feed, so that
	// a list that has become another does not fill every worker's memory. Default:
	// 20,000,000.
	MaxIndicators int `yaml:"max_indicators"`
	// MaxVersioned bounds the objects with a version in one pull; each takes about
	// 50 bytes of memory while it runs. Default: 8,000,000.
	MaxVersioned int `yaml:"max_versioned"`
	// SortBytes is the memory of one import for sorting, in bytes; what is more
	// waits in files. Default: 64 MiB.
	SortBytes int `yaml:"sort_bytes"`
	// MaxListed bounds the refusals that a report carries. The first 64 MiB of them are
	// in a file. Default: 100.
	MaxListed int `yaml:"max_listed"`
	// MaxExport bounds how many indicators are exported. Default: 0, no bound.
	MaxExport int `yaml:"max_export"`
	// ExportTLP is the most secret marking that is exported where the caller does
	// not ask for another. Default: green.
	ExportTLP schema.TLP `yaml:"export_tlp"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{Grace: day, ForgetAfter: 90 * day, ForgetMissing: 7 * day, Keep: 3, MaxThreats: 16, MaxRelations: 2_000_000, MaxIndicators: 20_000_000,
		MaxVersioned: 8_000_000, SortBytes: 64 << 20, MaxListed: 100, ExportTLP: schema.TLPGreen}
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var bad []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("library: "+format, args...))
		}
	}
	check(c.Grace >= 0, "grace: must not be negative")
	check(c.ForgetAfter >= 0, "forget_after: must not be negative")
	check(c.ForgetMissing >= 0, "forget_missing: must not be negative")
	check(c.Keep >= 2, "keep: %d: want at least 2", c.Keep)
	check(c.MaxThreats >= 1 && c.MaxThreats <= 255, "max_threats: %d: want 1 to 255", c.MaxThreats)
	check(c.MaxRelations >= 1, "max_relations: %d: want at least 1", c.MaxRelations)
	check(c.MaxIndicators >= 1, "max_indicators: %d: want at least 1", c.MaxIndicators)
	check(c.MaxVersioned >= 1, "max_versioned: %d: want at least 1", c.MaxVersioned)
	check(c.MaxListed >= 0, "max_listed: must not be negative")
	check(c.MaxExport >= 0, "max_export: must not be negative")
	check(c.SortBytes >= 1<<10 && c.SortBytes <= 1<<30, "sort_bytes: %d: want 1 KiB to 1 GiB", c.SortBytes)
	_, err := compile(c.Rules)
	return errors.Join(append(bad, err)...)
}

// Rule is one ingestion rule: what it is about and what is done. Rules never change
// an object's version.
type Rule struct {
	// Name appears where a rule is given as the reason.
	Name string `yaml:"name" json:"name"`
	// When says which indicators the rule is about. Empty: all, which a rule that skips
	// must say, as by at_least: 0.
	When Condition `yaml:"when" json:"when"`
	// Skip keeps them from counting; later rules are not asked.
	Skip bool `yaml:"skip" json:"skip,omitzero"`
	// Edit changes them.
	Edit Edit `yaml:"edit" json:"edit"`
}

// Condition holds when everything that is given holds.
type Condition struct {
	Feeds    []string         `yaml:"feeds" json:"feeds,omitempty"`
	Types    []string         `yaml:"types" json:"types,omitempty"`
	Verdicts []schema.Verdict `yaml:"verdicts" json:"verdicts,omitempty"`
	TLP      []schema.TLP     `yaml:"tlp" json:"tlp,omitempty"`
	// Labels: has at least one of them.
	Labels []string `yaml:"labels" json:"labels,omitempty"`
	// AtLeast and Below bound the confidence: AtLeast <= confidence < Below.
	AtLeast *uint8 `yaml:"at_least" json:"at_least,omitempty"`
	Below   *uint8 `yaml:"below" json:"below,omitempty"`
	// Suffixes: the value ends in one of them; of a domain or sender whole labels,
	// so that "bad.example" is not about "notbad.example".
	Suffixes []string `yaml:"suffixes" json:"suffixes,omitempty"`
	// Networks: the value is an address, a socket or a network within one of them.
	Networks []string `yaml:"networks" json:"networks,omitempty"`
}

// Edit changes fields; what is not given stays.
type Edit struct {
	Confidence *uint8           `yaml:"confidence" json:"confidence,omitempty"` // set to
	Raise      *uint8           `yaml:"raise" json:"raise,omitempty"`           // confidence to at least
	Cap        *uint8           `yaml:"cap" json:"cap,omitempty"`               // confidence to at most
	Verdict    *schema.Verdict  `yaml:"verdict" json:"verdict,omitempty"`
	Severity   *schema.Severity `yaml:"severity" json:"severity,omitempty"`
	Wish       *schema.Wish     `yaml:"wish" json:"wish,omitempty"`
	Rank       *uint8           `yaml:"rank" json:"rank,omitempty"`
	TLP        *schema.TLP      `yaml:"tlp" json:"tlp,omitempty"`
	Labels     []string         `yaml:"labels" json:"labels,omitempty"`      // added
	Extend     time.Duration    `yaml:"extend" json:"extend,omitzero"`       // the end, where there is one, by so much
	ValidFor   time.Duration    `yaml:"valid_for" json:"valid_for,omitzero"` // the end: so long after the feed said it last
}

// rule is a Rule ready for use.
type rule struct {
	Rule
	types    [schema.ObservableTypes]bool
	networks []netip.Prefix
}

// compile makes rules ready for use, or reports everything that is wrong with them.
func compile(rules []Rule) ([]rule, error) {
	out := make([]rule, len(rules))
	var bad []error
	for n, r := range rules {
		check := func(ok bool, format string, args ...any) {
			if !ok {
				bad = append(bad, fmt.Errorf("library: rules[%d]: "+format+" (rule %q)", append(append([]any{n}, args...), r.Name)...))
			}
		}
		out[n].Rule = r
		for _, name := range r.When.Types {
			var t schema.ObservableType
			if err := t.UnmarshalText([]byte(name)); err != nil || t == schema.ObservableUnknown {
				check(false, "when.types: type %q is unknown", name)
				continue
			}
			out[n].types[t] = true
		}
		for _, text := range r.When.Networks {
			p, err := netip.ParsePrefix(text)
			check(err == nil, "when.networks: %q: %v: want such as 198.51.100.0/24", text, err)
			out[n].networks = append(out[n].networks, p.Masked())
		}
		for _, v := range [...]struct {
			key   string
			value *uint8
		}{{"when.at_least", r.When.AtLeast}, {"when.below", r.When.Below}, {"edit.confidence", r.Edit.Confidence}, {"edit.raise", r.Edit.Raise}, {"edit.cap", r.Edit.Cap}} {
			check(v.value == nil || *v.value <= 100, "%s: confidence %d: want 0 to 100", v.key, deref(v.value))
		}
		check(r.When.Below == nil || deref(r.When.AtLeast) < *r.When.Below, "when.below: %d is not more than at_least, %d: it never holds",
			deref(r.When.Below), deref(r.When.AtLeast))
		check(deref(r.Edit.Rank) != match.RankAnalyst, "edit.rank: %d is that of analysts: want 0 to %d", match.RankAnalyst, match.RankAnalyst-1)
		check(!slices.Contains(r.When.Suffixes, ""), "when.suffixes: one is empty")
		check(!slices.Contains(r.Edit.Labels, ""), "edit.labels: one is empty")
		check(r.Edit.ValidFor >= 0, "edit.valid_for: must not be negative")
		check(!r.Skip || !r.When.empty(), "skip: with an empty when it skips every indicator of every feed: give a condition (when: {at_least: 0}, if all are meant)")
		check(r.Skip || !r.Edit.empty(), "edit: it is empty, and skip is not set: the rule does nothing; give one of them")
	}
	return out, errors.Join(bad...)
}

// deref gives what a number that may be left out is, 0 if it is.
func deref(v *uint8) uint8 {
	if v == nil {
		return 0
	}
	return *v
}

// empty reports a condition that everything meets.
func (c Condition) empty() bool {
	return len(c.Feeds)+len(c.Types)+len(c.Verdicts)+len(c.TLP)+len(c.Labels)+len(c.Suffixes)+len(c.Networks) == 0 && c.AtLeast == nil && c.Below == nil
}

// empty reports an edit that changes nothing.
func (e Edit) empty() bool {
	labels := len(e.Labels)
	e.Labels = nil
	return labels == 0 && reflect.ValueOf(e).IsZero()
}
