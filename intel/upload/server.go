package upload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// drain is how long requests under way may take to end when the server stops.
const drain = 10 * time.Second

// Listen opens the configured address.
func (h *Handler) Listen(ctx context.Context) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", h.set.Listen)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return l, nil
}

// Serve answers uploads on a listener, which it closes, until ctx ends. It runs
// Run too, and ends it after the last request, so that what was accepted is
// committed.
func (h *Handler) Serve(ctx context.Context, l net.Listener) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		h.Run(work)
	}()
	srv := &http.Server{Handler: h, ReadTimeout: h.set.ReadTimeout, ReadHeaderTimeout: min(h.set.ReadTimeout, 10*time.Second),
		WriteTimeout: h.set.ReadTimeout + 5*time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	served := make(chan struct{})
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		select {
		case <-ctx.Done():
		case <-served:
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		_ = srv.Shutdown(late) // what is not done by then is cut off and sent again
		_ = srv.Close()
	}()
	// Idle connections are few: a sender needs one.
	l = netutil.LimitListener(l, 8*h.set.MaxRequests)
	var err error
	if h.set.CertFile != "" {
		err = srv.ServeTLS(l, h.set.CertFile, h.set.KeyFile)
	} else {
		err = srv.Serve(l)
	}
	close(served)
	<-closed
	stop()
	<-committed
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("upload: serving: %w", err)
	}
	return nil
}
