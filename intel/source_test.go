package intel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/stages/match"
)

// TestSource: a damaged feed keeps neither changes of the others nor a snapshot from
// the workers; it is logged once, and when it is well again; and however many commits
// lie between two publications, the way from one to the other is known.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	l := library.Open(dir, library.DefaultConfig())
	take := func(feed, text string) {
		t.Helper()
		f := fact.DefaultFeed()
		f.Name, f.Transport = feed, fact.TransportUpload
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		if _, err := Take(t.Context(), l, &f, "test", strings.NewReader(text), time.Now(), nil); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	s := newSource(l, match.DefaultConfig(), slog.New(slog.NewTextHandler(&log, nil)))
	at := json.RawMessage(`""`)
	changes := func() (text string) {
		t.Helper()
		to, err := s.Changes(t.Context(), at, func(c match.Change) error {
			text += fmt.Sprintf("%d %s/%s ", c.Op, c.Indicator.Feed, c.Indicator.Value)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		at = to
		return text
	}
	take("acme", "192.0.2.1\n")
	take("beta", "192.0.2.2\n")
	if got := changes(); got != "1 acme/192.0.2.1 1 beta/192.0.2.2 " {
		t.Fatal(got)
	}
	for n := range 20 {
		take("beta", fmt.Sprintf("192.0.2.%d\n", 3+n))
	}
	if got := changes(); got != "2 beta/192.0.2.2 1 beta/192.0.2.22 " {
		t.Fatal(got)
	}
	take("acme", "198.51.100.1\n")
	damaged := filepath.Join(dir, "feeds", "acme", "00000002.current")
	text, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(damaged, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		take("beta", fmt.Sprintf("192.0.2.%d\n", 100+n))
		if got := changes(); !strings.Contains(got, fmt.Sprintf("1 beta/192.0.2.%d ", 100+n)) || strings.Contains(got, "acme") {
			t.Error(got)
		}
	}
	path := filepath.Join(t.TempDir(), "snapshot")
	if _, err := s.Build(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if x, err := match.OpenSnapshot(path); err != nil || x.Len() != 2 { // with what acme said before
		t.Errorf("a snapshot of %v, %v", x, err)
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "feed=acme") || !strings.Contains(text, "00000002.current") {
		t.Errorf("%s", text)
	}
	take("acme", "198.51.100.1\n")
	if got := changes(); got != "2 acme/192.0.2.1 1 acme/198.51.100.1 " {
		t.Error(got)
	}
	if text := log.String(); !strings.Contains(text, "can be read and published again") {
		t.Errorf("%s", text)
	}
	if _, err := s.Changes(t.Context(), json.RawMessage(`"acme:77;0"`), func(match.Change) error { return nil }); !errors.Is(err, distribute.ErrGone) {
		t.Errorf("a version of another library: %v", err)
	}
}
