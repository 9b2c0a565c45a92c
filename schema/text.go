package schema

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// The text forms of enums, ids and times, which make encoding/json write the
// nouns as people and other programs want them: enums by name, ids as hex (an
// incident's as a UUID), times as RFC 3339 in UTC with milliseconds. This is the
// cold path, for what commands print; topics hold the wire form.

// parseName finds the value whose String is text.
func parseName[T interface {
	~uint8
	fmt.Stringer
}](p *T, text []byte) error {
	const named = 64 // more than any enum has
	for v := T(0); v < named; v++ {
		// Numbers without a name also say "unknown", but that is a value only
		// where it is the first.
		if name := v.String(); name == string(text) && (name != "unknown" || v == 0) {
			*p = v
			return nil
		}
	}
	return fmt.Errorf("schema: %q is not a name of %T", text, *p)
}

// MarshalText writes the name that String gives.
func (v Severity) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Severity) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Verdict) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v AlertStatus) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *AlertStatus) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v IncidentStatus) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *IncidentStatus) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (k RetroKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads such a name.
func (k *RetroKind) UnmarshalText(b []byte) error { return parseName(k, b) }

// MarshalText writes the name that String gives.
func (v Wish) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Wish) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v ThreatKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *ThreatKind) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Disposition) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Disposition) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v ReasonKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *ReasonKind) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v EntityType) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *EntityType) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Role) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Role) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v ObservableType) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *ObservableType) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v TLP) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *TLP) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v PathKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *PathKind) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v ActionKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *ActionKind) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Outcome) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Outcome) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v LeaseState) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *LeaseState) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Verb) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Verb) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Origin) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Origin) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v ControlKind) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *ControlKind) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the name that String gives.
func (v Reason) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads such a name.
func (v *Reason) UnmarshalText(b []byte) error { return parseName(v, b) }

// MarshalText writes the id as String does.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads 32 hex digits.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseAlertID(string(b))
	*id = ID(v)
	return err
}

// MarshalText writes the id as String does.
func (id AlertID) MarshalText() ([]byte, error) { return ID(id).MarshalText() }

// UnmarshalText reads 32 hex digits.
func (id *AlertID) UnmarshalText(b []byte) error { return (*ID)(id).UnmarshalText(b) }

// MarshalText writes the id as String does.
func (id IncidentID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText reads a UUID.
func (id *IncidentID) UnmarshalText(b []byte) error { return (*uuid.UUID)(id).UnmarshalText(b) }

const millisLayout = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON writes m as a time; spans are written as numbers instead, see
// Member.MarshalJSON. It is no MarshalText so that configuration readers, which
// look for one, do not take spans for times.
func (m Millis) MarshalJSON() ([]byte, error) {
	return m.Time().AppendFormat([]byte{'"'}, millisLayout+`"`), nil
}

// UnmarshalJSON reads an RFC 3339 time.
func (m *Millis) UnmarshalJSON(b []byte) error {
	var t time.Time
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	*m = FromTime(t)
	return nil
}

// memberJSON is a Member with its span as a number.
type memberJSON struct {
	memberFields
	DistanceMS int64 `json:"distance_ms"`
}

type memberFields Member // without Member's methods

// MarshalJSON writes Distance as distance_ms.
func (m Member) MarshalJSON() ([]byte, error) {
	return json.Marshal(memberJSON{memberFields(m), int64(m.Distance)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Member) UnmarshalJSON(b []byte) error {
	var v memberJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*m = Member(v.memberFields)
	m.Distance = Millis(v.DistanceMS)
	return nil
}
