package schema

// ControlKind says what a control record changes.
type ControlKind uint8

// Control kinds. The numbers are stored: append, never reorder.
const (
	ControlUnknown    ControlKind = iota
	ControlKillSwitch             // Value "on" or "off": while on, nothing acts
	ControlReleaseAll             // end every lease of the tenant
	ControlRelease                // end the lease named by Object
	ControlCase                   // a person used the incident named by Object
	ControlVerdict                // Value is a Verdict name for the alert named by Object
	ControlAsset                  // Value is an Asset as JSON: the inventory as hop 2 knows it
)

// String gives the stored lower-case name.
func (k ControlKind) String() string {
	names := [...]string{"unknown", "kill_switch", "release_all", "release", "case", "verdict", "asset"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Control is a change of policy or case, sequenced into the alerts log so that
// hop 2 stays a function of it.
type Control struct {
	Tenant string      `json:"tenant,omitzero"` // empty: every tenant
	Kind   ControlKind `json:"kind"`
	Object string      `json:"object,omitzero"`
	Value  string      `json:"value,omitzero"`
	Actor  string      `json:"actor,omitzero"`
	Time   Millis      `json:"time,omitzero"`
}

// Watermark is what hop 1 knows of one raw partition: it travels in the alerts
// log after the alerts it speaks of.
type Watermark struct {
	Tenant     string
	Source     string
	Topic      string
	Partition  int32
	Partitions int32  // of the raw topic: the ones not heard of yet hold time back
	Offset     int64  // next raw offset
	MaxCreated Millis // newest event time seen, zero: none yet
	Idle       bool   // excluded from the minimum: silent at its end
	Now        Millis // hop 1's clock when it was written: drives lease expiry
	Stats      SourceStats
}

// SourceStats counts what one transaction made of a raw partition:
// Records = Accepted + Rejected + Ignored.
type SourceStats struct {
	Records  uint64 // documents
	Accepted uint64
	Rejected uint64
	Ignored  uint64
	Bytes    uint64
}

// Add sums other into s.
func (s *SourceStats) Add(o SourceStats) {
	s.Records += o.Records
	s.Accepted += o.Accepted
	s.Rejected += o.Rejected
	s.Ignored += o.Ignored
	s.Bytes += o.Bytes
}
