package schema

// IndicatorOp is what a change on the indicators log does. The numbers are those
// of match.Op.
type IndicatorOp uint8

// Changes. The numbers are stored: append, never reorder.
const (
	IndicatorAdd    IndicatorOp = 1 // the indicator as it is from now on
	IndicatorRemove IndicatorOp = 2 // the one of that type, value, feed and id is no more
)

// IndicatorChange is one step in the life of an indicator.
type IndicatorChange struct {
	Op        IndicatorOp `json:"op"`
	Indicator Indicator   `json:"indicator"` // of a removal: type, value, feed and id, and the tenant whose it was
}

// IndicatorDelta is a list of changes, or a part of one, that leads from one content
// of the index to another. A list that does not fit into one record is cut into
// parts, which follow one another in the log and are equal but for Part and Changes.
type IndicatorDelta struct {
	Seq     uint64            `json:"seq"`           // grows from list to list; a list with one that was seen is a duplicate
	Before  uint64            `json:"before,string"` // id of the content that the changes are for
	After   uint64            `json:"after,string"`  // id of the content with all parts applied
	Part    uint32            `json:"part"`          // from 0
	Parts   uint32            `json:"parts"`         // how many there are
	Feed    string            `json:"feed,omitzero"` // whose indicators these are; empty: of several
	Made    Millis            `json:"made,omitzero"` // the publisher's clock
	Changes []IndicatorChange `json:"changes,omitempty"`
}

// IndicatorSnapshot refers to a file that holds the whole index as it is at this place
// of the log.
type IndicatorSnapshot struct {
	Seq        uint64   `json:"seq"`            // of the newest list that it holds
	Content    uint64   `json:"content,string"` // id of its content
	Hash       [32]byte `json:"hash"`           // SHA-256 of the file
	Size       int64    `json:"size"`           // of the file, in bytes
	Indicators int64    `json:"indicators"`
	Made       Millis   `json:"made,omitzero"`       // the publisher's clock
	Locations  []string `json:"locations,omitempty"` // where to get the file, the best first
}
