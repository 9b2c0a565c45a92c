package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
)

const workerEnv = "INTERDICT_TEST_WORKER"

// workerJob is what a worker process is told.
type workerJob struct {
	Config Config
	Input  string
	Fail   string // failpoint to die at
	Hit    int64  // the how manieth time
	Freeze bool   // run the idle hop and stop with SIGSTOP instead
}

// idleHop tells on every idle tick: who, how many transactions have come to their end
// before, and a number it never repeats.
func idleHop(input, who string, ends *atomic.Int64) pipeline.Hop {
	var n atomic.Int64
	return hookHop(input, hookLane{idle: func(_, _ schema.Millis, out *pipeline.Outbox) {
		out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Value: fmt.Appendf(nil, "%s %d %d", who, ends.Load(), n.Add(1))})
	}})
}

// work is the worker process: the stateful toy hop until it is killed.
func work(job string) int {
	var j workerJob
	if err := json.Unmarshal([]byte(job), &j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var hits atomic.Int64
	hop, sig := new(sums).hop(j.Input), syscall.SIGKILL
	if j.Freeze {
		hop, sig = idleHop(j.Input, "frozen", &hits), syscall.SIGSTOP
	}
	r, err := NewRunner(j.Config, hop, Settings{IdleEvery: 100 * time.Millisecond, Failpoint: func(name string) {
		if name == j.Fail && hits.Add(1) == j.Hit {
			_ = syscall.Kill(os.Getpid(), sig)
			if !j.Freeze {
				select {} // the signal is on its way
			}
			time.Sleep(200 * time.Millisecond) // likewise; over as soon as it wakes
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if j.Freeze {
		// The transaction outlives the session, so that it is not the broker's
		// timeout that ends it. Validate forbids this; here it is the point.
		r.cfg.TransactionTimeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestKill ends worker processes with SIGKILL at every failpoint, one after
// another on the same input, and looks at what a last one makes of it.
func TestKill(t *testing.T) {
	long(t, "worker processes that time out")
	c := newCluster(t, 2)
	input := c.input(t, "raw")
	const each = 1500
	n := 0
	for i, fail := range []string{FailAfterPoll, FailBeforeEnd, FailAfterEnd, FailMidSnapshot, FailBeforeManifest, FailAfterEnd, FailMidSnapshot} {
		c.produce(t, input, numbers(max(0, n-100), n+each)...) // with some it has seen
		n += each
		cfg := c.config("worker") // the same transactional id: the next fences what this leaves
		cfg.BatchRecords, cfg.SnapshotBytes = 200, 3000
		// A killed member is waited for until it times out.
		cfg.SessionTimeout, cfg.TransactionTimeout = 1500*time.Millisecond, time.Second
		job, err := json.Marshal(workerJob{Config: cfg, Input: input, Fail: fail, Hit: int64(2 + i%2)})
		if err != nil {
			t.Fatal(err)
		}
		if fail == FailMidSnapshot || fail == FailBeforeManifest {
			job, _ = json.Marshal(workerJob{Config: cfg, Input: input, Fail: fail, Hit: 2})
		}
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), workerEnv+"="+string(job))
		cmd.Stderr = os.Stderr
		err = cmd.Run()
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() {
			t.Fatalf("%s: the worker did not die there: %v", fail, err)
		}
	}
	var s sums
	cfg := c.config("worker")
	last := c.start(t, cfg, s.hop(input), Settings{})
	c.drained(t, last)
	last.stop(t)
	c.checkSums(t, input)
	st := last.Status()
	if st.Restores[RestoreSnapshot]+st.Restores[RestoreFallback] == 0 {
		t.Errorf("no lane came back from a snapshot: %v", st.Restores)
	}
}

// TestFreeze: a member sleeps past its session (SIGSTOP) in the middle of a
// transaction that holds an idle lane's words and no record. Another member takes
// the partition. When the first wakes its transaction must not commit, though it
// has no offset of its own to be fenced by.
func TestFreeze(t *testing.T) {
	long(t, "a process that sleeps past its session")
	c := newCluster(t, 1)
	input := c.input(t, "raw")
	cfg := c.config("frozen")
	cfg.SessionTimeout, cfg.TransactionTimeout = 1500*time.Millisecond, time.Second
	const hit = 3
	job, err := json.Marshal(workerJob{Config: cfg, Input: input, Fail: FailBeforeEnd, Hit: hit, Freeze: true})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), workerEnv+"="+string(job))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	said := func() map[string]int {
		n := make(map[string]int)
		for _, r := range c.visible(t, pipeline.TopicAlerts.Name(c.prefix))[0] {
			n[string(r.Value)]++
		}
		return n
	}
	// spoke gives the newest words of one: how many ends were before, and their number.
	spoke := func(who string) (ends, number int) {
		for what := range said() {
			var e, n int
			if _, err := fmt.Sscanf(what, who+" %d %d", &e, &n); err == nil && n > number {
				ends, number = e, n
			}
		}
		return ends, number
	}
	eventually(t, "the worker speaks", func() bool { ends, n := spoke("frozen"); return n > 0 && ends == hit-2 })
	cfg.Instance = "awake"
	awake := c.start(t, cfg, idleHop(input, "awake", new(atomic.Int64)), Settings{IdleEvery: 100 * time.Millisecond})
	eventually(t, "the other takes over", func() bool { _, n := spoke("awake"); return n >= 2 })
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	awake.stop(t)
	eventually(t, "the worker has the partition again", func() bool { ends, _ := spoke("frozen"); return ends > hit })
	for what, times := range said() {
		if strings.HasPrefix(what, fmt.Sprintf("frozen %d ", hit-1)) {
			t.Errorf("%q, said by the sleeper before it slept, was committed after another took over", what)
		}
		if times != 1 {
			t.Errorf("%q was said %d times", what, times)
		}
	}
}
