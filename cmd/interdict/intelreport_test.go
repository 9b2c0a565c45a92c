package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// TestIntelReportFound: what was found of a report is told once, by priority, also when
// no feed has it any more; nothing found is said, and so is a store that is not asked.
func TestIntelReportFound(t *testing.T) {
	dsn, st := engine(t)
	const at = schema.Millis(1_795_300_000_000)
	var alerts, incidents, members persist.Input
	alerts.Kind, incidents.Kind, members.Kind = persist.KindAlerts, persist.KindIncidents, persist.KindMembers
	var numbers []string
	for n, priority := range []uint8{20, 83} {
		a := &schema.Alert{ID: schema.NewAlertID("acme", "ids", fmt.Sprint(n)), Tenant: "acme", Source: "ids", VendorID: fmt.Sprint(n), Title: "beacon",
			Severity: schema.SeverityHigh, Created: at - schema.Millis(n), Ingested: at, Entities: []schema.Entity{
				{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.7"},
				{Type: schema.EntityHost, Role: schema.RoleTarget, Key: fmt.Sprintf("web-%d.acme.example", n)}},
			Matches: []schema.Match{{Type: schema.ObservableIP, Value: "203.0.113.7", Indicator: "indicator--1", Feed: "gone", Verdict: schema.VerdictMalicious,
				Threats: []schema.Threat{{Kind: schema.ThreatReport, ID: "report--9", Name: "Winter storm"}}}}}
		i := &schema.Incident{ID: schema.NewIncidentID("acme", a.ID), Tenant: "acme", Title: "Beacon", Disposition: schema.Promoted, Severity: schema.SeverityHigh,
			Priority: priority, Founder: a.ID, First: a.Created, Last: a.Created, Alerts: 1, Version: 1}
		m := &schema.Member{Tenant: "acme", Alert: a.ID, Incident: i.ID, Reason: schema.ReasonFounder, Source: "ids", Created: a.Created, Version: 1}
		numbers = append(numbers, i.ID.Number())
		alerts.Records = append(alerts.Records, persist.Record{Offset: int64(n), Time: at, Value: schema.AppendAlertEntry(nil, a)})
		incidents.Records = append(incidents.Records, persist.Record{Offset: int64(n), Time: at, Value: i.AppendWire(nil)})
		members.Records = append(members.Records, persist.Record{Offset: int64(n), Time: at, Value: m.AppendWire(nil)})
	}
	for n, in := range []persist.Input{alerts, incidents, members} {
		in.Topic, in.Token, in.Hi = fmt.Sprintf("topic-%d", n), fmt.Sprintf("t/%d/0-1", n), 1
		if _, err := persist.New(st, persist.DefaultConfig()).Insert(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	config, apart := filepath.Join(dir, "interdict.yaml"), filepath.Join(dir, "apart.yaml")
	for path, more := range map[string]string{config: "clickhouse: {dsn: '" + dsn + "'}\n", apart: ""} {
		text := "embedded: true\ndata_dir: " + filepath.Join(dir, "data") + "\nsources:\n- {id: ids, tenant: acme, topic: acme.ids}\n" + more
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(code int, args ...string) string {
		t.Helper()
		r := do(t, "", append([]string{"intel"}, args...)...)
		if r.code != code {
			t.Errorf("%v: exit %d, want %d: %s%s", args, r.code, code, r.out, r.err)
		}
		return r.out + r.err
	}
	has := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			at := strings.Index(text, w)
			if at < 0 {
				t.Fatalf("no %q, or not in its place, in\n%s", w, text)
			}
			text = text[at+len(w):]
		}
	}
	ask(exitDone, "import", "-q", "-c", config, "testdata/intel/feeds/bundle.json")

	// No feed has it, the store knows it: by any spelling and by a part of the name.
	for _, name := range []string{"report--9", "winter STORM", "storm"} {
		has(ask(exitDone, "report", "-c", config, name), "report Winter storm\n", "none has it any more; its indicators matched as those of gone",
			"found: 2 alerts (0 of them afterwards), 2 incidents, 2 hosts", "at tenant acme\n",
			"  incident     "+numbers[1]+"  83  high", "  incident     "+numbers[0]+"  20  high", "impacted     host:web-0.acme.example, 1 alerts")
	}
	has(ask(exitDone, "report", "-c", config, "--limit", "1", "storm"), "incident     "+numbers[1], "and 1 more (--limit)")
	has(ask(exitDone, "report", "-c", config), "Loaders of the winter", "Winter storm", "feed (no more)")
	has(ask(exitUsage, "report", "-c", config, "winter"), `"winter" is a part of 2 names`, "Loaders of the winter", "Winter storm")
	has(ask(exitDone, "report", "-c", config, "--json", "storm"), `{"known":null,"found":{"kind":"report","id":"report--9"`)

	// A feed has it, nothing was found.
	has(ask(exitDone, "report", "-c", config, "loaders"), "report Loaders of the winter\n", "found: 0 alerts, 0 incidents at tenant acme\n")
	has(ask(exitDone, "report", "-c", config, "badloader"), "found: alerts and incidents are told of reports and campaigns, not of malware\n")
	has(ask(exitUsage, "report", "-c", config, "--tenant", "acne", "storm"), `no source or feed is of tenant "acne" (near it: acme)`)
	has(ask(exitDone, "report", "-c", apart, "loaders"), "clickhouse.dsn is not set")
	ask(exitFailed, "report", "-c", apart, "storm")
}
