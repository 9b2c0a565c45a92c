package distribute

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Log is the reading side of the indicators log. Offsets grow and may have gaps.
// Readers see whole transactions or nothing of them. It must be safe for several
// goroutines.
type Log interface {
	// Bounds gives the first offset that is still there and the one behind the last
	// that can be read.
	Bounds(ctx context.Context) (start, end int64, err error)
	// OffsetAt gives the offset of the first record not older than a time; the end
	// of the log if there is none.
	OffsetAt(ctx context.Context, at schema.Millis) (int64, error)
	// Poll yields some records from an offset on, in order; if there are none it
	// waits a moment for them. It gives the offset to go on from and the end of the
	// log. An offset outside of the log is an error. A value is valid until Poll
	// returns, and belongs to the caller of Poll then.
	Poll(ctx context.Context, from int64, yield func(offset int64, value []byte) error) (next, end int64, err error)
}

// Writer is the writing side of the indicators log, and the log as the publisher sees it.
type Writer interface {
	Log
	// Fence makes sure that no writer before this one can write any more, and that
	// what it left half done is undone.
	Fence(ctx context.Context) error
	// Append writes all of the values, in order, or none, and gives the offset of
	// the last. After an error it is not known which. An error marked by
	// stages.Permanent says that another writer has taken over, or that trying
	// again is of no use.
	Append(ctx context.Context, values [][]byte) (last int64, err error)
}

// Library is where the indicators come from. A version is opaque JSON of at most
// some KiB that names a state of the library.
type Library interface {
	// Changes yields what leads from a version to the library of now, and gives the
	// version of that. An error of yield ends it and is returned. ErrGone says that
	// the library does not remember the version.
	Changes(ctx context.Context, from json.RawMessage, yield func(match.Change) error) (to json.RawMessage, err error)
	// Build writes a snapshot of the library of now (see match.Builder) to a path,
	// and gives its version.
	Build(ctx context.Context, path string) (version json.RawMessage, err error)
}

// ErrGone is what Library.Changes returns, wrapped or not, for a version from which it
// does not know the way.
var ErrGone = errors.New("the library does not remember this version")

// Store keeps snapshots where workers can get them.
type Store interface {
	// Put takes a copy of a file under a name and gives the places where readers
	// find it, the best first. To put the same file again does no harm.
	Put(ctx context.Context, name, file string) (locations []string, err error)
	// Delete removes what Put took. A name that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Source opens what a Store keeps.
type Source interface {
	// Open reads a location from a position on. errors.ErrUnsupported says that the
	// location is of another kind.
	Open(ctx context.Context, location string, from int64) (io.ReadCloser, error)
}
