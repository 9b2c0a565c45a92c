package normalize

import (
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Dump renders what a batch holds, for people and golden files.
func Dump(b *schema.Batch) string {
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
	line("status", a.Status.String())
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
		if e.Port != 0 {
			s += fmt.Sprintf(" port=%d", e.Port)
		}
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
