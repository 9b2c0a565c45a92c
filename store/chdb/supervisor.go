package chdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"
)

// Supervisor keeps one engine process running and knows its DSN.
//
// The parent owns the listening socket and every child inherits it. So the port
// is the same after a crash and nobody can take it meanwhile, and a client that
// connects while the engine is down waits for the next child instead of being
// refused.
type Supervisor struct {
	cfg      Config
	options  Options
	listener *net.TCPListener
	file     *os.File // the listener's descriptor, as the children get it
	dsn      string

	stop chan struct{}
	once sync.Once
	done chan struct{} // closed when the child is gone and will not return

	mu       sync.Mutex
	current  *child
	restarts int
	version  string
}

const (
	firstBackoff = 100 * time.Millisecond
	// calm is how long a child must have run for the pauses to start over.
	calm = 30 * time.Second
)

// Start starts the engine and returns when it answers. ctx bounds the start
// only; the engine runs until Close. A first start that fails is an error; later
// ones are retried for as long as it takes.
func Start(ctx context.Context, cfg Config) (*Supervisor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	lib, err := Locate(cfg.Library)
	if err != nil {
		return nil, err
	}
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("starting embedded ClickHouse: %w", err)
	}
	file, err := ln.File()
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("starting embedded ClickHouse: %w", err)
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: it ends the process instead
	s := &Supervisor{
		cfg: cfg, listener: ln, file: file, stop: make(chan struct{}), done: make(chan struct{}),
		options: Options{
			LibPath: lib, DataDir: cfg.DataDir, Key: hex.EncodeToString(key[:]), Database: cfg.Database,
			MaxMemory: cfg.MaxMemory, MarkCache: cfg.MarkCache, MaxConnections: cfg.MaxConnections,
		},
	}
	dsn := url.URL{Scheme: "http", User: url.UserPassword("default", s.options.Key), Host: ln.Addr().String(), Path: "/" + cfg.Database}
	s.dsn = dsn.String()
	canceled := context.AfterFunc(ctx, s.signalStop)
	err = s.launch()
	if !canceled() && err == nil {
		s.child().kill()
		err = ctx.Err()
	}
	if err != nil {
		s.closeSocket()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("starting embedded ClickHouse: %w", err)
	}
	go s.supervise()
	return s, nil
}

// launch starts a child and waits for its readiness.
func (s *Supervisor) launch() error {
	began := time.Now()
	c, err := startChild(s.cfg.Command, s.cfg.Env, s.file, s.options, s.cfg.Log)
	if err != nil {
		return err
	}
	msg, err := c.awaitReady(s.cfg.StartTimeout, s.stop)
	if err != nil {
		c.kill()
		return err
	}
	s.mu.Lock()
	s.current, s.version = c, msg.Version
	s.mu.Unlock()
	c.log.Info("embedded ClickHouse is ready", "address", s.listener.Addr().String(), "version", msg.Version,
		"data_dir", s.cfg.DataDir, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// supervise replaces a child that has ended, until stop.
func (s *Supervisor) supervise() {
	defer close(s.done)
	pause, began := firstBackoff, time.Now()
	for {
		c := s.child()
		select {
		case <-c.exited:
		case <-s.stop:
			_ = c.stdin.Close() // the child drains and exits
			<-c.exited
			return
		}
		if time.Since(began) > calm {
			pause = firstBackoff
		}
		reason := fmt.Errorf("process %d ended (%v): %s", c.cmd.Process.Pid, c.err, c.lastWords())
		for {
			s.cfg.Log.Warn("embedded ClickHouse is down, restarting", "reason", reason, "pause", pause)
			if !s.sleep(pause) {
				return
			}
			pause, began = min(2*pause, s.cfg.MaxBackoff), time.Now()
			if reason = s.launch(); reason == nil {
				break
			}
			if errors.Is(reason, errStopped) {
				return
			}
		}
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
	}
}

func (s *Supervisor) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

func (s *Supervisor) child() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *Supervisor) signalStop() { s.once.Do(func() { close(s.stop) }) }

func (s *Supervisor) closeSocket() {
	_ = s.file.Close()
	_ = s.listener.Close()
}

// DSN returns the clickhouse-go data source name (HTTP) of the engine, with the
// database and the key. It stays valid over restarts. It is a secret.
func (s *Supervisor) DSN() string { return s.dsn }

// Addr returns the engine's loopback address.
func (s *Supervisor) Addr() string { return s.listener.Addr().String() }

// Version returns the engine's version, as SELECT version() does.
func (s *Supervisor) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// Restarts returns how many times a child was replaced after it had ended.
func (s *Supervisor) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

// Pid returns the process id of the current child, which may have just ended.
func (s *Supervisor) Pid() int { return s.child().cmd.Process.Pid }

// Close stops the engine: requests in flight may end, up to the child's drain
// time or ctx, whichever is first; then the process is killed. It may be called
// more than once.
func (s *Supervisor) Close(ctx context.Context) error {
	s.signalStop()
	defer s.closeSocket()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		_ = s.child().cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("stopping embedded ClickHouse: it did not drain and was killed: %w", ctx.Err())
	}
}
