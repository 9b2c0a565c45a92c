package normalize

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// tally is what became of the documents of a folder.
type tally struct {
	accepted, ignored int
	rejected          map[schema.Reason]int
	formats           map[string]int // of accepted and ignored
}

func (c *tally) count(b *schema.Batch) {
	if c.rejected == nil {
		c.rejected, c.formats = map[schema.Reason]int{}, map[string]int{}
	}
	c.accepted += len(b.Alerts)
	c.ignored += len(b.Drops)
	for i := range b.Alerts {
		c.formats[b.Alerts[i].Format]++
	}
	for _, d := range b.Drops {
		c.formats[d.Detail]++
	}
	for _, r := range b.Rejects {
		c.rejected[r.Reason]++
	}
}

// TestCPTC reads 36,657 alerts of a contest: each is accepted.
func TestCPTC(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "labelled", "cptc-2017-suricata", "*.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	n := newNormalizer(t, nil)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := run(t, n, testSource(), 0, raw)
		lines := 0
		for i := range b.Alerts {
			lines++
			if a := &b.Alerts[i]; a.Format != "suricata_eve" || a.Severity == 0 || a.RuleUID == "" || len(a.Entities) == 0 {
				t.Fatalf("%s: poor alert %+v", file, a)
			}
		}
		if len(b.Rejects)+len(b.Drops) > 0 || lines == 0 {
			t.Errorf("%s: %d accepted, %d rejected, %d dropped", filepath.Base(file), lines, len(b.Rejects), len(b.Drops))
		}
		t.Logf("%-32s %6d accepted", filepath.Base(file), lines)
	}
}

// owns reports whether a vendor file may hold records of the format.
func owns(format, file string) bool {
	switch format {
	case "aws_guardduty":
		return strings.Contains(file, "AWS.GuardDuty")
	case "microsoft_graph_alerts_v2":
		return strings.Contains(file, "MicrosoftGraph.SecurityAlertV2")
	case "okta_system_log":
		return strings.Contains(file, "Okta.SystemLog") || strings.Contains(file, "okta/ocsf-examples")
	case "ocsf":
		return strings.Contains(file, "ocsf-examples") || strings.Contains(file, "OCSF.")
	}
	return false
}

// TestVendors reads every vendor file: nothing crashes, all is accounted for,
// and no format claims another vendor's record.
func TestVendors(t *testing.T) {
	dir := dataDir(t)
	folders := map[string]*tally{}
	n := newNormalizer(t, nil)
	err := filepath.WalkDir(filepath.Join(dir, "vendors"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		parts := strings.Split(filepath.ToSlash(rel), "/")
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		src := testSource()
		if strings.HasSuffix(path, ".csv") {
			src.Formats = []string{"csv"}
		}
		if parts[2] == "panther" {
			raw = unwrap(t, raw)
		}
		b := run(t, n, src, 0, raw)
		folder := strings.Join(parts[:3], "/")
		if folders[folder] == nil {
			folders[folder] = &tally{}
		}
		folders[folder].count(b)
		ofFile := &tally{}
		ofFile.count(b)
		for format := range ofFile.formats {
			if !owns(format, filepath.ToSlash(rel)) {
				t.Errorf("%s: taken for %s", rel, format)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(folders))
	for f := range folders {
		names = append(names, f)
	}
	sort.Strings(names)
	for _, f := range names {
		c := folders[f]
		if c.accepted+c.ignored > 0 || testing.Verbose() {
			t.Logf("%-50s accepted %5d ignored %5d rejected %v", f, c.accepted, c.ignored, c.rejected)
		}
	}
	for folder, want := range map[string]int{"vendors/aws_guardduty/panther": 6, "vendors/microsoft_graph/panther": 4} {
		if c := folders[folder]; c == nil || c.accepted != want {
			t.Errorf("%s: want %d accepted, have %+v", folder, want, c)
		}
	}
}

// unwrap takes the native events out of Panther's test lines.
func unwrap(t *testing.T, lines []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		var test struct {
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(line, &test); err != nil {
			t.Fatal(err)
		}
		out.Write(test.Event)
		out.WriteByte('\n')
	}
	return out.Bytes()
}
