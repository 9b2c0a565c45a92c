package retro

import (
	"context"

	"github.com/interdict/interdict/schema"
)

// Store is what retro-match asks of the store. Errors end a run; it can be
// continued.
type Store interface {
	// Entities gives the entities of alerts created in [From, To) that the values
	// may name, in any order, at most Limit; with Matched, only those that have a
	// match with a bad verdict. It may give more than are named: the exact answer is
	// made here.
	Entities(ctx context.Context, q Query) ([]Row, error)

	// Alerts gives what is known of a tenant's alerts, and of their matches those of
	// indicators with one of the values. Alerts it does not have are left out.
	Alerts(ctx context.Context, tenant string, ids []schema.AlertID, values []string) ([]Alert, error)
}

// Query asks for entities.
type Query struct {
	Tenants  []string
	Field    Field
	Values   []string
	From, To schema.Millis
	Limit    int
	Matched  bool // what takes matches back is asked for them alone
}

// Field is what of which entities the values of a Query are compared with.
type Field uint8

// Fields.
const (
	FieldKey     Field = iota // key of an entity that is neither a URL nor a name: equal
	FieldName                 // key of a domain, or a parent of it: equal
	FieldSender               // name behind the "@" of a mailbox, or a parent of it: equal
	FieldHost                 // host of a URL without brackets, or a parent of it: equal
	FieldURL                  // URL from "//" on: equal
	FieldPrefix               // URL from "//" on: begins with the value
	FieldPath                 // what follows the authority of a URL, with or without its query: equal
	FieldAddress              // key of an address: begins with the value
	FieldLiteral              // host of a URL without brackets: begins with the value
	fields
)

// String gives the lower-case name.
func (f Field) String() string {
	names := [...]string{"key", "name", "sender", "host", "url", "prefix", "path", "address", "literal"}
	if int(f) < len(names) {
		return names[f]
	}
	return "unknown"
}

// Row is an entity of an alert.
type Row struct {
	Tenant string
	Alert  schema.AlertID
	Source string
	Time   schema.Millis // the alert's created time
	Entity schema.Entity
	Values []string // of the indicators that the alert has matches of with the entity; only where Query.Matched is set
}

// Alert is what is known of an alert.
type Alert struct {
	ID       schema.AlertID
	Severity schema.Severity
	Blocked  bool
	Incident schema.IncidentID // zero: in none
	Matched  []Matched         // live and retro, of the values that were asked for
}

// Matched is a match that the alert has.
type Matched struct {
	Match     schema.Match
	On        schema.EntityRef
	Withdrawn bool // it was taken back, and not put back since
}

// Revoked says why an indicator that is no more was taken back, and by whom; empty if
// nobody did, such as where its feed just no longer has it.
type Revoked func(ctx context.Context, t schema.ObservableType, value, feed, id string) (why, by string, err error)

// Emit puts matches onto the alerts log and returns when they are durable there.
type Emit func(ctx context.Context, found []schema.RetroMatch) error
