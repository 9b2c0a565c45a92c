package schema

// PathKind says how sure a path is.
type PathKind uint8

// Path kinds.
const (
	PathRealized PathKind = iota
	PathPredicted
	PathPotential
)

// String gives the stored lower-case name.
func (k PathKind) String() string {
	names := [...]string{"realized", "predicted", "potential"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// PathEdge is one contact on a path.
type PathEdge struct {
	From      EntityRef `json:"from,omitzero"`
	To        EntityRef `json:"to,omitzero"`
	Time      Millis    `json:"time,omitzero"`
	Technique string    `json:"technique,omitzero"`
	Alert     AlertID   `json:"alert,omitzero"`
	Observed  bool      `json:"observed"` // false: inferred
}

// Path is an attack path through an incident; its edges are in time order.
type Path struct {
	ID       ID         `json:"id,omitzero"`
	Tenant   string     `json:"tenant,omitzero"`
	Incident IncidentID `json:"incident,omitzero"`
	Kind     PathKind   `json:"kind"`
	Status   string     `json:"status,omitzero"` // "active" or "superseded"
	Entry    EntityRef  `json:"entry,omitzero"`
	Foothold EntityRef  `json:"foothold,omitzero"` // where the attacker stands now
	Edges    []PathEdge `json:"edges,omitempty"`
	Reach    uint32     `json:"reach"` // entities reached
	Version  uint64     `json:"version"`
}

// NewPathID derives a path's id from what it belongs to.
func NewPathID(tenant string, incident IncidentID, kind PathKind) ID {
	return derive("path", tenant, string(incident[:]), kind.String())
}
