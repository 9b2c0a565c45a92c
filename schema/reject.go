package schema

// Reason says why a document was not made an alert.
type Reason uint8

// Reasons. The names are stored and shown; append, never reorder.
const (
	ReasonNone Reason = iota
	ReasonEmpty
	ReasonInvalidJSON
	ReasonInvalidUTF8
	ReasonDuplicateKey
	ReasonTooDeep
	ReasonTooLarge
	ReasonTooManyKeys
	ReasonUnknownFormat
	ReasonFormatNotAllowed
	ReasonMissingField
	ReasonBadField
	ReasonNotObject
	ReasonDecompression
	ReasonConfluentWire
	ReasonTooManyRecords
	ReasonNotAnAlert // ignored, not rejected: telemetry the format's predicate turns down
	reasons
)

// String gives the stored name.
func (r Reason) String() string {
	names := [...]string{"none", "empty", "invalid_json", "invalid_utf8", "duplicate_key", "too_deep", "too_large", "too_many_keys",
		"unknown_format", "format_not_allowed", "missing_field", "bad_field", "not_an_object", "decompression", "confluent_wire",
		"too_many_records", "not_an_alert"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// ParseReason reads the form that String writes.
func ParseReason(s string) (Reason, bool) {
	for r := ReasonNone; r < reasons; r++ {
		if r.String() == s {
			return r, true
		}
	}
	return ReasonNone, false
}

// Reject is a document that could not be understood; its bytes go to the dead
// letter as received.
type Reject struct {
	Raw    int32  `json:"-"`   // index into Batch.Raw
	Doc    int32  `json:"doc"` // position within the record, from 0
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitzero"` // for people; quotes nothing longer than 64 bytes
	Bytes  []byte `json:"bytes,omitempty"` // the document, valid until the batch is released; the whole record where it could not be split
}

// Drop is a document left out on purpose.
type Drop struct {
	Raw    int32  `json:"-"`
	Doc    int32  `json:"doc"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitzero"`
}
