package disrupt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/interdict/interdict/schema"
)

// Modes of a policy, from watching to acting.
const (
	ModeShadow   = "shadow"   // decides, never acts
	ModeApproval = "approval" // asks a person
	ModeArmed    = "armed"    // acts
)

// Policy says what pattern of alerts about one target is reason to contain it.
type Policy struct {
	Name        string        `yaml:"name" json:"name"` // unique
	Description string        `yaml:"description" json:"-"`
	Mode        string        `yaml:"mode" json:"mode"`                           // shadow, approval or armed; default shadow
	Window      time.Duration `yaml:"window" json:"window"`                       // event time that the evidence of one decision may span; 1m to 24h, default 1h
	Target      string        `yaml:"target" json:"target"`                       // entity type that is acted on
	Action      string        `yaml:"action" json:"action"`                       // action kind
	Lease       time.Duration `yaml:"lease,omitempty" json:"lease"`               // how long the action holds; default Config.DefaultLease
	Also        []Arm         `yaml:"also,omitempty" json:"also,omitempty"`       // further target types, each on evidence of its own
	MinSources  int           `yaml:"min_sources,omitempty" json:"min_sources"`   // distinct sources in the evidence; at least and by default 2
	MinAttested int           `yaml:"min_attested,omitempty" json:"min_attested"` // alerts whose source attests the target; at least and by default 1
	Signals     []Signal      `yaml:"signals" json:"signals"`                     // what to look for; entries of one name are alternatives
	Conditions  []Condition   `yaml:"conditions" json:"conditions"`               // any one of them is enough
}

// Arm is an action on a further type of target.
type Arm struct {
	Target string        `yaml:"target" json:"target"`
	Action string        `yaml:"action" json:"action"`
	Lease  time.Duration `yaml:"lease,omitempty" json:"lease"` // default: the policy's
}

// Signal is a predicate over one alert and one target that it names. The fields
// before When are cheap and keep When away from most alerts; all that are given
// must hold.
type Signal struct {
	Name        string   `yaml:"name" json:"name"`
	MinSeverity string   `yaml:"min_severity" json:"min_severity"`                 // least severity, by name
	Techniques  []string `yaml:"techniques,omitempty" json:"techniques,omitempty"` // any of these, sub-techniques included, or of Tactics
	Tactics     []string `yaml:"tactics,omitempty" json:"tactics,omitempty"`
	Matched     bool     `yaml:"matched,omitempty" json:"matched,omitempty"` // an indicator matched the alert, and the match counts
	When        string   `yaml:"when,omitempty" json:"when,omitempty"`       // CEL over alert and target; see View
}

// Condition is met by evidence that shows every signal of AllOf and at least Min
// different ones of AnyOf.
type Condition struct {
	AllOf []string `yaml:"all_of,omitempty" json:"all_of,omitempty"`
	AnyOf []string `yaml:"any_of,omitempty" json:"any_of,omitempty"`
	Min   int      `yaml:"min,omitempty" json:"min"` // default 1 where any_of is given
}

// Bounds of a policy.
const (
	maxSignals    = 32 // distinct names: a bit each
	maxEntries    = 128
	maxConditions = 16
	minWindow     = time.Minute
	maxWindow     = 24 * time.Hour
	minLease      = time.Minute
	maxLease      = 7 * 24 * time.Hour
	defaultLease  = 4 * time.Hour
)

// fieldError is a fault of the field at a path of keys and indices.
type fieldError struct {
	path []any
	err  error
}

func (e *fieldError) Error() string {
	s := ""
	for _, p := range e.path {
		if i, ok := p.(int); ok {
			s += fmt.Sprintf("[%d]", i)
		} else if s == "" {
			s = fmt.Sprint(p)
		} else {
			s += fmt.Sprintf(".%v", p)
		}
	}
	return s + ": " + e.err.Error()
}

func (e *fieldError) Unwrap() error { return e.err }

func fault(format string, args []any, path ...any) error {
	return &fieldError{path, fmt.Errorf(format, args...)}
}

var (
	nameForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)
	techniqueForm = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
	tacticForm    = regexp.MustCompile(`^TA[0-9]{4}$`)
)

// withDefaults fills what a policy leaves out.
func (p Policy) withDefaults(lease time.Duration) Policy {
	if p.Mode == "" {
		p.Mode = ModeShadow
	}
	if p.Window == 0 {
		p.Window = time.Hour
	}
	if p.Lease == 0 {
		p.Lease = lease
	}
	if p.MinSources == 0 {
		p.MinSources = 2
	}
	if p.MinAttested == 0 {
		p.MinAttested = 1
	}
	p.Also = slices.Clone(p.Also)
	for i := range p.Also {
		if p.Also[i].Lease == 0 {
			p.Also[i].Lease = p.Lease
		}
	}
	p.Conditions = slices.Clone(p.Conditions)
	for i := range p.Conditions {
		if c := &p.Conditions[i]; c.Min == 0 && len(c.AnyOf) > 0 {
			c.Min = 1
		}
	}
	return p
}

