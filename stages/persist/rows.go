package persist

import "github.com/interdict/interdict/schema"

// Rows is what one Input becomes: a slice per table. Strings and byte slices
// alias the records; all of it is valid until Writer.Write returns.
type Rows struct {
	Alerts        []Alert              `json:",omitempty"` // alerts
	AlertEntities []AlertEntity        `json:",omitempty"` // alert_entities
	Entities      []Entity             `json:",omitempty"` // entities
	Aliases       []schema.EntityAlias `json:",omitempty"` // entity_aliases; ValidTo is when it was last seen
	Edges         []EntityEdge         `json:",omitempty"` // entity_edges
	Detections    []schema.Detection   `json:",omitempty"` // detections
	Matches       []Match              `json:",omitempty"` // matches
	Incidents     []Incident           `json:",omitempty"` // incidents and incident_versions
	Redirects     []Redirect           `json:",omitempty"` // incident_redirects
	Members       []Member             `json:",omitempty"` // incident_members
	Paths         []Path               `json:",omitempty"` // attack_paths
	PathEdges     []PathEdge           `json:",omitempty"` // attack_path_edges
	Decisions     []Decision           `json:",omitempty"` // decisions
	Evidence      []Evidence           `json:",omitempty"` // evidence
	Leases        []Lease              `json:",omitempty"` // leases
	Actions       []Action             `json:",omitempty"` // actions: commands and results
	Ledger        []Ledger             `json:",omitempty"` // ledger
	Rejects       []Reject             `json:",omitempty"` // rejects
	SourceStats   []SourceStats        `json:",omitempty"` // source_stats
	Assets        []Asset              `json:",omitempty"` // assets
	Indicators    []Indicator          `json:",omitempty"` // indicators_history
	Completeness  []Completeness       `json:",omitempty"` // completeness: always one row

	seen seen
}

// Position is where in Interdict's own topics a row comes from.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Life is what rows of compacted topics have: a deleted row stands for
// a tombstone, and its version is above all others.
type Life struct {
	Deleted bool          `json:",omitempty"`
	Written schema.Millis // record timestamp
	Position
}

// Alert is one revision of an alert.
type Alert struct {
	schema.Alert
	Revision uint64 // schema.Alert.RevisionOf
	Position
}

// AlertEntity says that an alert speaks of an entity. It repeats the few fields
// of the alert that a list of an entity's alerts shows.
type AlertEntity struct {
	Tenant   string
	Alert    schema.AlertID
	Revision uint64
	Time     schema.Millis // the alert's created time
	Source   string
	Severity schema.Severity
	Title    string
	schema.Entity
	Position
}

// Entity is what a range of alerts says of one entity.
type Entity struct {
	Tenant string
	schema.EntityRef
	UID         schema.ID // schema.EntityRef.UID
	Name        string
	First, Last schema.Millis
}

// EntityEdge is one contact of two entities on a realized path.
type EntityEdge struct {
	Tenant   string
	Incident schema.IncidentID
	schema.PathEdge
	Version uint64
	Position
}

// Match is an indicator match of an alert.
type Match struct {
	Tenant   string
	Alert    schema.AlertID
	Revision uint64
	Time     schema.Millis // the alert's created time
	Source   string
	On       schema.EntityRef // the entity that matched
	schema.Match
	Withdrawn schema.Millis `json:",omitzero"` // when it was taken back; Demoted says why
	Position
}

// SourceStats is one watermark record: how far hop 1 is with a raw partition,
// and what it made of it since the record before.
type SourceStats struct {
	schema.Watermark
	Position
}

// Completeness says that a range is in the store.
type Completeness struct {
	Topic     string
	Partition int32
	Lo, Hi    int64
	Token     string
	Records   uint64
	Alerts    uint64
	Skipped   uint64        // log entries of kinds that have no table, or not known here
	Watermark schema.Millis // newest created time that a watermark record of the range tells
}

// maxIdleIndicators is how many rows of indicators are worth keeping memory for: an
// import is many in one range, and rare.
const maxIdleIndicators = 1 << 14

// Reset empties r and keeps its memory.
func (r *Rows) Reset() {
	// The elements are not cleared: decoding reuses what alerts hold.
	r.Alerts = r.Alerts[:0]
	r.AlertEntities = r.AlertEntities[:0]
	r.Entities = r.Entities[:0]
	r.Aliases = r.Aliases[:0]
	r.Edges = r.Edges[:0]
	r.Detections = r.Detections[:0]
	r.Matches = r.Matches[:0]
	r.Incidents = r.Incidents[:0]
	r.Redirects = r.Redirects[:0]
	r.Members = r.Members[:0]
	r.Paths = r.Paths[:0]
	r.PathEdges = r.PathEdges[:0]
	r.Decisions = r.Decisions[:0]
	r.Evidence = r.Evidence[:0]
	r.Leases = r.Leases[:0]
	r.Actions = r.Actions[:0]
	r.Ledger = r.Ledger[:0]
	r.Rejects = r.Rejects[:0]
	r.SourceStats = r.SourceStats[:0]
	r.Assets = r.Assets[:0]
	if r.Indicators = r.Indicators[:0]; cap(r.Indicators) > maxIdleIndicators {
		r.Indicators = nil
	}
	r.Completeness = r.Completeness[:0]
	r.seen.reset()
}

// next gives the row after the last, as it was left by an earlier use.
func next[T any](s *[]T) *T {
	if n := len(*s); n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		var zero T
		*s = append(*s, zero)
	}
	return &(*s)[len(*s)-1]
}
