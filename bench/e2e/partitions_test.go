package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
)

// What the sensors of TestPartitions do to the order of time: a wave of it is
// sent at a time, one sensor is a wave behind, and within a wave all is
// shuffled. Together that stays within the lateness of 30 minutes.
const wave = 12 * schema.Minute

// TestPartitions sends one world over 1, 3 and 8 partitions for each source,
// shuffled within the lateness, with one sensor lagging, one partition of each
// source empty where there are several, and one source silent from the start.
// The incidents are the same, byte for byte, and the oracle's.
func TestPartitions(t *testing.T) {
	t.Parallel()
	notShort(t)
	counts := []int32{1, 3, 8}
	if onKafka() != nil {
		counts = []int32{3}
	}
	b := startBroker(t, filepath.Join(t.TempDir(), "broker"))
	w := smallWorld(t, 31, 700)
	var first []byte
	for _, n := range counts {
		// One after another: the broker's process ends with this test.
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			got := overPartitions(t, b, w, n)
			if first == nil {
				first = got
			}
			if !bytes.Equal(first, got) {
				t.Errorf("the incidents over %d partitions are others than over %d", n, counts[0])
			}
		})
	}
}

func overPartitions(t *testing.T, b *broker, w *gen.World, n int32) []byte {
	l := newLab(t, labConfig{feeds: append(gen.Sources(), "mute"), partitions: n, broker: b, settings: map[string]any{
		// The empty partitions and the mute source must not hold time back for ever.
		"detect": map[string]any{"idle_after": "5s", "heartbeat": "500ms"},
	}})
	rng := seeded(t, uint64(n))
	empty := func(s *source, p int32) bool { return s.ID == "mute" || n > 1 && p == n-1 }
	msgs := l.messages("acme", w)
	lagging := l.source("acme", "edr")
	p := l.worker("one", "")
	var held []message // of the lagging sensor
	start := msgs[0].time
	for len(msgs) > 0 {
		end := 0
		for end < len(msgs) && msgs[end].time < start+wave {
			end++
		}
		start += wave
		now, behind := held, []message(nil)
		for _, m := range msgs[:end] {
			if empty(m.src, m.partition) {
				m.partition = rng.Int32N(n - 1)
			}
			if m.src == lagging {
				behind = append(behind, m)
			} else {
				now = append(now, m)
			}
		}
		msgs, held = msgs[end:], behind
		l.send(rng, now)
	}
	l.send(rng, held)
	l.settle()
	// The last held observations wait until every partition is called idle.
	settled := func() bool {
		return l.number("SELECT countIf(idle) FROM (SELECT raw_topic, raw_partition, argMax(idle, (raw_offset, time)) AS idle FROM source_stats GROUP BY raw_topic, raw_partition)") ==
			int64(len(l.sources))*int64(n)
	}
	eventually(t, "every raw partition is idle", settled, l.dump)
	l.settle()
	p.stop(t)
	l.checkAccounting()
	if late := l.number("SELECT countIf(late) FROM incident_members FINAL"); late != 0 {
		t.Errorf("%d alerts are late, though they came within the lateness", late)
	}
	return l.checkOracle("acme")
}

// send produces messages in an order of chance.
func (l *lab) send(rng *rand.Rand, msgs []message) {
	msgs = slices.Clone(msgs)
	rng.Shuffle(len(msgs), func(i, j int) { msgs[i], msgs[j] = msgs[j], msgs[i] })
	l.produce(msgs)
}
