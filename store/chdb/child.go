package chdb

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is one run of the engine's process.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	log    *slog.Logger
	ready  chan ready    // at most one value
	exited chan struct{} // closed when the process is gone and its output read
	err    error         // how it exited; valid once exited is closed

	mu   sync.Mutex
	tail []string // last lines of stderr, for the log when it dies
}

const tailLines = 8

// startChild starts the process and hands it its options and the socket.
func startChild(command, env []string, listener *os.File, o Options, log *slog.Logger) (*child, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.ExtraFiles = []*os.File{listener} // descriptor listenerFD
	// A process group of its own: ^C in a terminal must reach the pipeline, which
	// drains into the engine, and not the engine itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	c := &child{cmd: cmd, stdin: stdin, log: log.With("pid", cmd.Process.Pid), ready: make(chan ready, 1), exited: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() { c.readStdout(stdout) })
	reading.Go(func() { c.readStderr(stderr) })
	go func() {
		reading.Wait() // Wait closes the pipes: not before they are read
		c.err = cmd.Wait()
		close(c.exited)
	}()
	if err := json.NewEncoder(stdin).Encode(o); err != nil && !errors.Is(err, syscall.EPIPE) {
		c.kill()
		return nil, fmt.Errorf("handing over options: %w", err)
	}
	return c, nil
}

// readStdout waits for the ready line. The engine may print too.
func (c *child) readStdout(r io.Reader) {
	lines := bufio.NewReader(r)
	waiting := true
	for {
		line, err := lines.ReadString('\n')
		var msg ready
		if waiting && json.Unmarshal([]byte(line), &msg) == nil && (msg.Address != "" || msg.Error != "") {
			waiting = false
			c.ready <- msg
		} else if line != "" {
			c.log.Debug("embedded ClickHouse", "stdout", strings.TrimSpace(line))
		}
		if err != nil {
			return
		}
	}
}

func (c *child) readStderr(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" {
			c.log.Debug("embedded ClickHouse", "stderr", line)
			c.mu.Lock()
			c.tail = append(c.tail, line)
			if len(c.tail) > tailLines {
				c.tail = c.tail[1:]
			}
			c.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// lastWords returns the end of the child's stderr.
func (c *child) lastWords() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, " | ")
}

// awaitReady returns once the child answers, or says why it does not.
func (c *child) awaitReady(timeout time.Duration, stop <-chan struct{}) (ready, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case msg := <-c.ready:
		return msg, msg.err()
	case <-c.exited:
		select {
		case msg := <-c.ready: // it spoke before it went
			return msg, msg.err()
		default:
		}
		return ready{}, fmt.Errorf("the engine's process ended before it was ready (%v): %s", c.err, c.lastWords())
	case <-timer.C:
		return ready{}, fmt.Errorf("the engine was not ready after %v: %s", timeout, c.lastWords())
	case <-stop:
		return ready{}, errStopped
	}
}

func (r ready) err() error {
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return nil
}

var errStopped = errors.New("stopped")

// kill ends the child at once and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.stdin.Close()
	<-c.exited
}
