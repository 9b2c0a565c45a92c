package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNormalizeOfACutFile: what can be read of a file is written, and the fault
// is told.
func TestNormalizeOfACutFile(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(strings.Repeat(eve+"\n", 3))); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil { // and no end
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cut.ndjson.gz")
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r := do(t, "", "normalize", file)
	if n := strings.Count(r.out, "\n"); n != 3 || r.code != exitFailed || !strings.Contains(r.err, "unexpected EOF") {
		t.Errorf("code %d, %d lines, standard error %s", r.code, n, r.err)
	}
}
