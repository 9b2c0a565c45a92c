package schema

// ActionKind is what may be done to a target.
type ActionKind uint8

// Action kinds. The numbers are stored: append, never reorder.
const (
	ActionUnknown ActionKind = iota
	ActionContainHost
	ActionIsolateHost
	ActionContainUser
	ActionDisableUser
	ActionRevokeSessions
	ActionContainIP
	ActionBlockIndicator
	actionKinds
)

// String gives the stored lower-case name.
func (k ActionKind) String() string {
	names := [...]string{"unknown", "contain_host", "isolate_host", "contain_user", "disable_user", "revoke_sessions", "contain_ip", "block_indicator"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// ParseActionKind reads the form that String writes.
func ParseActionKind(s string) (ActionKind, bool) {
	for k := ActionContainHost; k < actionKinds; k++ {
		if k.String() == s {
			return k, true
		}
	}
	return ActionUnknown, false
}

// Outcome is what became of a decision.
type Outcome uint8

// Outcomes. The numbers are stored: append, never reorder.
const (
	OutcomeShadow Outcome = iota // would have fired; the policy only watches
	OutcomeFired
	OutcomeVetoed // a safety rule stood against it: Decision.Veto
)

// String gives the stored lower-case name.
func (o Outcome) String() string {
	names := [...]string{"shadow", "fired", "vetoed"}
	if int(o) < len(names) {
		return names[o]
	}
	return "unknown"
}

// Decision records that a policy's conditions were met, whatever came of it.
type Decision struct {
	ID         ID         `json:"id,omitzero"`
	Tenant     string     `json:"tenant,omitzero"`
	Policy     string     `json:"policy,omitzero"`
	PolicyHash string     `json:"policy_hash,omitzero"`
	Incident   IncidentID `json:"incident,omitzero"`
	Target     EntityRef  `json:"target,omitzero"`
	Action     ActionKind `json:"action"`
	Outcome    Outcome    `json:"outcome"`
	Veto       string     `json:"veto,omitzero"` // safety rule that failed, with its reason
	Mode       string     `json:"mode,omitzero"` // shadow, approval or armed
	Evidence   []AlertID  `json:"evidence,omitempty"`
	Lease      ID         `json:"lease,omitzero"`
	Until      Millis     `json:"until,omitzero"` // end of the lease it asked for
	Time       Millis     `json:"time,omitzero"`
	Cause      string     `json:"cause,omitzero"` // "policy", "kill_switch", ...
}

// LeaseState is the life of a lease.
type LeaseState uint8

// Lease states. The numbers are stored: append, never reorder.
const (
	LeaseActive LeaseState = iota
	LeaseReleased
	LeaseExpired
)

// String gives the stored lower-case name.
func (s LeaseState) String() string {
	names := [...]string{"active", "released", "expired"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Lease is the desired state of one target: the action holds until the lease
// ends. Its id derives from tenant, target and action, so that two causes share
// one lease.
type Lease struct {
	ID       ID         `json:"id,omitzero"`
	Tenant   string     `json:"tenant,omitzero"`
	Target   EntityRef  `json:"target,omitzero"`
	Action   ActionKind `json:"action"`
	State    LeaseState `json:"state"`
	From     Millis     `json:"from,omitzero"`
	Until    Millis     `json:"until,omitzero"`
	Incident IncidentID `json:"incident,omitzero"`
	Decision ID         `json:"decision,omitzero"`
	Policy   string     `json:"policy,omitzero"`
	Evidence []AlertID  `json:"evidence,omitempty"`
	Reason   string     `json:"reason,omitzero"` // why it is in this state
	Version  uint64     `json:"version"`
}

// NewLeaseID derives the id of the one lease of an action on a target.
func NewLeaseID(tenant string, target EntityRef, action ActionKind) ID {
	return derive("lease", tenant, target.String(), action.String())
}

// Verb says which way an action moves its target.
type Verb uint8

// Verbs.
const (
	VerbApply Verb = iota
	VerbRelease
)

// String gives the stored lower-case name.
func (v Verb) String() string {
	if v == VerbRelease {
		return "release"
	}
	return "apply"
}

// Action is a command: make the target match the lease. The effect is
// idempotent by lease and verb.
type Action struct {
	ID         ID         `json:"id,omitzero"`
	Tenant     string     `json:"tenant,omitzero"`
	Lease      ID         `json:"lease,omitzero"`
	Decision   ID         `json:"decision,omitzero"`
	Incident   IncidentID `json:"incident,omitzero"`
	Verb       Verb       `json:"verb"`
	Kind       ActionKind `json:"kind"`
	Target     EntityRef  `json:"target,omitzero"`
	Issued     Millis     `json:"issued,omitzero"`
	Until      Millis     `json:"until,omitzero"` // end of the lease
	Policy     string     `json:"policy,omitzero"`
	PolicyHash string     `json:"policy_hash,omitzero"`
	Evidence   []AlertID  `json:"evidence,omitempty"`
	Version    uint64     `json:"version"`         // version of the lease it belongs to
	KeyID      string     `json:"key_id,omitzero"` // signing key; see respond
	Signature  []byte     `json:"signature,omitempty"`
}

// ActionResult is what an executor says of an action.
type ActionResult struct {
	Action   ID         `json:"action,omitzero"`
	Lease    ID         `json:"lease,omitzero"`
	Tenant   string     `json:"tenant,omitzero"`
	Target   EntityRef  `json:"target,omitzero"`
	Kind     ActionKind `json:"kind"`
	Verb     Verb       `json:"verb"`
	Status   string     `json:"status,omitzero"` // done, failed, refused, dry_run
	Detail   string     `json:"detail,omitzero"`
	Executor string     `json:"executor,omitzero"`
	Prior    string     `json:"prior,omitzero"` // state of the target before, for undo
	Time     Millis     `json:"time,omitzero"`
}
