package schema

// Origin says what kind of actor did something.
type Origin uint8

// Origins. The numbers are stored: append, never reorder.
const (
	OriginUnknown Origin = iota
	OriginAnalyst
	OriginRule
	OriginPlaybook
	OriginInvestigation
	OriginDisruption
	OriginExecutor
	OriginVendor
	OriginCorrelation
)

// String gives the stored lower-case name.
func (o Origin) String() string {
	names := [...]string{"unknown", "analyst", "rule", "playbook", "investigation", "disruption", "executor", "vendor", "correlation"}
	if int(o) < len(names) {
		return names[o]
	}
	return "unknown"
}

// LedgerEvent is one thing that was done. The ledger is append-only and the one
// source of activity logs, audit and reports.
type LedgerEvent struct {
	ID       ID         `json:"id,omitzero"`
	Tenant   string     `json:"tenant,omitzero"`
	Object   string     `json:"object,omitzero"` // what it was done to, such as "incident:<id>" or "lease:<id>"
	Incident IncidentID `json:"incident,omitzero"`
	Actor    string     `json:"actor,omitzero"`
	Origin   Origin     `json:"origin"`
	Verb     string     `json:"verb,omitzero"`
	Before   string     `json:"before,omitzero"`
	After    string     `json:"after,omitzero"`
	Cause    string     `json:"cause,omitzero"`
	Time     Millis     `json:"time,omitzero"`
}

// Run is one execution of an investigation, playbook, rule or live response.
type Run struct {
	ID       ID         `json:"id,omitzero"`
	Tenant   string     `json:"tenant,omitzero"`
	Incident IncidentID `json:"incident,omitzero"`
	Kind     string     `json:"kind,omitzero"`
	Name     string     `json:"name,omitzero"`
	Status   string     `json:"status,omitzero"`
	Actor    string     `json:"actor,omitzero"`
	Start    Millis     `json:"start,omitzero"`
	End      Millis     `json:"end,omitzero"`
	Version  uint64     `json:"version"`
}

// RunStep is one step of a run.
type RunStep struct {
	Run     ID     `json:"run,omitzero"`
	Tenant  string `json:"tenant,omitzero"`
	Index   int32  `json:"index"`
	Name    string `json:"name,omitzero"`
	Status  string `json:"status,omitzero"`
	Detail  string `json:"detail,omitzero"`
	Start   Millis `json:"start,omitzero"`
	End     Millis `json:"end,omitzero"`
	Version uint64 `json:"version"`
}