// Hash names what the policy decides: 16 hex digits. Its description is no part
// of it.
func (p Policy) hash() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("BUG: a policy of strings and numbers cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// validate checks everything but the expressions. p has its defaults.
func (p *Policy) validate() error {
	var errs []error
	bad := func(err error) { errs = append(errs, err) }
	if !nameForm.MatchString(p.Name) {
		bad(fault("%q is not a name of lower-case letters, digits, '-', '_' and '.'", []any{p.Name}, "name"))
	}
	if p.Mode != ModeShadow && p.Mode != ModeApproval && p.Mode != ModeArmed {
		bad(fault("%q is not shadow, approval or armed", []any{p.Mode}, "mode"))
	}
	if p.Window < minWindow || p.Window > maxWindow {
		bad(fault("%v is not from %v to %v", []any{p.Window, minWindow, maxWindow}, "window"))
	}
	if p.MinSources < 2 || p.MinSources > 16 {
		bad(fault("%d is not from 2 to 16: one sensor alone never acts", []any{p.MinSources}, "min_sources"))
	}
	if p.MinAttested < 1 || p.MinAttested > 16 {
		bad(fault("%d is not from 1 to 16: a target that nobody attests is never acted on", []any{p.MinAttested}, "min_attested"))
	}
	bad(p.validateArms())
	bad(p.validateSignals())
	bad(p.validateConditions())
	return errors.Join(errs...)
}

// arms lists the policy's own target first.
func (p *Policy) arms() []Arm {
	return append([]Arm{{p.Target, p.Action, p.Lease}}, p.Also...)
}

// fits says which actions may be taken on which type of target.
func fits(t schema.EntityType, k schema.ActionKind) bool {
	switch k {
	case schema.ActionContainHost, schema.ActionIsolateHost:
		return t == schema.EntityHost
	case schema.ActionContainUser, schema.ActionDisableUser, schema.ActionRevokeSessions:
		return t == schema.EntityUser
	case schema.ActionContainIP:
		return t == schema.EntityIP
	case schema.ActionBlockIndicator:
		return t == schema.EntityIP || t == schema.EntityDomain || t == schema.EntityURL || t == schema.EntityFileHash
	}
	return false
}

func (p *Policy) validateArms() error {
	var errs []error
	seen := map[string]bool{}
	for i, a := range p.arms() {
		at := func(field string) []any {
			if i == 0 {
				return []any{field}
			}
			return []any{"also", i - 1, field}
		}
		t, ok := schema.ParseEntityType(a.Target)
		k, known := schema.ParseActionKind(a.Action)
		switch {
		case !ok || t == schema.EntityUnknown:
			errs = append(errs, fault("%q is no entity type", []any{a.Target}, at("target")...))
		case seen[a.Target]:
			errs = append(errs, fault("%q has an action already", []any{a.Target}, at("target")...))
		case !known:
			errs = append(errs, fault("%q is no action", []any{a.Action}, at("action")...))
		case !fits(t, k):
			errs = append(errs, fault("%s cannot be done to a %s", []any{a.Action, a.Target}, at("action")...))
		}
		seen[a.Target] = true
		if a.Lease < minLease || a.Lease > maxLease {
			errs = append(errs, fault("%v is not from %v to %v", []any{a.Lease, minLease, maxLease}, at("lease")...))
		}
	}
	return errors.Join(errs...)
}

func (p *Policy) validateSignals() error {
	var errs []error
	if n := len(p.Signals); n == 0 || n > maxEntries {
		errs = append(errs, fault("%d signals: want 1 to %d", []any{n, maxEntries}, "signals"))
	}
	if n := len(p.signalNames()); n > maxSignals {
		errs = append(errs, fault("%d different names: at most %d", []any{n, maxSignals}, "signals"))
	}
	for i, s := range p.Signals {
		if !nameForm.MatchString(s.Name) {
			errs = append(errs, fault("%q is not a name", []any{s.Name}, "signals", i, "name"))
		}
		if _, ok := parseSeverity(s.MinSeverity); !ok {
			errs = append(errs, fault("%q is no severity", []any{s.MinSeverity}, "signals", i, "min_severity"))
		}
		for k, t := range s.Techniques {
			if !techniqueForm.MatchString(t) {
				errs = append(errs, fault("%q is no technique id", []any{t}, "signals", i, "techniques", k))
			}
		}
		for k, t := range s.Tactics {
			if !tacticForm.MatchString(t) {
				errs = append(errs, fault("%q is no tactic id", []any{t}, "signals", i, "tactics", k))
			}
		}
		if len(s.Techniques)+len(s.Tactics) == 0 && !s.Matched && s.When == "" {
			errs = append(errs, fault("looks at nothing but the severity: give techniques, tactics, matched or when", nil, "signals", i))
		}
	}
	return errors.Join(errs...)
}

func (p *Policy) validateConditions() error {
	var errs []error
	if n := len(p.Conditions); n == 0 || n > maxConditions {
		errs = append(errs, fault("%d conditions: want 1 to %d", []any{n, maxConditions}, "conditions"))
	}
	names := p.signalNames()
	for i, c := range p.Conditions {
		check := func(field string, list []string) {
			for k, name := range list {
				if !slices.Contains(names, name) {
					errs = append(errs, fault("no signal is called %q", []any{name}, "conditions", i, field, k))
				} else if slices.Index(list, name) != k {
					errs = append(errs, fault("%q is listed twice", []any{name}, "conditions", i, field, k))
				}
			}
		}
		check("all_of", c.AllOf)
		check("any_of", c.AnyOf)
		if len(c.AllOf)+len(c.AnyOf) == 0 {
			errs = append(errs, fault("is empty: it would always be met", nil, "conditions", i))
		}
		if c.Min < 0 || c.Min > len(c.AnyOf) || c.Min == 0 && len(c.AnyOf) > 0 {
			errs = append(errs, fault("%d is not from 1 to the %d signals of any_of", []any{c.Min, len(c.AnyOf)}, "conditions", i, "min"))
		}
	}
	return errors.Join(errs...)
}

// signalNames lists the different names in order of appearance.
func (p *Policy) signalNames() []string {
	var names []string
	for _, s := range p.Signals {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

func parseSeverity(s string) (schema.Severity, bool) {
	for v := schema.SeverityInformational; v <= schema.SeverityFatal; v++ {
		if v.String() == s {
			return v, true
		}
	}
	return 0, false
}
