package disrupt

import (
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/interdict/interdict/schema"
)

// policy is a Policy ready to run.
type policy struct {
	name       string
	hash       string
	mode       string
	window     schema.Millis
	sources    int
	attested   int
	arms       map[schema.EntityType]arm
	names      []string // of the signals, by bit
	conditions []condition
	candidates []*candidate
}

type arm struct {
	action schema.ActionKind
	lease  schema.Millis
}

// condition is met by a set of signals that holds all and min of any.
type condition struct {
	all, any uint32
	min      int
}

// candidate is one entry of Policy.Signals.
type candidate struct {
	policy   *policy
	at       int // index of the policy
	bit      uint32
	severity schema.Severity
	matched  bool
	when     cel.Program // nil: always
}

// policy checks and compiles a policy that has its defaults.
func (c *compiler) policy(p Policy) (*policy, error) {
	errs := []error{p.validate()}
	out := &policy{name: p.Name, hash: p.hash(), mode: p.Mode, window: schema.Millis(p.Window.Milliseconds()),
		sources: p.MinSources, attested: p.MinAttested, arms: map[schema.EntityType]arm{}, names: p.signalNames()}
	for i, s := range p.Signals {
		x := &candidate{policy: out, matched: s.Matched, bit: out.bits([]string{s.Name})}
		x.severity, _ = parseSeverity(s.MinSeverity)
		if s.When != "" {
			var err error
			if x.when, err = c.program(s.When); err != nil {
				errs = append(errs, &fieldError{[]any{"signals", i, "when"}, err})
			}
		}
		out.candidates = append(out.candidates, x)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, a := range p.arms() {
		t, _ := schema.ParseEntityType(a.Target)
		k, _ := schema.ParseActionKind(a.Action)
		out.arms[t] = arm{k, schema.Millis(a.Lease.Milliseconds())}
	}
	for _, x := range p.Conditions {
		out.conditions = append(out.conditions, condition{out.bits(x.AllOf), out.bits(x.AnyOf), x.Min})
	}
	return out, nil
}

func (p *policy) bits(names []string) (b uint32) {
	for _, n := range names {
		b |= 1 << uint(slices.Index(p.names, n))
	}
	return b
}

// catalog is what an alert is looked up in, so that one that shows nothing costs
// next to nothing.
type catalog struct {
	policies []*policy
	byName   map[string]*policy
	severity schema.Severity         // least of all candidates
	tagged   map[string][]*candidate // by technique or tactic id
	untagged []*candidate
}

func newCatalog(cfg *Config) (*catalog, error) {
	comp, err := newCompiler()
	if err != nil {
		return nil, err
	}
	cat := &catalog{byName: map[string]*policy{}, severity: 255, tagged: map[string][]*candidate{}}
	for i, src := range cfg.Policies {
		src = src.withDefaults(cfg.DefaultLease)
		p, err := comp.policy(src)
		if err != nil {
			return nil, err
		}
		cat.policies = append(cat.policies, p)
		cat.byName[p.name] = p
		for k, x := range p.candidates {
			x.at = i
			cat.severity = min(cat.severity, x.severity)
			tags := append(slices.Clone(src.Signals[k].Techniques), src.Signals[k].Tactics...)
			slices.Sort(tags)
			for _, t := range slices.Compact(tags) {
				cat.tagged[t] = append(cat.tagged[t], x)
			}
			if len(tags) == 0 {
				cat.untagged = append(cat.untagged, x)
			}
		}
	}
	return cat, nil
}

// lookup appends the candidates whose cheap fields hold for a, each once.
func (c *catalog) lookup(a *schema.Alert, to []*candidate) []*candidate {
	if a.Severity < c.severity {
		return to
	}
	matched := slices.ContainsFunc(a.Matches, speaks)
	add := func(list []*candidate) {
		for _, x := range list {
			if a.Severity >= x.severity && (!x.matched || matched) && !slices.Contains(to, x) {
				to = append(to, x)
			}
		}
	}
	add(c.untagged)
	for _, t := range a.Techniques[:min(maxList, len(a.Techniques))] {
		if t.ID != "" {
			add(c.tagged[t.ID])
			if parent, _, sub := strings.Cut(t.ID, "."); sub {
				add(c.tagged[parent])
			}
		}
		if t.Tactic != "" {
			add(c.tagged[t.Tactic])
		}
	}
	return to
}
