package normalize

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/schema"
)

func TestSourceFormats(t *testing.T) {
	okta := `{"uuid":"e3","published":"2026-03-02T10:00:02Z","eventType":"user.account.lock","severity":"INFO","actor":{"id":"1"}}`
	f := func(formats []string, force, record, want string) {
		t.Helper()
		n := newNormalizer(t, func(c *Config) { c.Format = force })
		src := &schema.Source{ID: "s", Tenant: "t", Formats: formats}
		if got := outcome(run(t, n, src, 0, []byte(record))); got != want {
			t.Errorf("%v %q: got %q, want %q", formats, force, got, want)
		}
	}
	f(nil, "", eveA+okta, "a a")
	f([]string{"suricata_eve"}, "", eveA+okta, "a format_not_allowed")
	f([]string{"okta_system_log", "ocsf"}, "", eveA+okta, "format_not_allowed a")
	f(nil, "okta_system_log", eveA+okta, "missing_field a")
	n := newNormalizer(t, nil)
	if got := outcome(run(t, n, nil, 0, []byte(eveA))); got != "a" {
		t.Errorf("no source: %q", got)
	}
	cfg := Default()
	cfg.Format = "nonsense"
	if _, err := Load(cfg); err == nil {
		t.Error("unknown format accepted")
	}
	if _, err := New(Config{}, builtinFormats(t)); err == nil {
		t.Error("zero config accepted")
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := &schema.Batch{Raw: []schema.Raw{{Value: []byte(eveA)}}}
	if err := newNormalizer(t, nil).Process(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestNamedFormatsFirst: what a source names wins over other formats of the same
// shape.
func TestNamedFormatsFirst(t *testing.T) {
	cfg := Default()
	cfg.FormatsDir = t.TempDir()
	text := "format: own_eve\nvendor: Own\ndoc: d\ndetect: [timestamp, event_type]\nset: {title: alert.signature, created: timestamp}\n"
	if err := os.WriteFile(filepath.Join(cfg.FormatsDir, "own.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	for want, formats := range map[string][]string{"suricata_eve": nil, "own_eve": {"own_eve"}} {
		src := &schema.Source{ID: "s", Tenant: "t", Formats: formats}
		if b := run(t, n, src, 0, []byte(eveA)); len(b.Alerts) != 1 || b.Alerts[0].Format != want {
			t.Errorf("%v: %s", formats, Dump(b))
		}
	}
}
