package chdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interdict/interdict/store/chdb"
)

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	file := func(elem ...string) string {
		path := filepath.Join(append([]string{dir}, elem...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv(chdb.LibraryEnv, "")
	found := func(flag, want string) {
		t.Helper()
		got, err := chdb.Locate(flag)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "library", got, want)
	}
	missing := func(flag, part string) {
		t.Helper()
		_, err := chdb.Locate(flag)
		if !errors.Is(err, chdb.ErrNoLibrary) {
			t.Fatalf("got %v", err)
		}
		for _, p := range []string{part, "make clickhouse-lib", "clickhouse.dsn"} {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("the error does not say %q: %v", p, err)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
	}
	missing("", filepath.Join(dir, "cache"))
	cached := file("cache", "interdict", "chdb", chdb.LibraryVersion, "libchdb.so")
	found("", cached)
	env, flag := file("env.so"), file("flag.so")
	t.Setenv(chdb.LibraryEnv, env)
	found("", env)
	found(flag, flag)
	missing(filepath.Join(dir, "absent"), "absent") // never the next place instead
	t.Setenv(chdb.LibraryEnv, dir)
	missing("", chdb.LibraryEnv) // a folder is no library
}

// TestFetchScriptPinsTheSameVersion keeps the script and the package together.
func TestFetchScriptPinsTheSameVersion(t *testing.T) {
	script, err := os.ReadFile("fetch-lib.sh")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^version=(\S+)$`).FindSubmatch(script)
	if m == nil {
		t.Fatal("the script names no version")
	}
	equal(t, "version", string(m[1]), chdb.LibraryVersion)
}
