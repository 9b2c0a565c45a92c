package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline/kafka"
)

// process is a child that runs the program under test.
type process struct {
	name string
	cmd  *exec.Cmd
	out  chan string   // first line of standard output
	done chan struct{} // closed when it has ended

	mu    sync.Mutex
	lines []string // of standard error: the first and the last ones
	seen  int
	admin string
}

const keptLines = 400

// start runs the program. It is killed at the end of the test if it still runs.
func start(t *testing.T, name string, env []string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(binary, args...), out: make(chan string, 1), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = childAttr()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		r := bufio.NewReader(stdout)
		line, _ := r.ReadString('\n')
		p.out <- line
		_, _ = io.Copy(io.Discard, r)
	})
	reading.Go(func() {
		r := bufio.NewReader(stderr)
		for {
			line, err := r.ReadString('\n')
			if line = strings.TrimSpace(line); line != "" {
				p.note(line)
			}
			if err != nil {
				return
			}
		}
	})
	go func() {
		reading.Wait()
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		if t.Failed() && p.ended() == "" {
			t.Logf("%s still runs\n%s", p.name, p.tail(40))
		}
		p.kill()
	})
	return p
}

func (p *process) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, url, ok := strings.Cut(line, `msg="admin port" url=`); ok {
		p.admin = url
	}
	if p.seen++; len(p.lines) >= keptLines {
		p.lines = append(p.lines[:keptLines/4], p.lines[keptLines/4+1:]...)
	}
	p.lines = append(p.lines, line)
}

// tail gives the last n lines of the log.
func (p *process) tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "\n")
}

// logged counts the kept lines that hold text.
func (p *process) logged(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// ended says how the process ended; empty while it runs.
func (p *process) ended() string {
	select {
	case <-p.done:
		return p.cmd.ProcessState.String()
	default:
		return ""
	}
}

// killed reports whether it ended by SIGKILL.
func (p *process) killed() bool {
	if p.ended() == "" {
		return false
	}
	ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end, which it must do by itself and without an error.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGTERM)
	p.await(t)
}

// await waits for the end, which must be without an error.
func (p *process) await(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.signal(syscall.SIGQUIT) // its goroutines go into the log
		time.Sleep(500 * time.Millisecond)
		t.Fatalf("%s did not end within %s\n%s", p.name, patience, p.tail(150))
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("%s ended with %s\n%s", p.name, p.cmd.ProcessState, p.tail(60))
	}
}

// left waits for the end and reports whether it came to a hard stop; any other
// failure fails the test.
func (p *process) left(t *testing.T) bool {
	t.Helper()
	select {
	case <-p.done:
		if p.stoppedHard() {
			return true
		}
	case <-time.After(patience):
	}
	p.await(t)
	return false
}

// stoppedHard reports whether the process gave up draining.
func (p *process) stoppedHard() bool {
	return p.ended() != "" && p.logged("stopped hard") > 0
}

// broke reports whether the process ended though nobody killed it or told it to.
func (p *process) broke() bool {
	return p.ended() != "" && !p.killed() && !p.stoppedHard() && p.cmd.ProcessState.ExitCode() != 0
}

// line gives the first line that the process printed.
func (p *process) line(t *testing.T) string {
	t.Helper()
	select {
	case l := <-p.out:
		if l != "" {
			return l
		}
		<-p.done
		t.Fatalf("%s ended (%s) without a word\n%s", p.name, p.ended(), p.tail(40))
	case <-time.After(patience):
		t.Fatalf("%s said nothing within %s\n%s", p.name, patience, p.tail(40))
	}
	return ""
}

// rss gives the resident memory in bytes; zero once the process has ended.
func (p *process) rss() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// status is what the admin port says; only what is used here.
type status struct {
	Hops []kafka.Status    `json:"hops"`
	Sink *kafka.SinkStatus `json:"sink"`
}

// aborted counts the transactions that did not commit.
func (s status) aborted() (n int64) {
	for _, h := range s.Hops {
		n += h.Aborted
	}
	return n
}

// committed counts the transactions that did.
func (s status) committed() (n int64) {
	for _, h := range s.Hops {
		n += h.Committed
	}
	return n
}

// status asks the admin port.
func (p *process) status(ctx context.Context) (st status, err error) {
	p.mu.Lock()
	admin := p.admin
	p.mu.Unlock()
	if admin == "" || p.ended() != "" {
		return st, fmt.Errorf("%s has no admin port", p.name)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/status", nil)
	if err != nil {
		return st, err
	}
	req.Close = true // nothing is kept open to a process that may be killed
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// patience is how long a test waits for what must come: only what never comes takes
// so long, and a machine that stands still for a while fails nothing.
const patience = 3 * time.Minute

// eventually fails the test if ok does not come true; dump says more.
func eventually(t *testing.T, what string, ok func() bool, dump func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s\n%s", patience, what, dump())
		}
		time.Sleep(50 * time.Millisecond)
	}
}
