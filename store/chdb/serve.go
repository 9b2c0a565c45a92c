package chdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Options say how the child serves. They travel from parent to child as one
// JSON line on standard input, since argv and the environment can be read by
// other users' tools while the key must not be.
type Options struct {
	LibPath        string `json:"lib_path"`         // the engine library's file
	DataDir        string `json:"data_dir"`         // created when missing; one process at a time
	Listen         string `json:"listen,omitempty"` // loopback address, a free port without it; ignored with Listener
	Key            string `json:"key"`              // needed by every request; must not be empty
	Database       string `json:"database"`         // created when missing
	MaxMemory      uint64 `json:"max_memory"`       // bytes the engine may use
	MarkCache      uint64 `json:"mark_cache"`       // bytes
	MaxConnections int    `json:"max_connections"`  // statements at once

	Listener net.Listener `json:"-"` // taken over and closed by Serve
	Ready    io.Writer    `json:"-"` // gets the one ready line
	Log      *slog.Logger `json:"-"`
}

// ready is the line that the child prints: either Address and Version, or why
// it could not start.
type ready struct {
	Address string `json:"address,omitempty"`
	Version string `json:"version,omitempty"`
	Error   string `json:"error,omitempty"`
}

// drainTime is how long requests in flight may take to end at a stop.
const drainTime = 5 * time.Second

// Serve runs the engine in this process and serves the ClickHouse HTTP
// interface until ctx ends. It prints one JSON line to o.Ready once it answers.
// The engine cannot be unloaded: when Serve returns, the process should exit.
func Serve(ctx context.Context, o Options) (err error) {
	if o.Key == "" {
		return errors.New("serving ClickHouse: no key was given")
	}
	if o.MaxConnections < 1 {
		return errors.New("serving ClickHouse: max_connections must be at least 1")
	}
	ln := o.Listener
	if ln == nil {
		if ln, err = net.Listen("tcp", first(o.Listen, "127.0.0.1:0")); err != nil {
			return fmt.Errorf("serving ClickHouse: %w", err)
		}
	}
	defer ln.Close()
	if tcp, ok := ln.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fmt.Errorf("serving ClickHouse: %s is not a loopback address", ln.Addr())
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return fmt.Errorf("serving ClickHouse: %w", err)
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if n, err := repairDedupLogs(dir); err != nil {
		return err
	} else if n > 0 {
		o.Log.Warn("removed deduplication records of inserts that a crash interrupted", "records", n)
	}
	s, err := boot(o, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := json.NewEncoder(o.Ready).Encode(ready{Address: ln.Addr().String(), Version: s.version}); err != nil {
		return fmt.Errorf("reporting ready: %w", err)
	}
	return serveHTTP(ctx, ln, s)
}

// boot loads the engine, opens the connection that keeps it up, and makes the
// database.
func boot(o Options, dir string) (*server, error) {
	e, err := loadEngine(o.LibPath, []string{
		"--path=" + dir,
		// Server options, taken by the first connection: the defaults assume a
		// machine of their own (0.9 of its memory, 5 GB of marks).
		"--max_server_memory_usage=" + strconv.FormatUint(o.MaxMemory, 10),
		"--mark_cache_size=" + strconv.FormatUint(o.MarkCache, 10),
		// Settings, taken by each connection. Without this one a bare word such as
		// "abc" runs as SELECT abc.
		"--implicit_select=0",
		// The profiler's timers would send signals into threads that also run Go.
		"--query_profiler_real_time_period_ns=0",
		"--query_profiler_cpu_time_period_ns=0",
	})
	if err != nil {
		return nil, err
	}
	root, err := e.open()
	if err != nil {
		return nil, err
	}
	if err := root.exec("CREATE DATABASE IF NOT EXISTS " + quoteName(o.Database)); err != nil {
		return nil, fmt.Errorf("creating database %s: %w", o.Database, err)
	}
	return newServer(e, root, o.Key, o.MaxConnections, o.Log)
}

func serveHTTP(ctx context.Context, ln net.Listener, s *server) error {
	hs := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 20, // parameters travel in the URL
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(stopped)
		// ctx has ended; the drain needs one that has not.
		drain, done := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer done()
		if err := hs.Shutdown(drain); err != nil {
			_ = hs.Close()
		}
	})
	err := hs.Serve(ln)
	if !cancel() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving ClickHouse: %w", err)
}

// listenerFD is where the parent passes its listening socket.
const listenerFD = 3

// ServeChild is the whole life of the child that Start runs: it reads Options
// from the first line of stdin, serves on the socket inherited as descriptor 3,
// and stops when ctx ends or stdin does, which it does when the parent dies in
// whatever way. A failure is reported on stdout for the parent and returned.
// The process should exit when ServeChild returns.
func ServeChild(ctx context.Context, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	err := serveChild(ctx, stdin, stdout, log)
	if err != nil {
		// The parent reads this line only while it waits for readiness.
		_ = json.NewEncoder(stdout).Encode(ready{Error: err.Error()})
	}
	return err
}

func serveChild(ctx context.Context, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	dec := json.NewDecoder(stdin)
	var o Options
	if err := dec.Decode(&o); err != nil {
		return fmt.Errorf("reading options from standard input (this command is started by interdict itself): %w", err)
	}
	f := os.NewFile(listenerFD, "listener")
	ln, err := net.FileListener(f)
	_ = f.Close()
	if err != nil {
		return fmt.Errorf("taking over the listening socket: %w", err)
	}
	o.Listener, o.Ready, o.Log = ln, stdout, log
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process: a read of stdin cannot be interrupted
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return Serve(ctx, o)
}
