package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
)

// TestRebalance changes the membership of every group again and again while a
// world comes in: members are added, stopped and killed. Some transactions are
// aborted by it; the accounting closes and the incidents are the oracle's.
func TestRebalance(t *testing.T) {
	t.Parallel()
	notOnKafka(t)
	notShort(t)
	const changes = 32
	rng := seeded(t, 23)
	l := newLab(t, labConfig{feeds: gen.Sources(), partitions: 3, session: 3 * time.Second, settings: map[string]any{
		"kafka": map[string]any{"snapshot_every": "500ms", "batch_records": 100},
		"sink":  map[string]any{"rows": 200},
	}})
	msgs := l.messages("acme", smallWorld(t, 23, 1500))
	aborted := map[*process]int64{}
	look := func() (total int64) {
		for _, p := range l.procs {
			if st, err := p.status(t.Context()); err == nil {
				aborted[p] = max(aborted[p], st.aborted())
			}
		}
		for _, n := range aborted {
			total += n
		}
		return total
	}
	var live, leaving []*process
	add := func() {
		live = append(live, l.worker(fmt.Sprintf("member-%d", len(l.procs)), ""))
	}
	for range 3 {
		add()
	}
	counts := map[string]int{}
	for change := range changes {
		lo, hi := change*len(msgs)/changes, (change+1)*len(msgs)/changes
		l.produce(msgs[lo:hi])
		time.Sleep(time.Duration(800+rng.IntN(1600)) * time.Millisecond)
		look()
		i := rng.IntN(len(live))
		switch pick := rng.IntN(5); {
		case len(live) <= 3 || len(live) < 5 && pick < 2:
			counts["added"]++
			add()
			continue
		case pick < 4:
			counts["stopped"]++
			live[i].signal(syscall.SIGTERM)
			leaving = append(leaving, live[i])
		default:
			counts["killed"]++
			live[i].kill()
		}
		live = append(live[:i], live[i+1:]...)
	}
	l.produce(l.closing(l.newest(), nil))
	l.settle()
	total := look()
	t.Logf("%v, %d transactions aborted", counts, total)
	if total == 0 {
		t.Error("no transaction was aborted: the changes hit nothing")
	}
	// A member that is told to stop while its group cannot agree, because others
	// were killed or leave, waits for them as long as it may and is then stopped
	// hard. That is allowed, as an exception: nothing may be lost by it.
	hard := 0
	for _, p := range leaving {
		if p.left(t) {
			hard++
		}
	}
	for _, p := range live { // one after the other
		p.signal(syscall.SIGTERM)
		if p.left(t) {
			hard++
		}
	}
	if n := len(leaving) + len(live); hard > n/2 {
		t.Errorf("%d of %d members could not leave in time", hard, n)
	} else {
		t.Logf("%d of %d were stopped hard", hard, n)
	}
	l.checkAccounting()
	l.checkOracle("acme")
}
