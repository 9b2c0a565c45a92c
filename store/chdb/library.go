package chdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// LibraryVersion is the version of the engine library this package is built
// against. fetch-lib.sh pins the same version and its checksum; a test compares
// the two.
const LibraryVersion = "26.7.3-stable.1"

// LibraryEnv is the environment variable that may name the library file.
const LibraryEnv = "CHDB_LIB_PATH"

const libraryFile = "libchdb.so"

// ErrNoLibrary is wrapped by the error of Locate when no library is found.
var ErrNoLibrary = errors.New("embedded ClickHouse library not found")

// Locate returns the path of the engine library. It looks at flag (a path given
// by the user, may be empty), then the variable CHDB_LIB_PATH, the cache folder
// that fetch-lib.sh fills, and the folder of the running binary. A path that
// was named explicitly must exist: it is never silently replaced by the next
// place. The error is one line that says how to get the library or do without.
func Locate(flag string) (string, error) {
	for _, named := range []struct{ from, path string }{{"the library option", flag}, {LibraryEnv, os.Getenv(LibraryEnv)}} {
		if named.path == "" {
			continue
		}
		if !isFile(named.path) {
			return "", fmt.Errorf("%w: %s names %s, which is not a file; run `make clickhouse-lib`, or set a ClickHouse DSN (clickhouse.dsn)",
				ErrNoLibrary, named.from, named.path)
		}
		return filepath.Abs(named.path)
	}
	var places []string
	if dir, err := CacheDir(); err == nil {
		places = append(places, filepath.Join(dir, libraryFile))
	}
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), libraryFile))
	}
	for _, p := range places {
		if isFile(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%w (looked at %v); run `make clickhouse-lib`, or set a ClickHouse DSN (clickhouse.dsn)", ErrNoLibrary, places)
}

// CacheDir returns the folder that fetch-lib.sh puts the pinned library into:
// interdict/chdb/VERSION under XDG_CACHE_HOME, or under ~/.cache without it.
func CacheDir() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache folder: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "interdict", "chdb", LibraryVersion), nil
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}
