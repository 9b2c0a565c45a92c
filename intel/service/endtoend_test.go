package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// listServer is a server with one list, which answers as it is told.
type listServer struct {
	mu     sync.Mutex
	text   string
	status int // zero: 200, or 304
	retry  string
	asked  []string // If-None-Match of each request
}

func (p *listServer) set(text string, status int, retry string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.status, p.retry = text, status, retry
}

func (p *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tag := fmt.Sprintf(`"%d-%x"`, len(p.text), p.text[:min(8, len(p.text))])
	p.asked = append(p.asked, r.Header.Get("If-None-Match"))
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "text/plain")
	if p.retry != "" {
		w.Header().Set("Retry-After", p.retry)
	}
	switch {
	case p.status != 0:
		w.WriteHeader(p.status)
	case r.Header.Get("If-None-Match") == tag:
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(p.text)))
	_, _ = w.Write([]byte(p.text))
}

// published remembers what was in the library at each publication.
type published struct {
	lib *library.Library
	mu  sync.Mutex
	all [][]string
	new chan struct{} // has one after each publication
}

func (p *published) Publish(ctx context.Context) error {
	list, err := values(ctx, p.lib)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, list)
	select {
	case p.new <- struct{}{}:
	default:
	}
	return nil
}

// wait waits until the values were published.
func (p *published) wait(t *testing.T, want ...string) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		p.mu.Lock()
		var last []string
		if len(p.all) > 0 {
			last = p.all[len(p.all)-1]
		}
		p.mu.Unlock()
		if slices.Equal(last, want) {
			return
		}
		select {
		case <-p.new:
		case <-deadline:
			t.Fatalf("published %v, want %v", last, want)
		}
	}
}

func values(ctx context.Context, l *library.Library) ([]string, error) {
	var list []string
	_, err := l.Each(ctx, func(i schema.Indicator) error {
		list = append(list, i.Feed+" "+i.Value)
		return nil
	})
	slices.Sort(list)
	return list, err
}

