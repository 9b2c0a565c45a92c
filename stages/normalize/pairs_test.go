package normalize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// event is what of a Detection Finding is compared.
type event struct {
	ClassUID   int   `json:"class_uid"`
	TypeUID    int   `json:"type_uid"`
	SeverityID int   `json:"severity_id"`
	Time       int64 `json:"time"`
	Finding    struct {
		UID     string   `json:"uid"`
		Title   string   `json:"title"`
		Desc    string   `json:"desc"`
		Types   []string `json:"types"`
		Product string   `json:"product_uid"`
	} `json:"finding_info"`
	Metadata struct {
		Product struct {
			Vendor string `json:"vendor_name"`
		} `json:"product"`
	} `json:"metadata"`
	Observables []struct {
		TypeID int    `json:"type_id"`
		Value  string `json:"value"`
	} `json:"observables"`
}

// TestPairs compares what becomes of raw records with the Detection Findings that
// the OCSF project's own mappers made of them. docs/adding-a-format.md says where
// ours differ on purpose: more observables, and times in milliseconds of the
// vendor's creation.
func TestPairs(t *testing.T) {
	dir := filepath.Join(dataDir(t), "vendors")
	files, err := filepath.Glob(filepath.Join(dir, "*", "ocsf-examples", "*.raw"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d raw files: %v", len(files), err)
	}
	pairs := 0
	for _, file := range files {
		text, err := os.ReadFile(strings.TrimSuffix(file, ".raw") + ".ocsf")
		var want event
		if err != nil || json.Unmarshal(text, &want) != nil || want.ClassUID != 2004 {
			continue
		}
		pairs++
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := run(t, newNormalizer(t, nil), testSource(), 0, raw)
		if len(b.Alerts) != 1 {
			t.Errorf("%s: %d alerts", file, len(b.Alerts))
			continue
		}
		var got event
		if err := json.Unmarshal(schema.AppendOCSFAlert(nil, &b.Alerts[0]), &got); err != nil {
			t.Fatal(err)
		}
		if got.ClassUID != want.ClassUID || got.TypeUID != want.TypeUID || got.SeverityID != want.SeverityID || got.Finding.UID != want.Finding.UID ||
			got.Finding.Title != want.Finding.Title || got.Finding.Desc != want.Finding.Desc || !slices.Equal(got.Finding.Types, want.Finding.Types) ||
			got.Metadata.Product.Vendor != want.Metadata.Product.Vendor || got.Time/1000 != want.Time/1000 {
			t.Errorf("%s:\ngot  %+v\nwant %+v", filepath.Base(file), got, want)
		}
		for _, o := range want.Observables {
			// A resource is named with its kind before it there.
			bare := o.Value[strings.LastIndexByte(o.Value, ':')+1:]
			if !slices.ContainsFunc(got.Observables, func(g struct {
				TypeID int    `json:"type_id"`
				Value  string `json:"value"`
			}) bool {
				return g.TypeID == o.TypeID && (g.Value == o.Value || g.Value == bare)
			}) {
				t.Errorf("%s: no observable %+v in %+v", filepath.Base(file), o, got.Observables)
			}
		}
	}
	if pairs == 0 {
		t.Error("no pairs of class 2004")
	}
	t.Logf("%d pairs", pairs)
}
