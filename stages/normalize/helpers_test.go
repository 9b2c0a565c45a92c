package normalize

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/schema"
)

// The stage starts no goroutines; nor may its decompressors.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newNormalizer(t testing.TB, change func(*Config)) *Normalizer {
	t.Helper()
	cfg := Default()
	if change != nil {
		change(&cfg)
	}
	f := builtinFormats(t)
	if cfg.Format != "" {
		var err error
		if f, err = Load(cfg); err != nil {
			t.Fatal(err)
		}
	}
	n, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testSource() *schema.Source {
	return &schema.Source{ID: "s1", Tenant: "acme", Attests: []string{"host", "ip"}}
}

// run gives one record to n and checks what must hold whatever it was.
func run(t testing.TB, n *Normalizer, src *schema.Source, at schema.Millis, records ...[]byte) *schema.Batch {
	t.Helper()
	b := &schema.Batch{}
	for i, r := range records {
		b.Raw = append(b.Raw, schema.Raw{Source: src, Value: r, Time: at, Received: CaseTime, Topic: "raw", Offset: int64(i)})
	}
	if err := n.Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if err := checkBatch(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// checkBatch reports documents that are not accounted for exactly once, and
// alerts that break their own rules.
func checkBatch(b *schema.Batch) error {
	type place struct{ raw, doc int32 }
	seen := map[place]bool{}
	most := make([]int32, len(b.Raw))
	note := func(raw, doc int32) error {
		p := place{raw, doc}
		if seen[p] {
			return fmt.Errorf("record %d document %d counted twice", raw, doc)
		}
		seen[p] = true
		most[raw] = max(most[raw], doc+1)
		return nil
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		if err := note(int32(a.RawRef.Offset), a.RawRef.Doc); err != nil {
			return err
		}
		if a.ID.IsZero() || a.VendorID == "" || a.Created <= 0 || a.Ingested <= 0 || a.Start <= 0 || a.End < a.Start || len(a.Raw) == 0 || a.Vendor == "" && a.Format != "ocsf" {
			return fmt.Errorf("incomplete alert: %+v", *a)
		}
		refs := map[schema.EntityRef]bool{}
		for _, e := range a.Entities {
			if e.Key == "" || refs[e.Ref()] {
				return fmt.Errorf("entity twice or empty: %+v", e)
			}
			refs[e.Ref()] = true
		}
	}
	for _, r := range b.Rejects {
		if r.Reason == schema.ReasonNone || r.Reason == schema.ReasonNotAnAlert || len(r.Detail) > 128 {
			return fmt.Errorf("bad reject: %v %q", r.Reason, r.Detail)
		}
		if len(r.Bytes) == 0 && r.Reason != schema.ReasonEmpty {
			return fmt.Errorf("reject without bytes: %v %q", r.Reason, r.Detail)
		}
		if err := note(r.Raw, r.Doc); err != nil {
			return err
		}
	}
	for _, d := range b.Drops {
		if d.Reason != schema.ReasonNotAnAlert {
			return fmt.Errorf("bad drop: %v", d.Reason)
		}
		if err := note(d.Raw, d.Doc); err != nil {
			return err
		}
	}
	total := 0
	for i, n := range most {
		if n == 0 {
			return fmt.Errorf("record %d left no trace", i)
		}
		total += int(n)
	}
	if total != len(seen) {
		return fmt.Errorf("documents are not numbered without gaps: %d of %d", len(seen), total)
	}
	return nil
}

// builtinFormats compiles the formats once for all tests of a run.
func builtinFormats(t testing.TB) *Formats {
	t.Helper()
	f, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var compiled = sync.OnceValues(func() (*Formats, error) { return Load(Default()) })

// cases lists the samples of all formats.
func cases(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("formats", "*", "cases", "*"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return filepath.Ext(f) == goldenExt || filepath.Ext(f) == ".csv" })
	if len(files) < 10 {
		t.Fatalf("only %d cases", len(files))
	}
	return files
}

// dataDir is where third-party data is kept beside the repository.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no third-party data: %v", err)
		}
		t.Skipf("SKIPPED, THE FORMATS ARE NOT CHECKED AGAINST FOREIGN DATA: %v", err)
	}
	return dir
}