// onDisk makes a service over a folder with nothing made up but the publisher.
func onDisk(t testing.TB, dir string, cfg Config, log *bytes.Buffer) (*Service, *published) {
	t.Helper()
	lib := library.Open(dir, library.DefaultConfig())
	pub := &published{lib: lib, new: make(chan struct{}, 1)}
	s, err := New(cfg, diskPorts(t, lib, library.Open(filepath.Join(t.TempDir(), "trial"), library.DefaultConfig()), pub), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s, pub
}

// diskPorts are the real parts.
func diskPorts(t interface{ Fatal(...any) }, lib, trial *library.Library, pub Publisher) Ports {
	client, err := fetch.New(fetch.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return Ports{Fetch: client, Parse: parse.Read, Library: Folder{lib}, Trial: Folder{trial}, Publish: pub, RetryAt: fetch.RetryAt, Permanent: fetch.Permanent,
		Now: time.Now, Chance: func() float64 { return 0 }}
}

// TestEndToEndHTTP follows a list through its life: got, as it was, changed, out of
// order in all ways, empty; with a restart between each.
func TestEndToEndHTTP(t *testing.T) {
	place := &listServer{}
	server := httptest.NewServer(place)
	defer server.Close()
	f := fact.DefaultFeed()
	f.Name, f.URL, f.AllowPrivate, f.Format = "acme", server.URL+"/list.txt", true, fact.FormatList
	cfg, dir := DefaultConfig(), t.TempDir()
	cfg.Feeds = []fact.Feed{f}
	for _, x := range []struct {
		name, text, retry string
		status            int
		want              string // values that count after it
		fails             string // part of the error
		unmodified        bool
		report            Report
		failures          int
		wait              time.Duration // to the next pull
	}{
		{name: "first", text: "bad.example\n192.0.2.1\nnot a value!\n", want: "192.0.2.1 bad.example", report: Report{Indicators: 2, Added: 2, Refused: 1}, wait: time.Hour},
		{name: "same", text: "bad.example\n192.0.2.1\nnot a value!\n", want: "192.0.2.1 bad.example", unmodified: true, wait: time.Hour},
		{name: "changed", text: "bad.example\nworse.example\n", want: "bad.example worse.example", report: Report{Indicators: 2, Added: 1, Removed: 1}, wait: time.Hour},
		{name: "broken", text: "oops", status: 500, want: "bad.example worse.example", fails: "status 500", failures: 1, wait: time.Minute},
		{name: "busy", text: "oops", status: 429, retry: "7200", want: "bad.example worse.example", fails: "status 429", failures: 2, wait: 2 * time.Hour},
		{name: "an error page", text: "<html><body>\nplease log in\n</body></html>\n", want: "bad.example worse.example", fails: "acme", failures: 3, wait: 4 * time.Minute},
		{name: "back", text: "bad.example\nworse.example\n", want: "bad.example worse.example", unmodified: true, wait: time.Hour},
		{name: "empty", text: "", want: "", report: Report{Removed: 2}, wait: time.Hour},
		{name: "filled", text: "bad.example\n", want: "bad.example", report: Report{Indicators: 1, Added: 1}, wait: time.Hour},
	} {
		place.set(x.text, x.status, x.retry)
		var log bytes.Buffer
		s, pub := onDisk(t, dir, cfg, &log)
		began := time.Now()
		rep, res, err := s.PullOnce(t.Context(), "acme")
		ended := time.Now()
		if x.fails == "" && err != nil || x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)) {
			t.Fatalf("%s: error %v, want %q", x.name, err, x.fails)
		}
		rep.Read = 0
		if fmt.Sprint(rep) != fmt.Sprint(x.report) && x.fails == "" || res.NotModified != x.unmodified {
			t.Errorf("%s: report %+v, not modified %v, want %+v, %v", x.name, rep, res.NotModified, x.report, x.unmodified)
		}
		list, err := values(t.Context(), pub.lib)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(strings.Join(list, " "), "acme ", ""); got != x.want {
			t.Errorf("%s: %q count, want %q", x.name, got, x.want)
		}
		s, _ = onDisk(t, dir, cfg, &log) // what follows is read from disk
		st, err := s.Status()
		if err != nil || len(st.Feeds) != 1 {
			t.Fatalf("%s: status %+v, %v", x.name, st, err)
		}
		got := st.Feeds[0]
		early, late := began.Add(x.wait-time.Second), ended.Add(x.wait+time.Second) // Retry-After counts in seconds
		if due := got.Due.Time(); got.Failures != x.failures || due.Before(early) || due.After(late) {
			t.Errorf("%s: %d failures, next pull at %s, want %d, from %s to %s", x.name, got.Failures, due, x.failures, early, late)
		}
	}
	if place.asked[0] != "" || place.asked[1] == "" || place.asked[3] == "" || place.asked[6] != place.asked[3] {
		t.Errorf("asked with the tags %q", place.asked)
	}
}

