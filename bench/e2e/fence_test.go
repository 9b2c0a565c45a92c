package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
)

// TestFreeze stops a worker with SIGSTOP in the middle of its work, for longer
// than its session, and has another take its place; on Apache Kafka under the same
// transactional ids. When the first wakes, what it was about to commit must be
// refused: it notices, and nothing is doubled.
func TestFreeze(t *testing.T) {
	t.Parallel()
	notShort(t)
	l := newLab(t, labConfig{feeds: gen.Sources(), session: 3 * time.Second, settings: map[string]any{
		"kafka": map[string]any{"batch_records": 10, "batch_linger": "5ms", "snapshot_every": "500ms"},
		"sink":  map[string]any{"rows": 50},
	}})
	rng := seeded(t, 53)
	msgs := l.messages("acme", smallWorld(t, 53, 1500))
	half := len(msgs) / 2
	l.produce(msgs[:half])
	sleeper := l.worker("same", "")
	eventually(t, "the worker commits", func() bool {
		st, err := sleeper.status(t.Context())
		return err == nil && st.committed() > int64(5+rng.IntN(20))
	}, l.dump)
	sleeper.signal(syscall.SIGSTOP)
	l.produce(msgs[half:])
	l.produce(l.closing(l.newest(), nil))
	awake := l.worker("same", "")
	l.settleWithout(sleeper)
	was := l.number("SELECT count() FROM alerts")
	sleeper.signal(syscall.SIGCONT)
	eventually(t, "the sleeper notices that it was replaced", func() bool {
		log := sleeper.tail(keptLines)
		return strings.Contains(log, "closing the session and building a new one") || strings.Contains(log, "joins again") ||
			strings.Contains(log, "was aborted")
	}, func() string { return sleeper.tail(60) })
	// Two processes of one name would fence each other for ever: the old one goes.
	sleeper.kill()
	l.settle()
	if now := l.number("SELECT count() FROM alerts"); now != was {
		t.Errorf("%d alerts were in the store before the sleeper woke, %d after", was, now)
	}
	awake.stop(t)
	l.checkAccounting()
	l.checkOracle("acme")
}

// settleWithout is settle for a deployment with a process that cannot answer.
func (l *lab) settleWithout(frozen *process) {
	l.t.Helper()
	all := l.procs
	l.procs = nil
	for _, p := range all {
		if p != frozen {
			l.procs = append(l.procs, p)
		}
	}
	l.settle()
	l.procs = all
}
