package draft

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/schema/ocsf"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/syntax"
)

var update = flag.Bool("update", false, "write golden files")

func documents(data []byte) (all [][]byte) {
	syntax.Lines(data, func(line []byte, _ int) bool {
		all = append(all, bytes.Clone(line))
		return true
	})
	return all
}

// use normalizes records with a draft as the only format that is allowed.
func use(t *testing.T, name string, draft []byte, records [][]byte) *schema.Batch {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), draft, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := normalize.Default()
	cfg.FormatsDir, cfg.Format = dir, name
	f, err := normalize.Load(cfg)
	if err != nil {
		t.Fatalf("the draft does not compile: %v\n%s", err, draft)
	}
	n, err := normalize.New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	b := &schema.Batch{}
	for _, r := range records {
		b.Raw = append(b.Raw, schema.Raw{Source: &schema.Source{ID: "s", Tenant: "acme"}, Value: r, Time: normalize.CaseTime, Topic: "raw"})
	}
	if err := n.Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDrafts drafts each sample set; the draft must compile, take every one of
// its samples, and make valid OCSF of them. What it makes of them is in the
// golden file, below the draft.
func TestDrafts(t *testing.T) {
	valid, err := ocsf.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		ran++
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := NewSample()
			records := documents(data)
			for _, r := range records {
				if err := s.Add(r); err != nil {
					t.Fatalf("%s: %v", r, err)
				}
			}
			draft := s.Draft(name)
			b := use(t, name, draft, records)
			if len(b.Rejects) > 0 || len(b.Alerts) == 0 {
				t.Errorf("%d alerts, rejects %+v\n%s", len(b.Alerts), b.Rejects, draft)
			}
			for i := range b.Alerts {
				for _, p := range valid.Validate(schema.AppendOCSFAlert(nil, &b.Alerts[i])) {
					t.Errorf("alert %d is not valid OCSF: %v", i, p)
				}
			}
			got := string(draft) + "----\n" + normalize.Dump(b)
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
	if ran < 5 {
		t.Errorf("only %d sample sets", ran)
	}
}
