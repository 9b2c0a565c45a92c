package gen

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "rewrite golden files")

// small is a world of a few hundred records with everything in it.
func small() Config {
	cfg := Default()
	cfg.Hosts, cfg.Users, cfg.Campaigns, cfg.NoiseRatio, cfg.FPBursts, cfg.Decoys = 60, 50, 5, 4, 1, 25
	return cfg
}

func mustNew(t testing.TB, cfg Config) *World {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if that is meant, run with -update\n got: %s\nwant: %s", path, clip(got), clip(want))
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 2000)] }

// TestWriteDirGolden pins the bytes of a whole world, whatever the platform.
func TestWriteDirGolden(t *testing.T) {
	dir := t.TempDir()
	sum, err := mustNew(t, small()).WriteDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %d lines %x\n", f.Name(), bytes.Count(b, []byte{'\n'}), sha256.Sum256(b))
	}
	fmt.Fprintf(&got, "%d records, %d alerts, %d campaigns, %d indicators, %d assets\n", sum.Records, sum.Alerts, sum.Campaigns, sum.Indicators, sum.Assets)
	golden(t, "small.golden", got.Bytes())
}

// TestSampleGolden shows one record of every kind to the reader of a change:
// the order and the names of the fields are in it.
func TestSampleGolden(t *testing.T) {
	seen := map[string]bool{}
	var got bytes.Buffer
	for rec := range mustNew(t, small()).Records() {
		k := rec.Source + " " + rec.Truth.Kind
		if !seen[k] {
			seen[k] = true
			fmt.Fprintf(&got, "%s\n", rec.Value)
			truth, err := json.Marshal(rec.Truth)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%s\n", truth)
		}
	}
	golden(t, "samples.golden.ndjson", got.Bytes())
}

func TestTenantReachesNoRecord(t *testing.T) {
	a, b := small(), small()
	b.Tenant = "zzz-other-tenant"
	x, y := all(mustNew(t, a)), all(mustNew(t, b))
	if len(x) == 0 || len(x) != len(y) {
		t.Fatalf("%d and %d records", len(x), len(y))
	}
	for i := range x {
		if !bytes.Equal(x[i].Value, y[i].Value) || x[i].Truth != y[i].Truth {
			t.Fatalf("record %d differs between tenants", i)
		}
	}
}

func TestSeedChangesTheWorld(t *testing.T) {
	a, b := small(), small()
	b.Seed++
	ids := map[string]bool{}
	for _, rec := range all(mustNew(t, a)) {
		ids[rec.Truth.VendorID+rec.Truth.Key] = true
	}
	for _, rec := range all(mustNew(t, b)) {
		if ids[rec.Truth.VendorID+rec.Truth.Key] {
			t.Fatalf("two seeds share the record %+v", rec.Truth)
		}
	}
}

func TestConfigFailure(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		cfg := Default()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %q", err, want)
		}
		if _, err := New(cfg); err == nil {
			t.Errorf("New took a config with bad %q", want)
		}
	}
	f(func(c *Config) { *c = Config{} }, "hosts")
	f(func(c *Config) { c.Hosts = 3 }, "hosts")
	f(func(c *Config) { c.MinAlerts = 4 }, "min_alerts")
	f(func(c *Config) { c.MaxAlerts = 4 }, "max_alerts")
	f(func(c *Config) { c.GiantCampaigns = 7 }, "giant_campaigns")
	f(func(c *Config) { c.EntityLoss = 1.5 }, "entity_loss")
	f(func(c *Config) { c.NoiseRatio = -1 }, "noise_ratio")
	f(func(c *Config) { c.TelemetryShare = 1 }, "telemetry_share")
	f(func(c *Config) { c.Duration = time.Minute }, "duration")
	f(func(c *Config) { c.LeaseTime = 0 }, "lease_time")
	f(func(c *Config) { c.Start = time.Time{} }, "start")
	f(func(c *Config) { c.Mix = Mix{} }, "mix")
	f(func(c *Config) { c.Mix.Okta = -1 }, "mix weight")
	f(func(c *Config) { c.NoiseRatio = 900_000 }, "records")
}

// TestConfigYAML: every field has its own tag, and text gives back the config.
func TestConfigYAML(t *testing.T) {
	want := small()
	b, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := yaml.UnmarshalWithOptions(b, &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestImportsNothingOfOurs keeps the generator apart from what it judges.
func TestImportsNothingOfOurs(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			if strings.Contains(imp.Path.Value, "interdict") {
				t.Errorf("%s imports %s", name, imp.Path.Value)
			}
		}
	}
}

func all(w *World) []Record {
	var out []Record
	for rec := range w.Records() {
		out = append(out, rec)
	}
	return out
}
