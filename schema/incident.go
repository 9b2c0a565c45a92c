package schema

// Disposition says whether an incident is put before people.
type Disposition uint8

// Dispositions.
const (
	Background Disposition = iota
	Promoted
)

// String gives the stored lower-case name.
func (d Disposition) String() string {
	if d == Promoted {
		return "promoted"
	}
	return "background"
}

// IncidentStatus is the state of the case: OCSF status_id of 2005.
type IncidentStatus uint8

// OCSF 1.8 status_id of incident findings.
const (
	IncidentUnknown    IncidentStatus = 0
	IncidentNew        IncidentStatus = 1
	IncidentInProgress IncidentStatus = 2
	IncidentOnHold     IncidentStatus = 3
	IncidentResolved   IncidentStatus = 4
	IncidentClosed     IncidentStatus = 5
)

// String gives the lower-case English name.
func (s IncidentStatus) String() string {
	names := [...]string{"unknown", "new", "in_progress", "on_hold", "resolved", "closed"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Incident is the head of a group of alerts: at most 64 KiB on the wire. Its
// members travel apart.
type Incident struct {
	ID             IncidentID     `json:"id,omitzero"`
	Tenant         string         `json:"tenant,omitzero"`
	Title          string         `json:"title,omitzero"`
	Disposition    Disposition    `json:"disposition"`
	Severity       Severity       `json:"severity"`
	Priority       uint8          `json:"priority"` // 0-100
	Factors        []Factor       `json:"factors,omitempty"`
	Status         IncidentStatus `json:"status"`
	Assignee       string         `json:"assignee,omitzero"`
	Group          string         `json:"group,omitzero"`
	Classification string         `json:"classification,omitzero"`
	Tags           []string       `json:"tags,omitempty"`
	Scopes         []string       `json:"scopes,omitempty"`
	Tickets        []string       `json:"tickets,omitempty"`
	RedirectTo     IncidentID     `json:"redirect_to,omitzero"` // set: this id now means another, older incident
	Campaign       IncidentID     `json:"campaign,omitzero"`    // umbrella of the loosest level, for navigation only

	Founder    AlertID     `json:"founder,omitzero"`
	Level      int8        `json:"level"` // ladder level that holds it together; see LevelSingle
	Slice      int32       `json:"slice"`
	Final      bool        `json:"final"`     // no later alert can join
	Touched    bool        `json:"touched"`   // a person or an action has used it: membership only grows
	Suggested  bool        `json:"suggested"` // correlation would now split it
	First      Millis      `json:"first,omitzero"`
	Last       Millis      `json:"last,omitzero"`
	Alerts     uint32      `json:"alerts"`
	Routine    uint32      `json:"routine"`
	Sources    []string    `json:"sources,omitempty"`
	Techniques []Technique `json:"techniques,omitempty"`
	Entities   []EntityRef `json:"entities,omitempty"` // most shared first, bounded
	Version    uint64      `json:"version"`            // log position of the change; grows
}

// LevelSingle is the level of an incident of one alert.
const LevelSingle int8 = -1

// Factor is one reason for a priority.
type Factor struct {
	Name   string `json:"name,omitzero"`
	Points int32  `json:"points"`
}

// ReasonKind says why an alert is where it is.
type ReasonKind uint8

// Reason kinds. The numbers are stored: append, never reorder.
const (
	ReasonFounder ReasonKind = iota // the oldest member
	ReasonLinked                    // shares Key with Peer
	ReasonRevision
	ReasonRoutine // attached for display; does not link
)

// String gives the stored lower-case name.
func (k ReasonKind) String() string {
	names := [...]string{"founder", "linked", "revision", "routine"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Member ties an alert to its incident. Each alert has exactly one; a move
// overwrites it.
type Member struct {
	Tenant   string     `json:"tenant,omitzero"`
	Alert    AlertID    `json:"alert,omitzero"`
	Incident IncidentID `json:"incident,omitzero"`
	Level    int8       `json:"level"`
	Weight   uint16     `json:"weight"` // what the alert counts toward its level's cap
	Reason   ReasonKind `json:"reason"`
	Key      string     `json:"key,omitzero"` // canonical text of the shared key: "host:web-1" or "host:web-1|user:bob"
	Peer     AlertID    `json:"peer,omitzero"`
	Distance Millis     `json:"-"` // distance_ms: |time of alert - time of peer|
	Late     bool       `json:"late"`
	VendorID string     `json:"vendor_id,omitzero"`
	Source   string     `json:"source,omitzero"`
	Created  Millis     `json:"created,omitzero"`
	Title    string     `json:"title,omitzero"`
	Severity Severity   `json:"severity"`
	Version  uint64     `json:"version"`
}

// Link is a statement between shards of a giant tenant: two alerts share
// a key at a level.
type Link struct {
	Tenant string  `json:"tenant,omitzero"`
	Level  int8    `json:"level"`
	A      AlertID `json:"a,omitzero"`
	B      AlertID `json:"b,omitzero"`
	Key    string  `json:"key,omitzero"`
	Time   Millis  `json:"time,omitzero"`
}
