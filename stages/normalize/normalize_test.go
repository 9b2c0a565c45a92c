package normalize

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

var update = flag.Bool("update", false, "write golden files")

// cases lists the golden inputs: testdata/FORMAT/CASE.json, .ndjson, .csv.
func cases(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range all {
		if ext := filepath.Ext(f); ext == ".json" || ext == ".ndjson" || ext == ".csv" {
			files = append(files, f)
		}
	}
	if len(files) < 10 {
		t.Fatalf("only %d cases", len(files))
	}
	return files
}

// ingested is the time at which the golden records reach Kafka, a minute after
// the youngest of them.
const ingested schema.Millis = 1772484066721

func TestGolden(t *testing.T) {
	n := newNormalizer(t, nil)
	for _, file := range cases(t) {
		t.Run(file, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			src := testSource()
			if filepath.Ext(file) == ".csv" {
				src.Formats = []string{"csv"}
			}
			got := dump(run(t, n, src, ingested, raw))
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
