package schema

// ObservableType is the kind of value that threat intelligence speaks of.
type ObservableType uint8

// Observable types. The numbers are stored: append, never reorder.
const (
	ObservableUnknown ObservableType = iota
	ObservableIP                     // canonical address text
	ObservableCIDR                   // canonical prefix text; indicators only
	ObservableDomain                 // lower case, no trailing dot
	ObservableURL                    // normal form
	ObservableHash                   // lower-case hex: md5, sha1 or sha256 by length
	ObservableEmail
)

// String gives the stored lower-case name.
func (t ObservableType) String() string {
	names := [...]string{"unknown", "ip", "cidr", "domain", "url", "hash", "email"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// Observable is a value seen in an alert.
type Observable struct {
	Type  ObservableType `json:"type"`
	Value string         `json:"value,omitzero"`
}

// TLP is the traffic-light marking of an indicator.
type TLP uint8

// Markings, from free to secret.
const (
	TLPClear TLP = iota
	TLPGreen
	TLPAmber
	TLPRed
)

// String gives the lower-case marking.
func (t TLP) String() string {
	names := [...]string{"clear", "green", "amber", "red"}
	if int(t) < len(names) {
		return names[t]
	}
	return "clear"
}

// Indicator is a value that threat intelligence calls bad (or good).
type Indicator struct {
	ID         string         `json:"id,omitzero"` // the feed's id, or derived from feed, type and value
	Feed       string         `json:"feed,omitzero"`
	Type       ObservableType `json:"type"`
	Value      string         `json:"value,omitzero"` // canonical form of Type
	Verdict    Verdict        `json:"verdict"`
	Severity   Severity       `json:"severity"`   // severity a match raises the alert to; unknown: no change
	Confidence uint8          `json:"confidence"` // 0-100
	TLP        TLP            `json:"tlp"`
	ValidFrom  Millis         `json:"valid_from,omitzero"`
	ValidUntil Millis         `json:"valid_until,omitzero"` // zero: no end
	Labels     []string       `json:"labels,omitempty"`
}

// Match says that an entity of an alert is named by an indicator. Matches are
// never guesses: the value was compared byte by byte.
type Match struct {
	Entity     uint16         `json:"entity"` // index into Alert.Entities
	Type       ObservableType `json:"type"`
	Value      string         `json:"value,omitzero"`     // the indicator's value; a parent domain or prefix may differ from the entity's
	Indicator  string         `json:"indicator,omitzero"` // Indicator.ID
	Feed       string         `json:"feed,omitzero"`
	Verdict    Verdict        `json:"verdict"`
	Severity   Severity       `json:"severity"`
	Confidence uint8          `json:"confidence"`
	TLP        TLP            `json:"tlp"`
	Snapshot   uint64         `json:"snapshot,string"` // id of the index that was asked
}
