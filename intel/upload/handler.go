package upload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Checker finds out which of a request's objects can be taken, before they are written
// down. useful has for each object whether it says anything that can be; a refusal's
// Line is the object's place in objects, from 1. One object may be useful and refused in
// part.
type Checker interface {
	Check(ctx context.Context, feed fact.Feed, objects []json.RawMessage) (useful []bool, refused []fact.Refusal, err error)
}

// Handler answers uploads. Run must run beside it.
type Handler struct {
	set     Config
	clients []*client
	checker Checker
	journal *Journal
	group   *group
	slots   chan struct{}
	log     *slog.Logger
	now     func() time.Time
	metrics metrics
}

// New makes the handler of a configuration that listens. configured are the
// feeds of the configuration: those with transport upload and the name of a
// source's feed give its settings. Tokens are read here, once. What is accepted goes to
// the journal.
func New(cfg Config, configured []fact.Feed, checker Checker, journal *Journal, now func() time.Time, log *slog.Logger) (*Handler, error) {
	if cfg.Listen == "" {
		return nil, errors.New("upload: listen is not set")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := &Handler{set: cfg, checker: checker, journal: journal, slots: make(chan struct{}, cfg.MaxRequests), log: log, now: now, metrics: newMetrics()}
	for _, c := range cfg.Clients {
		made, err := newClient(c, configured)
		if err != nil {
			return nil, err
		}
		if !made.anonymous && slices.ContainsFunc(h.clients, func(c *client) bool { return !c.anonymous && c.token == made.token }) {
			return nil, fmt.Errorf("upload: the token in %s is another client's too: whose request is it", c.TokenFile)
		}
		h.clients = append(h.clients, made)
	}
	h.group = &group{in: make(chan *job, cfg.MaxRequests), stopped: make(chan struct{})}
	for _, f := range h.Feeds() {
		journal.Queue(f.Name)
	}
	return h, nil
}

// Feeds are those that the clients' sources fill, with their settings.
func (h *Handler) Feeds() []fact.Feed {
	var list []fact.Feed
	for _, c := range h.clients {
		for _, f := range c.feeds {
			if !slices.ContainsFunc(list, func(x fact.Feed) bool { return x.Name == f.Name }) {
				list = append(list, *f)
			}
		}
	}
	return list
}

// Collectors are the handler's metrics.
func (h *Handler) Collectors() []prometheus.Collector {
	return []prometheus.Collector{h.metrics.requests, h.metrics.objects}
}

// Run writes down what is uploaded until ctx ends. It must be called once; requests
// after its end are told to come again.
func (h *Handler) Run(ctx context.Context) { h.group.run(ctx) }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := h.handle(w, r)
	h.metrics.requests.WithLabelValues(code(a.status())).Inc()
	if a.status() >= 400 {
		h.log.Debug("upload refused", "status", a.Status, "from", r.RemoteAddr, "reason", a.Message)
	}
	if err := a.write(w); err != nil {
		h.log.Debug("upload not answered", "from", r.RemoteAddr, "error", err)
	}
}

// route reports the paths of the contract: with a workspace of any name, or none.
// The version of the API (api-version) may be any or missing: there is one.
func route(path string) bool {
	rest, ok := strings.CutSuffix(path, "/threat-intelligence-stix-objects:upload")
	if !ok || rest == "" {
		return ok
	}
	workspace, ok := strings.CutPrefix(rest, "/workspaces/")
	return ok && workspace != "" && !strings.Contains(workspace, "/")
}

