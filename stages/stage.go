package stages

import (
	"context"
	"errors"
	"io"

	"github.com/interdict/interdict/schema"
)

// Stage is one verb of a hop. There is one instance per lane (stateless stages)
// or per virtual shard (stateful ones), called by one goroutine at a time.
type Stage interface {
	// Process does the stage's work on b. It must read time from b.Now only,
	// must not keep anything b aliases after it returns, and must give the same
	// output for the same input and state. An error abandons the whole batch: the
	// runner rolls every stage back and delivers it again, unless the error is
	// Permanent, which stops the hop. Bad input is never an error: it is rejected
	// in b.
	Process(ctx context.Context, b *schema.Batch) error
}

// Stateful is a stage with memory. Process changes the state in place and notes
// how to undo it; Commit forgets the notes, Rollback follows them.
type Stateful interface {
	Stage

	// Commit makes the changes since the last Commit or Rollback permanent.
	Commit()

	// Rollback restores the state at the last Commit, exactly.
	Rollback()

	// Snapshot writes the committed state. It is called between Commit and the
	// next Process. The same state must give the same bytes.
	Snapshot(w io.Writer) error

	// Restore replaces the state with what Snapshot wrote. An error leaves the
	// stage unusable; the runner builds a new one.
	Restore(r io.Reader) error
}

// Tick is a step of a tenant's time, as the log tells it.
type Tick struct {
	Tenant    string
	Watermark schema.Millis // every on-time alert created before it has been delivered; never decreases
	Now       schema.Millis // time of the log; never decreases
}

// Timed is a stage that time alone can move: holds end, windows close, leases
// expire.
type Timed interface {
	// Advance takes a step of time between batches. What it causes is appended
	// to b, under the same rules as Process.
	Advance(ctx context.Context, t Tick, b *schema.Batch) error
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that trying again cannot cure. nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err or anything it wraps was marked Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}
