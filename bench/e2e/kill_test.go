package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the faults; 0: the tests' own")

// seeded gives the test's randomness.
func seeded(t *testing.T, own uint64) *rand.Rand {
	t.Helper()
	if *seedFlag != 0 {
		own = *seedFlag
	}
	t.Logf("faults with -seed %d", own)
	return rand.New(rand.NewPCG(own, 0))
}

// role is a part of the deployment that is killed and replaced by itself.
type role struct {
	name   string
	hops   []string
	points []string // where it can die
	passes int      // a point is passed so often in a round, at least
}

func roles() []role {
	return []role{
		{"detect", []string{"detect"}, []string{kafka.FailAfterPoll, kafka.FailBeforeEnd, kafka.FailAfterEnd}, 3},
		{"correlate", []string{"correlate", "respond"}, []string{kafka.FailMidSnapshot, kafka.FailBeforeManifest, kafka.FailBeforeEnd, kafka.FailMidSnapshot,
			kafka.FailAfterPoll, kafka.FailBeforeManifest, kafka.FailAfterEnd}, 2},
		{"persist", []string{"persist"}, []string{kafka.FailAfterIntent, kafka.FailAfterInsert, kafka.FailBeforeCommit}, 4},
	}
}

// TestKill ends workers by SIGKILL at every failpoint. Each round brings the next
// hours of a world; each part of the deployment dies at a point of its own
// while it takes them, and is started again without one. After each round the
// accounting closes and the incidents are the oracle's. Two deployments share the
// rounds: the dead are mostly waited for.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds, atLeast := 21, 3
	switch {
	case testing.Short():
		rounds, atLeast = 4, 0
	case onKafka() != nil:
		rounds, atLeast = 6, 1
	}
	var mu sync.Mutex
	reached := map[string]int{}
	t.Run("deployments", func(t *testing.T) {
		const deployments = 2
		for n := range deployments {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				for point, times := range killRounds(t, uint64(11+n), n*rounds/deployments, (n+1)*rounds/deployments) {
					mu.Lock()
					reached[point] += times
					mu.Unlock()
				}
			})
		}
	})
	for _, point := range []string{kafka.FailAfterPoll, kafka.FailBeforeEnd, kafka.FailAfterEnd, kafka.FailMidSnapshot, kafka.FailBeforeManifest,
		kafka.FailAfterIntent, kafka.FailAfterInsert, kafka.FailBeforeCommit} {
		if reached[point] < atLeast {
			t.Errorf("failpoint %s was reached %d times, want %d", point, reached[point], atLeast)
		}
	}
	t.Logf("reached: %v", reached)
}

// killRounds does the rounds first to last-1 on a deployment of their own and gives
// how often each failpoint was reached.
func killRounds(t *testing.T, seed uint64, first, last int) map[string]int {
	const batch = 20
	rng := seeded(t, seed)
	l := newLab(t, labConfig{feeds: gen.Sources(), session: 3 * time.Second, settings: map[string]any{
		// Small enough that every round takes snapshots and fills many ranges, and that
		// its records are more than the polls that a role is to pass.
		"kafka": map[string]any{"snapshot_every": "200ms", "batch_records": batch},
		"sink":  map[string]any{"rows": 100, "linger": "200ms"},
	}})
	msgs := l.messages("acme", smallWorld(t, seed, 450))
	reached := map[string]int{}
	for round := first; round < last; round++ {
		began := time.Now()
		lo, hi := (round-first)*len(msgs)/(last-first), (round-first+1)*len(msgs)/(last-first)
		if hi-lo < 3*batch {
			t.Fatalf("round %d has %d records only", round, hi-lo)
		}
		l.produce(msgs[lo:hi])
		l.produce(l.closing(msgs[hi-1].time, nil))
		l.killRound(rng, round, reached)
		l.settle()
		for _, p := range l.procs {
			if p.ended() == "" {
				p.stop(t)
			}
		}
		l.checkAccounting()
		l.checkOracle("acme")
		if t.Failed() {
			t.Fatalf("after round %d; reached so far: %v\n%s", round, reached, l.dump())
		}
		t.Logf("round %d: %s", round, time.Since(began).Round(100*time.Millisecond))
	}
	return reached
}

// killRound starts every part with a point to die at, and replaces each when it
// has. All must die.
func (l *lab) killRound(rng *rand.Rand, round int, reached map[string]int) {
	l.t.Helper()
	type pending struct {
		role
		point string
		p     *process
	}
	var waiting []pending
	for _, r := range roles() {
		point := r.points[round%len(r.points)]
		at := 1 + rng.IntN(r.passes)
		if point == kafka.FailMidSnapshot || point == kafka.FailBeforeManifest {
			at = 1 + rng.IntN(2)
		}
		p := l.worker(r.name, fmt.Sprintf("%s:%d", point, at), r.hops...)
		waiting = append(waiting, pending{r, point, p})
	}
	deadline := time.Now().Add(patience)
	for len(waiting) > 0 {
		if time.Now().After(deadline) {
			l.t.Fatalf("round %d: %s did not reach its failpoint\n%s", round, waiting[0].p.name, l.dump())
		}
		time.Sleep(20 * time.Millisecond)
		var still []pending
		for _, w := range waiting {
			switch {
			case w.p.killed():
				reached[w.point]++
				l.worker(w.name, "", w.hops...)
			case w.p.ended() != "":
				l.t.Fatalf("round %d: %s ended with %s\n%s", round, w.p.name, w.p.ended(), w.p.tail(60))
			default:
				still = append(still, w)
			}
		}
		waiting = still
	}
}

// at is a time of the worlds of these tests.
func at(hours float64) schema.Millis {
	return schema.FromTime(gen.Default().Start) + schema.Millis(hours*float64(schema.Hour))
}
