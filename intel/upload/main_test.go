package upload

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/intel/fact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ingested is one call of the fake library.
type ingested struct {
	feed    fact.Feed
	objects []string
}

// fakeLibrary keeps what it is given. It refuses objects with "refused" in them,
// and fails as a whole where one holds "poison".
type fakeLibrary struct {
	mu    sync.Mutex
	calls []ingested
	err   error         // of every call
	delay time.Duration // of a call
}

func (l *fakeLibrary) Ingest(ctx context.Context, f fact.Feed, objects []json.RawMessage) ([]fact.Refusal, error) {
	if l.delay > 0 {
		select {
		case <-time.After(l.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	call := ingested{feed: f}
	var refused []fact.Refusal
	for i, o := range objects {
		if strings.Contains(string(o), "poison") {
			return nil, fmt.Errorf("object %d is poison", i+1)
		}
		if strings.Contains(string(o), "[refused:") {
			refused = append(refused, fact.Refusal{Line: i + 1, Reason: "pattern names no observable"})
			continue
		}
		call.objects = append(call.objects, string(o))
	}
	l.calls = append(l.calls, call)
	return refused, nil
}

func (l *fakeLibrary) seen() []ingested {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]ingested(nil), l.calls...)
}

const acmeToken = "acme-token-of-made-up-letters"

// testConfig has two clients with tokens.
func testConfig(t *testing.T) Config {
	t.Helper()
	token := func(text string) string {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	c := DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.MaxBytes = 64 << 10
	c.Clients = []Client{
		{TokenFile: token(acmeToken), Tenant: "acme", Sources: []string{"Acme TI", "Acme Labs"}},
		{TokenFile: token("other-token-of-made-up-letters"), Sources: []string{"Other TI"}},
	}
	return c
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newHandler(t *testing.T, c Config, lib Ingester) *Handler {
	t.Helper()
	h, err := New(c, nil, lib, time.Now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// run runs the handler's commits until the returned function is called.
func run(t *testing.T, h *Handler) func() {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	return func() {
		stop()
		<-done
	}
}

const uploadPath = "/workspaces/w/threat-intelligence-stix-objects:upload?api-version=2024-02-01-preview"

// post sends a body as the acme client.
func post(h http.Handler, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, uploadPath, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// indicator gives a valid indicator with a pattern.
func indicator(n int, pattern string) string {
	return fmt.Sprintf(`{"type":"indicator","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z",`+
		`"pattern":%q,"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`, n, pattern)
}

func body(source string, objects ...string) string {
	return fmt.Sprintf(`{"sourcesystem":%q,"stixobjects":[%s]}`, source, strings.Join(objects, ","))
}

// gate is a library whose commit waits to be let through.
type gate struct{ entered, open chan struct{} }

func (g *gate) Ingest(ctx context.Context, _ fact.Feed, _ []json.RawMessage) ([]fact.Refusal, error) {
	close(g.entered)
	select {
	case <-g.open:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
