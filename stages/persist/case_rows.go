package persist

import "github.com/interdict/interdict/schema"

// Incident is a version of an incident's head.
type Incident struct {
	schema.Incident
	Life
}

// Redirect says that an incident's id came to mean another incident. It is
// history; where an id leads now is told by the incident's newest version.
type Redirect struct {
	Tenant   string
	Incident schema.IncidentID
	To       schema.IncidentID
	Version  uint64
	Written  schema.Millis
	Position
}

// Member ties an alert to its incident. The noun is not embedded: its MarshalJSON
// would stand for the whole row.
type Member struct {
	Member schema.Member
	Life
}

// Path is an attack path without its edges.
type Path struct {
	schema.Path
	Life
}

// PathEdge is one edge of a path; Seq counts from 0. Only the edges with the
// version of the path belong to it.
type PathEdge struct {
	Tenant   string
	Path     schema.ID
	Incident schema.IncidentID
	Seq      uint32
	schema.PathEdge
	Version uint64
	Life
}

// Decision is what a policy wanted.
type Decision struct {
	schema.Decision
	Position
}

// Evidence says that a decision rests on an alert.
type Evidence struct {
	Tenant   string
	Decision schema.ID
	Incident schema.IncidentID
	Alert    schema.AlertID
	Policy   string
	Time     schema.Millis
	Position
}

// Lease is a version of a lease.
type Lease struct {
	schema.Lease
	Life
}

// What a row of actions records.
const (
	RecordCommand = "command"
	RecordResult  = "result"
)

// Action is a command, or what an executor said of it. Of a result, Action has
// ID, Tenant, Lease, Target, Kind, Verb and, as Issued, the time it was given.
type Action struct {
	Record string
	schema.Action
	Status   string `json:",omitempty"` // results only, from here on
	Detail   string `json:",omitempty"`
	Executor string `json:",omitempty"`
	Prior    string `json:",omitempty"`
	Position
}

// Ledger is one event of the ledger.
type Ledger struct {
	schema.LedgerEvent
	Position
}

// Asset is a version of an inventory entry.
type Asset struct {
	schema.Asset
	Life
}

// Reject is one record of the dead letter: a document, or a chunk of one.
type Reject struct {
	Tenant    string
	Source    string
	Topic     string // where the document came from
	Partition int32
	Offset    int64
	Doc       int32
	Time      schema.Millis // of the raw record
	Reason    schema.Reason
	Detail    string
	Chunk     int32
	Chunks    int32
	Size      uint64 // of the chunk, in bytes
	Bytes     []byte // as received, up to Config.MaxReject
	At        Position
	Written   schema.Millis
}
