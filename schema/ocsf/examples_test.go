package ocsf

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sharedData is the data directory beside the repository.
const sharedData = "../../../shared/data"

// TestVendorExamples feeds published OCSF events of several vendors, written
// for older versions, to the validator. What they get wrong is logged, not
// fixed here; what must hold is that each is read to its end and that its
// version is told.
func TestVendorExamples(t *testing.T) {
	if _, err := os.Stat(sharedData); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("vendor examples are missing: %v", err)
		}
		t.Skipf("SKIPPED: vendor examples are NOT checked, %s is missing: %v", sharedData, err)
	}
	files, err := filepath.Glob(filepath.Join(sharedData, "vendors", "*", "ocsf-examples", "*.ocsf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no example found below %s (%v)", sharedData, err)
	}
	v := newValidator(t)
	perClass := map[int64]int{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range exampleEvents(b) {
			var head struct {
				Class    int64 `json:"class_uid"`
				Metadata struct {
					Version string `json:"version"`
				} `json:"metadata"`
			}
			problems := v.Validate(event)
			if json.Unmarshal(event, &head) != nil || v.table.classes[head.Class] == nil || head.Metadata.Version < "1.1" {
				continue
			}
			perClass[head.Class]++
			kinds := map[Kind][]string{}
			for _, p := range problems {
				kinds[p.Kind] = append(kinds[p.Kind], p.Path)
			}
			if len(kinds[KindSyntax])+len(kinds[KindDepth])+len(kinds[KindClass])+len(kinds[KindTruncated]) > 0 {
				t.Errorf("%s: not read to the end: %v", file, problems)
			}
			if len(kinds[KindVersion]) != 1 {
				t.Errorf("%s: version %s is not told once", file, head.Metadata.Version)
			}
			t.Logf("%s: class %d, version %s", filepath.Base(file), head.Class, head.Metadata.Version)
			for _, k := range slices.Sorted(maps.Keys(kinds)) {
				t.Logf("  %2d %-10v %q", len(kinds[k]), k, kinds[k])
			}
		}
	}
	if perClass[int64(ClassDetectionFinding)] == 0 {
		t.Error("no detection finding among the examples")
	}
	t.Logf("events per class: %v", perClass)
}

// exampleEvents returns the events of a file: one, or an array of them. A file
// that is no JSON is one event, which Validate then refuses.
func exampleEvents(b []byte) [][]byte {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		return [][]byte{b}
	}
	var out [][]byte
	for _, e := range list {
		out = append(out, e)
	}
	return out
}
