package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestChurn: members come and go dozens of times while records flow, and some lose
// their transactions to it; still every record has its effect once, and the state
// that lanes carry is that of one lane that saw everything.
func TestChurn(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 6)
	input := c.input(t, "raw")
	rng := rand.New(rand.NewPCG(1, 2))
	var s sums
	var mu sync.Mutex
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	var members []*running
	var aborted, committed int64
	leave := func(i int) {
		m := members[i]
		members = append(members[:i], members[i+1:]...)
		m.stop(t)
		st := m.Status()
		aborted, committed = aborted+st.Aborted, committed+st.Committed
	}
	names := 0
	join := func() {
		names++
		cfg := c.config(fmt.Sprintf("m%d", names))
		cfg.BatchRecords, cfg.SnapshotBytes = 100, 2000
		// A slow end widens the window in which a rebalance hits a transaction.
		set := Settings{IdleEvery: 100 * time.Millisecond, Failpoint: func(name string) {
			if name == FailBeforeEnd {
				time.Sleep(time.Duration(draw(30)) * time.Millisecond)
			}
		}}
		members = append(members, c.start(t, cfg, s.hop(input), set))
	}
	stop := make(chan struct{})
	fed := make(chan int)
	go func() { // a steady stream, with repetitions
		n := 0
		for {
			select {
			case <-stop:
				fed <- n
				return
			default:
			}
			c.produce(t, input, numbers(max(0, n-20), n+60)...)
			n += 60
			time.Sleep(10 * time.Millisecond)
		}
	}()
	for range 3 {
		join()
	}
	// Never fewer than three: each round one joins and one leaves, in either order.
	changes, want := 3, 30
	if testing.Short() {
		want = 4
	}
	deadline := time.Now().Add(patience)
	for changes < want+10 || aborted == 0 {
		if time.Now().After(deadline) {
			break
		}
		if draw(2) == 0 {
			join()
			time.Sleep(time.Duration(50+draw(250)) * time.Millisecond)
			leave(draw(len(members)))
		} else {
			i := draw(len(members))
			join()
			leave(i)
		}
		changes += 2
		time.Sleep(time.Duration(50+draw(350)) * time.Millisecond)
	}
	close(stop)
	n := <-fed
	c.drained(t, members...)
	for len(members) > 0 {
		leave(0)
	}
	c.checkSums(t, input)
	t.Logf("%d records, %d changes of membership, %d transactions committed, %d aborted, %d lane rollbacks", n, changes, committed, aborted, s.rollbacks.Load())
	if changes < want || aborted == 0 {
		t.Errorf("%d changes and %d aborted transactions prove nothing", changes, aborted)
	}
}

// cable is a network that can be cut: what a power failure looks like to others.
type cable struct {
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func (w *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	w.conns = append(w.conns, c)
	return c, nil
}

func (w *cable) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// TestAbandoned: a member vanishes with a transaction open, another takes over, and
// the first comes back later as a zombie that still believes in its lanes.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	input := c.input(t, "raw")
	var s sums
	var wire cable
	stuck, resume := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var armed atomic.Bool
	cfg := c.config("first")
	cfg.SessionTimeout, cfg.TransactionTimeout = 1500*time.Millisecond, time.Second
	cfg.BatchRecords, cfg.SnapshotBytes = 100, 2000
	// No idle ticks: the transaction that is caught must hold records.
	r, err := NewRunner(cfg, s.hop(input), Settings{IdleEvery: time.Hour, Logger: testLog(t).With("instance", "first"), Failpoint: func(name string) {
		if name == FailBeforeEnd && armed.Load() {
			once.Do(func() {
				wire.set(true)
				close(stuck)
				<-resume
			})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.extra = []kgo.Opt{kgo.Dialer(wire.dial), kgo.RequestRetries(2)}
	first := startRunner(t, r)
	c.produce(t, input, numbers(0, 1000)...)
	c.drained(t, first)
	armed.Store(true)
	c.produce(t, input, numbers(1000, 2000)...)
	<-stuck

	cfg.Instance = "second"
	second := c.start(t, cfg, s.hop(input), Settings{})
	c.drained(t, second)
	c.produce(t, input, numbers(1900, 3000)...)
	c.drained(t, second)

	wire.set(false)
	close(resume)
	eventually(t, "the zombie is a member again", func() bool { return len(first.Status().Lanes) == 1 && len(second.Status().Lanes) == 1 })
	c.produce(t, input, numbers(3000, 4000)...)
	c.drained(t, first, second)
	first.stop(t)
	second.stop(t)
	c.checkSums(t, input)
	if st := first.Status(); st.Aborted == 0 && st.Rebuilt == 0 {
		t.Errorf("the zombie's transaction neither failed nor was fenced: %+v", st)
	}
}
