package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
)

// TestDoctorEmptyFolder: a feed of files that has none yet is nothing that can be read.
func TestDoctorEmptyFolder(t *testing.T) {
	client, err := fetch.New(fetch.Config{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := fact.DefaultFeed()
	f.Name, f.Transport, f.Format = "acme", fact.TransportFile, fact.FormatList
	for _, f.File = range []string{dir, filepath.Join(dir, "*.txt")} {
		if got := askFeed(t.Context(), client, f); !got.OK || !got.Warning || !strings.Contains(got.Detail, "no file yet") || got.Cure == "" {
			t.Errorf("%s: %+v", f.File, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("bad.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f.File = range []string{dir, filepath.Join(dir, "*.txt")} {
		if got := askFeed(t.Context(), client, f); !got.OK || got.Warning {
			t.Errorf("%s: %+v", f.File, got)
		}
	}
}
