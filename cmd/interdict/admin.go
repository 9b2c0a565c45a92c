package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serveAdmin serves the operators' port until ctx ends: /metrics, /healthz (the
// process lives), /readyz (there are indicators, every hop has its lanes, the store answers),
// /status (what the status command prints) and /debug/pprof.
func (a *app) serveAdmin(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(a.status(r.Context())); err != nil {
			a.log.Debug("status not sent", "error", err)
		}
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)

	l, err := net.Listen("tcp", a.cfg.Admin.Listen)
	if err != nil {
		return fmt.Errorf("admin port: %w", err)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	a.log.Info("admin port", "url", "http://"+l.Addr().String())
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(stop) // a profile under way is cut off
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin port: %w", err)
	}
	<-done
	return nil
}

// ready reports why the process cannot do its work yet.
func (a *app) ready(ctx context.Context) error {
	if f := a.intel.follower; f != nil && (!a.started.Load() || a.holder.Load() == nil) {
		st := f.Status()
		return fmt.Errorf("indicators: %s, %d in force, %d behind", st.State, st.Indicators, st.Behind)
	}
	for _, r := range a.runners {
		s := r.Status()
		if !s.Connected {
			return fmt.Errorf("hop %s is not connected", s.Hop)
		}
		for _, l := range s.Lanes {
			if l.Phase != "running" {
				return fmt.Errorf("hop %s: lane %s/%d is %s", s.Hop, l.Topic, l.Partition, l.Phase)
			}
		}
	}
	if a.store != nil {
		if err := a.store.Ping(ctx); err != nil {
			return fmt.Errorf("clickhouse: %w", err)
		}
	}
	return nil
}
