package schema_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file of testdata/golden, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// undump reads what hex.Dump wrote.
func undump(t *testing.T, dump []byte) []byte {
	t.Helper()
	var b []byte
	for line := range strings.Lines(string(dump)) {
		if len(line) < 60 {
			t.Fatalf("not a dump: %q", line)
		}
		digits, err := hex.DecodeString(strings.ReplaceAll(line[10:58], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, digits...)
	}
	return b
}

// TestWireGolden holds the wire form still: a change of these files is a change
// of what is stored on topics. What was written before must stay readable.
func TestWireGolden(t *testing.T) {
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			name := filepath.Join("wire", strings.ToLower(n.name)+".hex")
			golden(t, name, []byte(hex.Dump(n.sample.AppendWire(nil))))
			stored, err := os.ReadFile(filepath.Join("testdata", "golden", name))
			if err != nil {
				t.Fatal(err)
			}
			if got := decoded(t, n, undump(t, stored)); !reflect.DeepEqual(got, n.sample) {
				t.Errorf("stored bytes read as %+v\nwant %+v", got, n.sample)
			}
		})
	}
}
