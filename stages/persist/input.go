package persist

import "github.com/interdict/interdict/schema"

// Kind says which of Interdict's topics a record is from, and so what it holds.
type Kind uint8

// Kinds of topics that are persisted.
const (
	KindAlerts Kind = iota + 1 // the alerts log: alerts, watermarks, control
	KindIncidents
	KindMembers
	KindPaths
	KindDecisions
	KindLeases
	KindActions
	KindResults
	KindLedger
	KindDeadLetter
	KindAssets
	KindIndicators
	kinds // end
)

// Kinds lists every kind.
func Kinds() []Kind {
	var all []Kind
	for k := KindAlerts; k < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// String gives the topic's name without its prefix.
func (k Kind) String() string {
	names := [...]string{"unknown", "alerts", "incidents", "incident-members", "paths", "decisions", "leases", "actions",
		"action-results", "ledger", "dead-letter", "assets", "indicators"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Input is the records of one partition from Lo to Hi, both inclusive, that
// become durable as one unit. Offsets between them may be missing.
type Input struct {
	Kind      Kind
	Topic     string
	Token     string // names exactly these records, for ever
	Partition int32
	Lo, Hi    int64
	Records   []Record
}

// Record is one message. Its bytes belong to the caller and must not change
// until Insert has returned.
type Record struct {
	Offset  int64
	Time    schema.Millis // record timestamp
	Key     []byte
	Value   []byte // empty on a compacted topic: the object is gone
	Headers []Header
}

// Header is one record header.
type Header struct {
	Key   string
	Value []byte
}
