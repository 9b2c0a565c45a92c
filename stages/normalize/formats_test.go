package normalize

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write golden files")

// folders lists the built-in formats' folders.
func folders(t testing.TB) (all []string) {
	t.Helper()
	entries, err := os.ReadDir("formats")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	if len(all) < 5 {
		t.Fatalf("only %d formats", len(all))
	}
	return all
}

// TestFormats runs the cases of each format: what comes of them is in their
// golden files, and no other format takes a document of theirs.
func TestFormats(t *testing.T) {
	f := builtinFormats(t)
	for _, name := range folders(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("formats", name)
			src, ok := f.Find(name)
			if !ok {
				t.Fatalf("%s defines another format", dir)
			}
			if page, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || len(page) < 200 {
				t.Errorf("no page about the format: %v", err)
			}
			cases, err := f.RunCases(t.Context(), dir, src.Name, *update)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				if len(c.Foreign) > 0 {
					t.Errorf("%s: taken for %v", c.File, c.Foreign)
				}
				if c.Got != c.Want {
					t.Errorf("%s: got\n%s\nwant\n%s", c.File, c.Got, c.Want)
				}
			}
		})
	}
}