// handle gives the answer to a request; nil is success.
func (h *Handler) handle(w http.ResponseWriter, r *http.Request) *answer {
	if !route(r.URL.Path) {
		return refuse(http.StatusNotFound, "There is nothing here. Post to /workspaces/{workspaceId}/threat-intelligence-stix-objects:upload.")
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return refuse(http.StatusMethodNotAllowed, "Method %s is not allowed, want POST.", short([]byte(r.Method)))
	}
	c := who(h.clients, r.Header.Get("Authorization"))
	switch {
	case c == nil:
		w.Header().Set("WWW-Authenticate", "Bearer")
		return refuse(http.StatusUnauthorized, "Unauthorized. Access token is missing or invalid.")
	case c.anonymous && !localHost(hostOf(r.Host)): // a page in a browser that another name leads here
		return refuse(http.StatusForbidden, "Host is not this machine.")
	}
	if wait := c.pace.take(h.now()); wait > 0 {
		return slow(wait)
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json.")
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "Content-Encoding %s is not supported.", short([]byte(e)))
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return busy("Too many requests at one time.", 1)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.set.MaxBytes))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return refuse(http.StatusRequestEntityTooLarge, "Body is longer than %d bytes.", large.Limit)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(http.StatusRequestTimeout, "Body did not come within %s.", h.set.ReadTimeout)
	} else if err != nil {
		return refuse(http.StatusBadRequest, "Body could not be read.")
	}
	req, err := decode(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "Bad format. %s.", err)
	}
	return h.take(r.Context(), c, req)
}

// take inspects a request's objects and has those that can be taken written down.
func (h *Handler) take(ctx context.Context, c *client, req request) *answer {
	if strings.EqualFold(strings.TrimSpace(req.source), restricted) {
		return refuse(http.StatusBadRequest, "Bad format. sourcesystem: %q is restricted.", restricted)
	}
	f, ok := c.feeds[req.source]
	if !ok {
		return refuse(http.StatusForbidden, "This client may not use sourcesystem %q.", short([]byte(req.source)))
	}
	var faults []fault
	var objects []json.RawMessage
	var index []int
	for i, o := range req.objects {
		if messages := inspect(o); len(messages) > 0 {
			faults = append(faults, fault{i, messages})
			continue
		}
		objects, index = append(objects, o), append(index, i)
	}
	if len(objects) == 0 {
		h.count(0, len(req.objects))
		return &answer{Status: http.StatusBadRequest, Message: "Bad format. None of the objects is valid.", Errors: faults}
	}
	useful, refused, err := h.checker.Check(ctx, *f, objects)
	if ctx.Err() != nil {
		return busy("The request was given up.", 1)
	}
	if err != nil {
		h.log.Error("upload not checked", "feed", f.Name, "objects", len(objects), "error", err)
		if errors.As(err, new(syscall.Errno)) { // the disk's fault, not the objects'
			return busy("The objects could not be stored.", fullSeconds)
		}
		return refuse(http.StatusInternalServerError, "The objects could not be stored. Send them again.")
	}
	faults = merge(faults, refused, index)
	r := &Record{Time: schema.FromTime(h.now()), Feed: *f}
	for i, o := range objects {
		if useful[i] {
			r.Objects = append(r.Objects, o)
		}
	}
	if failed := h.keep(r); failed != nil {
		return failed
	}
	h.count(len(req.objects)-len(faults), len(faults))
	if len(faults) == 0 {
		return nil
	}
	return &answer{Errors: faults}
}

// keep has a record written down; nil is success.
func (h *Handler) keep(r *Record) *answer {
	if len(r.Objects) == 0 {
		return nil
	}
	switch err := h.group.put(&job{h.journal.Queue(r.Feed.Name), r, make(chan error, 1)}); {
	case err == nil:
		return nil
	case errors.Is(err, errStopping):
		return busy("The service is stopping.", 1)
	case errors.Is(err, errFull):
		h.log.Warn("upload turned away: too much waits for the library", "feed", r.Feed.Name, "max_waiting", h.set.MaxWaiting)
		return busy("Too many objects of this source wait to be stored.", fullSeconds)
	default:
		h.log.Error("upload not written down", "feed", r.Feed.Name, "objects", len(r.Objects), "error", err)
		return busy("The objects could not be stored.", fullSeconds)
	}
}

// fullSeconds is when to come again where the disk or the library cannot keep up.
const fullSeconds = 30

func (h *Handler) count(taken, refused int) {
	h.metrics.objects.WithLabelValues("taken").Add(float64(taken))
	h.metrics.objects.WithLabelValues("refused").Add(float64(refused))
}

// hostOf gives a Host header without its port.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
