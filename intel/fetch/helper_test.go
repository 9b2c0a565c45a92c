package fetch

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the time of tests that look at clocks.
var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// feed gives a feed that may be on this machine.
func feed(transport fact.Transport, url string) *fact.Feed {
	f := fact.DefaultFeed()
	f.Name, f.Transport, f.URL, f.AllowPrivate = "acme", transport, url, true
	return &f
}

// got collects parts.
type got struct {
	parts []fact.Part
	texts []string
}

func (g *got) yield(p fact.Part, body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	g.parts, g.texts = append(g.parts, p), append(g.texts, string(text))
	return nil
}

func (g *got) names() string {
	var names []string
	for _, p := range g.parts {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func (g *got) text() string { return strings.Join(g.texts, "|") }

// mustPull pulls and wants no error.
func mustPull(t *testing.T, c *Client, f *fact.Feed, state []byte) (Result, *got) {
	t.Helper()
	g := &got{}
	r, err := c.Pull(t.Context(), f, state, g.yield)
	if err != nil {
		t.Fatal(err)
	}
	if r.NotModified != (len(g.parts) == 0 && len(r.Gone) == 0) {
		t.Errorf("NotModified is %v and %d parts were yielded, %d gone", r.NotModified, len(g.parts), len(r.Gone))
	}
	if len(r.State) == 0 {
		t.Error("a pull that worked gives no State")
	}
	return r, g
}

// failPull pulls and wants an error that has all the words.
func failPull(t *testing.T, c *Client, f *fact.Feed, state []byte, words ...string) (Result, error) {
	t.Helper()
	r, err := c.Pull(t.Context(), f, state, (&got{}).yield)
	wantError(t, err, words...)
	return r, err
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not have %q", err, w)
		}
	}
}

// serve starts a server of this test.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// publicly makes a client for which some loopback addresses count as public, so
// that a test has both kinds.
func publicly(t *testing.T, cfg Config, public ...string) *Client {
	t.Helper()
	c := client(t, cfg)
	real := c.special
	c.special = func(a netip.Addr) string {
		for _, p := range public {
			if a.String() == p {
				return ""
			}
		}
		return real(a)
	}
	return c
}
