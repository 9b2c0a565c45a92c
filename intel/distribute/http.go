package distribute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Handler serves the snapshots of a folder to workers: GET and HEAD of a path that
// ends in the name of one, with ranges. Who may ask is the business of the listener.
func Handler(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if !validName(name) {
			http.NotFound(w, r)
			return
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("ETag", etag(name))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Type", "application/octet-stream")
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, f)
	})
}

// etag is the hash: a name never stands for other bytes.
func etag(name string) string { return `"` + strings.TrimSuffix(name, suffix) + `"` }

// HTTP is a Source that reads what Handler serves.
type HTTP struct {
	// Bases are the URLs under which snapshots may lie; a location outside of them
	// is refused, so that a forged reference does not make a worker ask elsewhere.
	// Empty: any http or https URL.
	Bases []string
	// Client that is used, for TLS and proxies. It should limit the time to connect
	// and to the answer's head, not the whole. nil: http.DefaultTransport's.
	Client *http.Client
	// Stall ends a transfer in which nothing has come for so long. Zero: 30 s.
	Stall time.Duration
}

var _ Source = HTTP{}

// Open asks for the rest of a snapshot. Redirects are not followed.
func (h HTTP) Open(ctx context.Context, location string, from int64) (io.ReadCloser, error) {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("location %q: %w", location, errors.ErrUnsupported)
	}
	name := path.Base(u.Path)
	if !validName(name) || !h.allowed(u) {
		return nil, fmt.Errorf("location %q is not one that snapshots are taken from", location)
	}
	stall := h.Stall
	if stall <= 0 {
		stall = 30 * time.Second
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %s", stall)) })
	fail := func(err error) error {
		watch.Stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return fmt.Errorf("getting %s: %w", u.Redacted(), err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fail(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		req.Header.Set("If-Range", etag(name))
	}
	client := http.Client{}
	if h.Client != nil {
		client = *h.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, fail(err)
	}
	body := &watched{body: resp.Body, watch: watch, stall: stall, ctx: ctx, cancel: cancel}
	switch {
	case resp.StatusCode == http.StatusPartialContent && from > 0 && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)):
	case resp.StatusCode == http.StatusOK:
		// All of it, though a part was asked for.
		if _, err := io.CopyN(io.Discard, body, from); err != nil {
			return nil, errors.Join(fail(err), body.Close())
		}
	default:
		return nil, errors.Join(fail(fmt.Errorf("the answer is %q", resp.Status)), body.Close())
	}
	return body, nil
}

func (h HTTP) allowed(u *url.URL) bool {
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || path.Clean(u.Path) != u.Path {
		return false
	}
	for _, b := range h.Bases {
		base, err := url.Parse(b)
		if err == nil && base.Scheme == u.Scheme && base.Host == u.Host && strings.TrimSuffix(base.Path, "/") == strings.TrimSuffix(path.Dir(u.Path), "/") {
			return true
		}
	}
	return len(h.Bases) == 0
}

// watched is a body that ends when nothing comes.
type watched struct {
	body   io.ReadCloser
	watch  *time.Timer
	stall  time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.watch.Reset(w.stall)
	}
	if cause := context.Cause(w.ctx); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

func (w *watched) Close() error {
	w.watch.Stop()
	w.cancel(nil)
	return w.body.Close()
}
