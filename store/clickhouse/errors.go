package clickhouse

import (
	"errors"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/interdict/interdict/stages"
)

// Errors of the reader.
var (
	// ErrNotFound says that the tenant has no such object.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous says that a short number names several incidents.
	ErrAmbiguous = errors.New("ambiguous: use the full id")
	// ErrTenant says that a read names no tenant. Nothing is read across tenants.
	ErrTenant = errors.New("a tenant is required")
)

// Codes of ClickHouse exceptions.
const (
	codeUnknownTable    = 60
	codeUnknownDatabase = 81
)

// permanent reports the codes of exceptions that say that the statement and the
// schema do not fit: trying again cannot help. Everything else (network,
// overload, memory, read-only replicas, lost coordination, credentials being
// rotated) is tried again for ever, since an insert given up is data lost.
func permanent(code int32) bool {
	switch code {
	case 6, 7, 8, // cannot parse text, wrong number of columns, no such column in the block
		10, 16, 20, // columns that do not exist, or do not match
		36, 43, 44, // bad arguments, illegal type of argument or column
		46, 47, 48, // unknown function or identifier, not implemented
		50, 53, codeUnknownTable, 62, codeUnknownDatabase, // unknown type, type mismatch; syntax error
		115, 117, 349, // unknown setting, incorrect data, NULL where it cannot be
		497, 691: // access denied, unknown element of an enum
		return true
	}
	return false
}

// codeOf gives the code of the ClickHouse exception that err wraps, or 0.
func codeOf(err error) int32 {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// classify marks as Permanent what trying again cannot cure.
func classify(err error) error {
	if permanent(codeOf(err)) {
		return stages.Permanent(err)
	}
	return err
}
