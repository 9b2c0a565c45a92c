package distribute

import (
	"context"
	"time"
)

// trouble is what is known of an outage of the log.
type trouble struct {
	tries int      // that failed, in a row
	told  []string // errors that were logged, the first few of them
}

const (
	troubleKinds = 8    // errors of one outage that are logged as they come
	troubleEvery = 1024 // tries, between the lines about an outage that lasts
)

// tell reports whether an error is worth a line: it is another one than before, or the
// outage has lasted for twice as long as at the last line.
func (t *trouble) tell(text string) bool {
	t.tries++
	for _, have := range t.told {
		if have == text {
			return t.tries&(t.tries-1) == 0 && t.tries <= troubleEvery || t.tries%troubleEvery == 0
		}
	}
	if len(t.told) < troubleKinds {
		t.told = append(t.told, text)
		return true
	}
	return t.tries%troubleEvery == 0
}

// failed notes that the log cannot be read, and waits.
func (f *Follower) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if f.away.tell(err.Error()) {
		f.slog.Warn("the indicators log cannot be read, trying again", "tries", f.away.tries, "error", err)
	}
	f.set(func(s *FollowerStatus) { s.LogErrors++; s.LastError = err.Error() })
	pause(ctx, time.Second)
}

// well notes that the log could be read.
func (f *Follower) well() {
	if f.away.tries > 0 {
		f.slog.Info("the indicators log can be read again", "tries", f.away.tries)
		f.away = trouble{}
	}
}
