package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

// TestIntelExpired: an override whose time is over does not outlast it where no manager
// runs; where nobody can take it back, that is said and the answer given.
func TestIntelExpired(t *testing.T) {
	data := t.TempDir()
	if r := do(t, "", "intel", "import", "-q", "--data-dir", data, "testdata/intel/feeds/list.txt"); r.code != exitDone {
		t.Fatal(r.out, r.err)
	}
	l := library.Open(filepath.Join(data, "indicators"), library.DefaultConfig())
	revoked, end := true, schema.Millis(1_600_000_001_000)
	set := func() {
		t.Helper()
		o := library.Override{Type: schema.ObservableIP, Value: "203.0.113.7", By: "ann", Time: end - 1000, Revoked: &revoked, Expires: &end}
		if _, err := l.Override(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	check := func(code int, want string) {
		t.Helper()
		if r := do(t, "", "intel", "check", "--data-dir", data, "203.0.113.7"); r.code != code || !strings.Contains(r.out+r.err, want) {
			t.Errorf("exit %d, want %d and %q: %s%s", r.code, code, want, r.out, r.err)
		}
	}
	set()
	check(exitDone, "counts")
	if list, err := l.Overrides(); err != nil || len(list) != 0 {
		t.Errorf("%d overrides are left, %v", len(list), err)
	}
	set()
	lock := filepath.Join(data, "indicators", "journal.lock")
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	check(exitFailed, "overrides whose time is over still stand: ")
}
