package disrupt

import (
	"fmt"

	"github.com/interdict/interdict/schema"
)

// trial is a case before the safety rules: a policy's conditions are met for
// a target.
type trial struct {
	d         *Disruptor
	t         *tenant
	policy    *policy
	arm       arm
	target    schema.EntityRef
	now       schema.Millis
	evidence  []evidence // what the decision rests on, oldest first; never empty
	disproved bool       // without the disproved alerts the conditions are not met
	asset     asset
	known     bool // the inventory has the target
	held      *lease
	mine      bool // the episode is among the causes of held
	episode   episode
}

// rule is one safety rule: it gives the reason against acting, or "".
type rule struct {
	name   string
	person bool // a person may decide otherwise: approval, not refusal
	fails  func(*trial) string
}

// rules in the order they are asked; the first that fails is recorded. Those a
// person may overrule come last, so that approval is only asked for what could
// then be done.
var rules = [...]rule{
	{"kill_switch", false, killSwitch},
	{"false_positive", false, falsePositive},
	{"stale_evidence", false, staleEvidence},
	{"one_sensor", false, oneSensor},
	{"not_attested", false, notAttested},
	{"never_contain_class", false, neverContainClass},
	{"excluded", false, excluded},
	{"released", false, released},
	{"already_leased", false, alreadyLeased},
	{"unknown_asset", true, unknownAsset},
	{"budget", true, overBudget},
	{"approval", true, needsApproval},
}

// judge asks the rules.
func (x *trial) judge() (failed *rule, reason string) {
	for i := range rules {
		if reason := rules[i].fails(x); reason != "" {
			return &rules[i], reason
		}
	}
	return nil, ""
}

func killSwitch(x *trial) string {
	switch {
	case x.d.kill.v:
		return "on for every tenant"
	case x.t.vars.v.Kill:
		return "on for the tenant"
	}
	return ""
}

func falsePositive(x *trial) string {
	if x.disproved {
		return "the conditions are met only with alerts that were disproved"
	}
	return ""
}

// Old evidence may support, but something must have happened just now: else
// a backfill or a reset offset would contain what was attacked last month.
func staleEvidence(x *trial) string {
	for i := range x.evidence {
		e := &x.evidence[i]
		if x.now-e.Created <= x.d.maxAge && (e.Ingested == 0 || x.now-e.Ingested <= x.d.maxAge) && e.Created <= x.now+schema.MaxFuture {
			return ""
		}
	}
	return fmt.Sprintf("none of %d alerts is newer than %v by event and by ingest", len(x.evidence), x.d.cfg.MaxEvidenceAge)
}

// Only the source counts: it comes from the topic, vendor and product from the
// payload.
func oneSensor(x *trial) string {
	if n := countSources(x.evidence); n < x.policy.sources {
		return fmt.Sprintf("%d of %d sources name the target", n, x.policy.sources)
	}
	return ""
}

func notAttested(x *trial) string {
	if n := countAttested(x.evidence); n < x.policy.attested {
		return fmt.Sprintf("%d of %d alerts attest the target", n, x.policy.attested)
	}
	return ""
}

func neverContainClass(x *trial) string {
	if x.d.never.has(x.target) {
		return "the target is listed"
	}
	if class := canonicalClass(x.asset.Class); x.known && x.d.neverClass[class] {
		return class
	}
	return ""
}

func excluded(x *trial) string {
	for i := range x.d.excluded {
		if e := &x.d.excluded[i]; e.covers(x.target) {
			if e.note == "" {
				return "by configuration"
			}
			return e.note
		}
	}
	return ""
}

// What a person ended is not started again by more of the same.
func released(x *trial) string {
	if x.episode.Released {
		return "a person released the target from this"
	}
	return ""
}

func alreadyLeased(x *trial) string {
	if x.held == nil || x.mine {
		return ""
	}
	for i := range x.held.Causes {
		if c := &x.held.Causes[i]; c.Policy == x.policy.name {
			return "the policy holds lease " + x.held.ID.String()
		}
	}
	return ""
}

func unknownAsset(x *trial) string {
	switch {
	case !x.known || x.asset.Class == "":
		return "the inventory does not know the target's class"
	case x.now-x.asset.Fresh > schema.Millis(x.d.cfg.MaxAssetAge.Milliseconds()):
		return "the inventory last vouched for the target at " + x.asset.Fresh.String()
	case x.asset.Fresh > x.now+schema.MaxFuture:
		return "the inventory vouches for the target from the future, " + x.asset.Fresh.String() // else it would never be stale
	}
	return ""
}

// Joining a lease costs nothing: the target is contained already.
func overBudget(x *trial) string {
	if x.held != nil || x.d.level(x.t, x.target.Type).Level >= token {
		return ""
	}
	return fmt.Sprintf("%d actions per hour on a %s are spent", x.d.capacity(x.t, x.target.Type), x.target.Type)
}

func needsApproval(x *trial) string {
	if x.policy.mode == ModeApproval {
		return "the policy asks a person first"
	}
	return ""
}
