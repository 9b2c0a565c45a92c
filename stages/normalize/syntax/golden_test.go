package syntax

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden reads the messages of testdata/*.in: lines that begin with "## "
// are the paths that are wanted, the rest is a record that Lines splits.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.in")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".in"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for bytes.HasPrefix(data, []byte("## ")) {
				var line []byte
				line, data, _ = bytes.Cut(data, []byte("\n"))
				paths = append(paths, strings.Split(string(line[3:]), ", ")...)
			}
			g := newRig(t, testLimits, paths...)
			var out strings.Builder
			Lines(data, func(line []byte, offset int) bool {
				if !bytes.HasPrefix(data[offset:], line) {
					t.Errorf("offset %d is not that of %q", offset, line)
				}
				f := g.read(string(line))
				fmt.Fprintf(&out, "%s\n%s", line, g.dump(f))
				return true
			})
			golden := strings.TrimSuffix(file, ".in") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
			}
		})
	}
}
