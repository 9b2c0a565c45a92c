package normalize

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	n, err := New(cfg)
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
		b.Raw = append(b.Raw, schema.Raw{Source: src, Value: r, Time: at, Topic: "raw", Offset: int64(i)})
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

// dump renders what a batch holds, for golden files.
func dump(b *schema.Batch) string {
	var w strings.Builder
	for i := range b.Alerts {
		dumpAlert(&w, &b.Alerts[i])
	}
	for _, r := range b.Rejects {
		fmt.Fprintf(&w, "reject %d.%d %v: %s\n  %.120q\n", r.Raw, r.Doc, r.Reason, r.Detail, r.Bytes)
	}
	for _, d := range b.Drops {
		fmt.Fprintf(&w, "drop %d.%d %v: %s\n", d.Raw, d.Doc, d.Reason, d.Detail)
	}
	return w.String()
}

func dumpAlert(w *strings.Builder, a *schema.Alert) {
	fmt.Fprintf(w, "alert %d %s %s\n", a.RawRef.Doc, a.Format, a.ID)
	line := func(name, value string) {
		if value != "" && value != "unknown" && value != "-" {
			fmt.Fprintf(w, "  %-10s %s\n", name, strings.ReplaceAll(value, "\n", `\n`))
		}
	}
	line("vendor id", a.VendorID)
	line("product", a.Vendor+" / "+a.Product)
	line("title", a.Title)
	line("desc", a.Desc)
	line("rule", strings.Trim(a.RuleUID+" | "+a.Rule, " |"))
	line("type", a.Type)
	line("severity", a.Severity.String())
	if a.Confidence > 0 {
		line("confidence", fmt.Sprint(a.Confidence))
	}
	line("verdict", a.Verdict.String())
	if a.Status != 0 {
		line("status", [...]string{"", "new", "in_progress", "suppressed", "resolved"}[a.Status])
	}
	if a.Blocked {
		line("blocked", "yes")
	}
	line("activity", a.Start.String()+" to "+a.End.String())
	line("created", a.Created.String())
	line("updated", a.Updated.String())
	line("ingested", a.Ingested.String())
	for _, t := range a.Techniques {
		line("technique", strings.TrimSpace(t.ID+" "+t.Tactic))
	}
	for _, e := range a.Entities {
		s := fmt.Sprintf("%s %s %q", e.Type, e.Role, e.Key)
		if e.UID != "" {
			s += fmt.Sprintf(" uid=%q", e.UID)
		}
		if e.Name != "" {
			s += fmt.Sprintf(" name=%q", e.Name)
		}
		if e.Attested {
			s += " attested"
		}
		line("entity", s)
	}
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
