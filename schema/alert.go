package schema

// Alert is one vendor alert in OCSF Detection Finding (2004) semantics. The same
// vendor alert sent again with other content is a revision: same ID, other
// Content.
type Alert struct {
	ID       AlertID
	Tenant   string
	Source   string // source_id, from the topic
	Format   string // mapping that read it, such as "suricata_eve"
	VendorID string // vendor's id, or ContentSum where it has none: finding_info.uid
	Content  uint64 // xxh3 of the document's bytes: tells a re-send from a revision

	Vendor  string // metadata.product.vendor_name
	Product string // metadata.product.name
	Title   string
	Desc    string
	RuleUID string // the vendor's detection
	Rule    string
	Type    string // vendor's category or finding type

	Severity   Severity
	Confidence uint8 // 0-100, zero: not said
	Verdict    Verdict
	Status     AlertStatus
	Blocked    bool // the sensor says it stopped the activity

	Start    Millis // activity
	End      Millis
	Created  Millis // event time: by the vendor, clamped (ClampCreated)
	Updated  Millis // vendor's last change; orders revisions
	Ingested Millis // the raw record's timestamp

	Techniques []Technique
	Entities   []Entity
	Matches    []Match
	// Snapshot is the id of the index of indicators that was asked, whether it knew
	// anything of the alert or not; zero: an empty one, or none.
	Snapshot uint64

	Raw    []byte // the document as received; see ADR 0008
	RawRef RawRef

	// Unknown holds wire fields of a newer writer, kept when re-encoded. Those
	// inside an entity, technique or match are not kept.
	Unknown []byte

	// Set by correlate for the stages after it; never on the wire.
	Incident IncidentID
	Standing Standing
}

// RawRef is where the document came from.
type RawRef struct {
	Topic     string `json:"topic,omitzero"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Doc       int32  `json:"doc"` // position within the record, from 0
}

// Technique is an ATT&CK technique, with its tactic where known.
type Technique struct {
	ID     string `json:"id,omitzero"`     // "T1021.002"; may be empty when only the tactic is known
	Tactic string `json:"tactic,omitzero"` // "TA0008"; may be empty
}

// AlertStatus is the vendor's state of the alert: OCSF status_id of 2004.
type AlertStatus uint8

// OCSF 1.8 status_id of findings.
const (
	AlertStatusUnknown    AlertStatus = 0
	AlertStatusNew        AlertStatus = 1
	AlertStatusInProgress AlertStatus = 2
	AlertStatusSuppressed AlertStatus = 3
	AlertStatusResolved   AlertStatus = 4
)

// String gives the lower-case English name.
func (s AlertStatus) String() string {
	names := [...]string{"unknown", "new", "in_progress", "suppressed", "resolved"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Standing is how correlate took an alert.
type Standing uint8

// Standings.
const (
	StandingNew Standing = iota
	StandingRevision
	StandingDuplicate // same id and content: takes no part in anything again
)

// RevisionOf orders the revisions of an alert: vendor's update time, then
// content. Larger wins. The same value on every worker.
func (a *Alert) RevisionOf() uint64 {
	t := a.Updated
	if t == 0 {
		t = a.Created
	}
	return uint64(t)<<20 | a.Content>>44
}

// Reset empties a and keeps the memory of its slices.
func (a *Alert) Reset() {
	*a = Alert{Techniques: a.Techniques[:0], Entities: a.Entities[:0], Matches: a.Matches[:0]}
}

// Clone copies everything an alert aliases, so that it may outlive its batch.
func (a *Alert) Clone() Alert {
	c := *a
	for _, s := range []*string{&c.Tenant, &c.Source, &c.Format, &c.VendorID, &c.Vendor, &c.Product, &c.Title, &c.Desc,
		&c.RuleUID, &c.Rule, &c.Type, &c.RawRef.Topic} {
		*s = cloneString(*s)
	}
	c.Techniques = append([]Technique(nil), a.Techniques...)
	for i := range c.Techniques {
		t := &c.Techniques[i]
		t.ID, t.Tactic = cloneString(t.ID), cloneString(t.Tactic)
	}
	c.Entities = append([]Entity(nil), a.Entities...)
	for i := range c.Entities {
		e := &c.Entities[i]
		e.Key, e.UID, e.Name = cloneString(e.Key), cloneString(e.UID), cloneString(e.Name)
	}
	c.Matches = append([]Match(nil), a.Matches...)
	for i := range c.Matches {
		m := &c.Matches[i]
		m.Value, m.Indicator, m.Feed, m.Demoted = cloneString(m.Value), cloneString(m.Indicator), cloneString(m.Feed), cloneString(m.Demoted)
		m.Threats = append([]Threat(nil), m.Threats...)
		for j := range m.Threats {
			t := &m.Threats[j]
			t.ID, t.Name = cloneString(t.ID), cloneString(t.Name)
		}
	}
	c.Raw = append([]byte(nil), a.Raw...)
	c.Unknown = append([]byte(nil), a.Unknown...)
	return c
}

func cloneString(s string) string { return string(append([]byte(nil), s...)) }
