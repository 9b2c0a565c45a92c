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
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/intel/fact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeChecker refuses objects with "refused" in them, and fails as a whole where one
// holds "poison".
type fakeChecker struct {
	err   error         // of every call
	delay time.Duration // of a call
}

func (c *fakeChecker) Check(ctx context.Context, _ fact.Feed, objects []json.RawMessage) (useful []bool, refused []fact.Refusal, err error) {
	if c.delay > 0 {
		select {
		case <-time.After(c.delay):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	if c.err != nil {
		return nil, nil, c.err
	}
	useful = make([]bool, len(objects))
	for i, o := range objects {
		if strings.Contains(string(o), "poison") {
			return nil, nil, fmt.Errorf("object %d is poison", i+1)
		}
		if useful[i] = !strings.Contains(string(o), "[refused:"); !useful[i] {
			refused = append(refused, fact.Refusal{Line: i + 1, Reason: "pattern names no observable"})
		}
	}
	return useful, refused, nil
}

// kept takes everything out of a journal, by feed.
func kept(t testing.TB, j *Journal) map[string][]Record {
	t.Helper()
	all := map[string][]Record{}
	for _, q := range j.Queues() {
		for {
			b, err := q.Take(0)
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			all[q.Feed()] = append(all[q.Feed()], b.Records...)
			if err := b.Done(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
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

func openJournal(t testing.TB, dir string, most int64) *Journal {
	t.Helper()
	j, err := OpenJournal(dir, most, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func newHandler(t *testing.T, c Config, checker Checker) *Handler {
	t.Helper()
	j := openJournal(t, filepath.Join(t.TempDir(), "uploads"), c.MaxWaiting)
	h, err := New(c, nil, checker, j, time.Now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// run has the handler write until the returned function is called.
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

// gate is a checker that waits to be let through.
type gate struct{ entered, open chan struct{} }

func (g *gate) Check(ctx context.Context, _ fact.Feed, objects []json.RawMessage) ([]bool, []fact.Refusal, error) {
	close(g.entered)
	select {
	case <-g.open:
		return slices.Repeat([]bool{true}, len(objects)), nil, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}