// TestEndToEndRun runs a service with a list, a watched file and uploads.
func TestEndToEndRun(t *testing.T) {
	place := &listServer{text: "bad.example\n"}
	server := httptest.NewServer(place)
	defer server.Close()
	dir := t.TempDir()
	file, token := filepath.Join(t.TempDir(), "list.txt"), filepath.Join(t.TempDir(), "token")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "198.51.100.1\n")
	write(token, "token-of-made-up-letters")
	web, watched, broken := fact.DefaultFeed(), fact.DefaultFeed(), fact.DefaultFeed()
	web.Name, web.URL, web.AllowPrivate, web.Every = "web", server.URL, true, time.Second
	watched.Name, watched.File = "watched", file
	broken.Name, broken.URL = "broken", server.URL // a private address, and not allowed
	cfg := DefaultConfig()
	cfg.Feeds, cfg.Tick, cfg.PublishEvery = []fact.Feed{web, watched, broken}, 50*time.Millisecond, 10*time.Millisecond
	cfg.Upload.Listen, cfg.UploadDir = "127.0.0.1:0", filepath.Join(t.TempDir(), "uploads")
	cfg.Upload.Clients = []upload.Client{{TokenFile: token, Tenant: "acme", Sources: []string{"Acme TI"}}}
	var log bytes.Buffer
	s, pub := onDisk(t, dir, cfg, &log)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	pub.wait(t, "watched 198.51.100.1", "web bad.example")

	post := func(text string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/workspaces/w/threat-intelligence-stix-objects:upload", strings.NewReader(text))
		r.Header.Set("Authorization", "Bearer token-of-made-up-letters")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.upload.ServeHTTP(w, r)
		return w
	}
	object := func(n int, kind, pattern, more string) string {
		return fmt.Sprintf(`{"type":"indicator","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00Z",`+
			`"pattern":%q,"pattern_type":%q,"valid_from":"2026-01-01T00:00:00Z"%s}`, n, pattern, kind, more)
	}
	two := `{"sourcesystem":"Acme TI","stixobjects":[` + object(1, "stix", "[ipv4-addr:value = '203.0.113.9']", "") + `,` + object(2, "snort", "alert tcp any", "") + `,` +
		object(3, "stix", "[domain-name:value = 'up.example']", `,"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]`) + `]}`
	for range 2 { // sent again, it changes nothing
		if w := post(two); w.Code != http.StatusOK || strings.Count(w.Body.String(), `"recordIndex"`) != 1 || !strings.Contains(w.Body.String(), `"recordIndex":1`) {
			t.Errorf("upload: status %d, %s", w.Code, w.Body)
		}
	}
	if w := post(`{"sourcesystem":"Acme TI","stixobjects":[` + object(2, "snort", "alert tcp any", "") + `]}`); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"recordIndex":0`) {
		t.Errorf("upload of what cannot be used: status %d, %s", w.Code, w.Body)
	}
	pub.wait(t, "upload-acme-ti 203.0.113.9", "upload-acme-ti up.example", "watched 198.51.100.1", "web bad.example")
	place.set("worse.example\n", 0, "")
	pub.wait(t, "upload-acme-ti 203.0.113.9", "upload-acme-ti up.example", "watched 198.51.100.1", "web worse.example")
	write(file, "198.51.100.2\n198.51.100.3\n")
	pub.wait(t, "upload-acme-ti 203.0.113.9", "upload-acme-ti up.example", "watched 198.51.100.2", "watched 198.51.100.3", "web worse.example")
	st, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range st.Feeds {
		if (x.Failures > 0) != (x.Name == "broken") || !x.Configured {
			t.Errorf("status %+v", x)
		}
	}
	if len(st.Feeds) != 4 {
		t.Errorf("%d feeds, want 4", len(st.Feeds))
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if st, err := (Folder{pub.lib}).Status("upload-acme-ti"); err != nil || st.Generation == 0 || st.Config.Tenant != "acme" {
		t.Errorf("uploads in the library: %+v, %v", st, err)
	}
}

// TestEveryRefusalIsTold: the sender of an upload is told of each object that was not
// taken, also of those that only the library refuses, however many there are.
func TestEveryRefusalIsTold(t *testing.T) {
	var log bytes.Buffer
	s, _ := onDisk(t, t.TempDir(), DefaultConfig(), &log)
	f := fact.DefaultFeed()
	f.Name, f.Transport, f.Format = "upload-acme", fact.TransportUpload, fact.FormatSTIX
	object := func(n int, value, from string) json.RawMessage {
		return fmt.Appendf(nil, `{"type":"indicator","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00Z",`+
			`"pattern":"[domain-name:value = '%s']","pattern_type":"stix","valid_from":"%s"}`, n, value, from)
	}
	list := []json.RawMessage{object(0, "good.example", "2026-01-01T00:00:00Z")}
	for n := range 150 { // the parser's
		list = append(list, object(1+n, "nonsense", "2026-01-01T00:00:00Z"))
	}
	for n := range 150 { // the library's
		list = append(list, object(151+n, fmt.Sprintf("v%d.example", n), "1960-01-01T00:00:00Z"))
	}
	useful, refused, err := s.Check(t.Context(), f, list)
	if err != nil || len(refused) != 300 || !useful[0] || slices.Contains(useful[151:], true) {
		t.Fatalf("%d refused of 300, useful %v, %v", len(refused), useful, err)
	}
	for n, r := range refused {
		if r.Line != n+2 {
			t.Fatalf("refusal %d is of line %d: %+v", n, r.Line, r)
		}
	}
	if _, refused, err = s.Check(t.Context(), f, list[151:]); err != nil || len(refused) != 150 {
		t.Fatalf("%d refused of 150, %v", len(refused), err)
	}
}
