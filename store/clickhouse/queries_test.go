package clickhouse_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tenants have the same story: the same vendor ids, addresses, hosts and users.
var tenants = []string{"acme", "globex", "initech"}

// tellAll tells the story of every tenant over the same topics.
func tellAll(t testing.TB, s *clickhouse.Store) map[string]*story {
	t.Helper()
	x := newTopics(t, s)
	stories := map[string]*story{}
	for _, tenant := range tenants {
		st := newStory(tenant)
		st.tell(x)
		stories[tenant] = st
		err := s.WriteSources(t.Context(), noon, []schema.Source{
			{ID: "edr-1", Tenant: tenant, Topic: "raw-edr-1", Formats: []string{"defender"}, Attests: []string{"host"}, Silence: schema.Hour},
			{ID: "vpn-1", Tenant: tenant, Topic: "raw-vpn-1", Silence: schema.Hour}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return stories
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", file, got)
	}
}

func render(table *clickhouse.Table) string {
	var b strings.Builder
	for i, row := range table.Rows {
		fmt.Fprintf(&b, "row %d\n", i+1)
		for j, v := range row {
			fmt.Fprintf(&b, "  %s: %s\n", table.Columns[j], v)
		}
	}
	if len(table.Rows) == 0 {
		return "no rows\n"
	}
	return b.String()
}

// TestQueries compares the answers of docs/queries, and of the views, for the
// first of three tenants with the same story. Rows of another tenant would show.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := tellAll(t, s)["acme"]
	files, err := filepath.Glob("../../docs/queries/*.sql")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d queries, %v", len(files), err)
	}
	values := map[string]string{"tenant": "acme", "incident": st.merged.ID.String(), "host": "ws-7", "type": "ip", "value": "203.0.113.9",
		"at": "2026-11-22 12:00:00.000", "since": "2026-11-21 12:00:00.000", "report": "Winter storm"}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			sql, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(sql), "-- ") || !strings.Contains(string(sql), "-- Parameters: tenant") {
				t.Error("want a header that asks the question and lists the parameters")
			}
			table, err := s.Query(t.Context(), string(sql), values)
			if err != nil {
				t.Fatal(err)
			}
			if len(table.Rows) == 0 {
				t.Error("no rows: the story does not cover the question")
			}
			golden(t, "queries/"+name+".golden", render(table))
		})
	}
	for view, order := range map[string]string{"v_alerts": "created, alert_id", "v_queue": "incident_id", "v_incident": "asked_id",
		"v_incident_timeline": "incident_id, time, what, object", "v_entity_timeline": "entity_type, key, time, alert_id, as_key",
		"v_actions_pending": "action_id", "v_source_health": "source", "v_completeness": "tenant",
		"v_threat_matches": "alert_id, kind, feed", "v_threat_reports": "kind, report", "v_intel_feeds": "feed"} {
		t.Run(view, func(t *testing.T) {
			columns := "*"
			if view == "v_source_health" {
				columns = "* EXCEPT state" // depends on the day
			}
			table, err := s.Query(t.Context(), "SELECT "+columns+" FROM "+view+" WHERE tenant = {tenant:String} ORDER BY "+order, values)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "views/"+view+".golden", render(table))
		})
	}
}

// TestTenantsAreApart reads as every tenant: what comes back must be its own
// story, whole, and nothing of the others.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := open(t)
	stories := tellAll(t, s)
	for _, tenant := range tenants {
		st := stories[tenant]
		same(t, "incidents", must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: tenant, Merged: true}))(t),
			[]*schema.Incident{st.incident, st.closed, st.background, st.merged})
		x := must(s.Explain(t.Context(), tenant, st.incident.ID.String()))(t)
		same(t, "members", x.Members, st.members[:3])
		same(t, "decisions", len(x.Decisions), 2)
		for _, other := range tenants {
			if other == tenant {
				continue
			}
			if _, err := s.Incident(t.Context(), tenant, stories[other].incident.ID.String()); err == nil {
				t.Errorf("%s reads an incident of %s", tenant, other)
			}
			for what, n := range map[string]int{
				"members": len(must(s.Members(t.Context(), tenant, stories[other].incident.ID))(t)),
				"paths":   len(must(s.Paths(t.Context(), tenant, stories[other].incident.ID))(t)),
				"alerts":  len(must(s.Alerts(t.Context(), tenant, stories[other].incident.ID))(t)),
				"events":  len(must(s.Timeline(t.Context(), tenant, stories[other].incident.ID))(t)),
			} {
				equal(t, tenant+" reads of "+other+" "+what, n, 0)
			}
		}
	}
	// Each view gives each tenant as many rows as the others: a join that mixes
	// tenants multiplies them, and one that mistakes them gives none.
	for _, view := range []string{"v_alerts", "v_queue", "v_incident", "v_incident_redirects", "v_incident_timeline", "v_entity_timeline", "v_actions_pending", "v_leases_active",
		"v_source_health", "v_completeness", "v_threat_matches", "v_threat_reports", "v_intel_feeds", "v_incidents_withdrawn"} {
		alone := value(t, s, "SELECT toString(groupUniqArray(n)) FROM (SELECT tenant, count() AS n FROM "+view+" GROUP BY tenant)")
		if strings.Contains(alone, ",") {
			t.Errorf("%s: tenants differ in rows: %s", view, alone)
		}
	}
}

func TestEraseTenant(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: rewrites every table, not in -short")
	}
	t.Parallel()
	s := open(t)
	stories := tellAll(t, s)
	counts := func(tenant string) string {
		t.Helper()
		var b strings.Builder
		for table := range clickhouse.WrittenColumns() {
			if table == "completeness" { // of topics, not of tenants
				continue
			}
			if n := value(t, s, "SELECT count() FROM "+table+" FINAL WHERE tenant = '"+tenant+"'"); n == "0" {
				b.WriteString(table + " ")
			}
		}
		return b.String()
	}
	equal(t, "tables without rows before", counts("globex"), "")
	if err := s.EraseTenant(t.Context(), "globex"); err != nil {
		t.Fatal(err)
	}
	equal(t, "tables with rows after", len(strings.Fields(counts("globex"))), len(clickhouse.WrittenColumns())-1)
	for _, tenant := range []string{"acme", "initech"} {
		equal(t, "tables without rows of "+tenant, counts(tenant), "")
	}
	// The bytes are gone, not only hidden: no part holds the tenant, nor does a projection.
	equal(t, "alerts by time", value(t, s, "SELECT count() FROM (SELECT tenant, created FROM alerts WHERE tenant = 'globex' ORDER BY created)"), "0")
	equal(t, "hidden rows", value(t, s, "SELECT count() FROM system.parts WHERE database = currentDatabase() AND active AND has_lightweight_delete"), "0")
	same(t, "the others", must(s.Explain(t.Context(), "acme", stories["acme"].incident.ID.String()))(t).Incident, stories["acme"].incident)
	if err := s.EraseTenant(t.Context(), "globex"); err != nil {
		t.Fatal(err)
	}
}

// TestTombstones deletes what compacted topics hold.
func TestTombstones(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := newStory("acme")
	x := newTopics(t, s)
	st.tell(x)
	for kind, object := range map[persist.Kind][]byte{persist.KindIncidents: st.incident.ID[:], persist.KindMembers: st.mail.ID[:],
		persist.KindPaths: st.path.ID[:], persist.KindLeases: st.lease.ID[:], persist.KindAssets: []byte("host:fs-1")} {
		in := x.input(kind, nil)
		in.Records[0].Key = append([]byte("acme\x00"), object...)
		x.insert(in)
	}
	equal(t, "incidents", len(must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: "acme"}))(t)), 2)
	equal(t, "members", len(must(s.Members(t.Context(), "acme", st.incident.ID))(t)), 2)
	equal(t, "paths", len(must(s.Paths(t.Context(), "acme", st.incident.ID))(t)), 0)
	equal(t, "leases", len(must(s.Leases(t.Context(), clickhouse.LeaseFilter{Tenant: "acme"}))(t)), 0)
	equal(t, "assets", value(t, s, "SELECT count() FROM assets FINAL"), "0")
}

// TestRedirectChains follows chains of up to ten merges, in the view and in the
// reader.
func TestRedirectChains(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	id := func(i int) schema.IncidentID { return schema.IncidentID{byte(i), 0xcc} }
	const n = 10
	for i := range n + 1 {
		head := &schema.Incident{ID: id(i), Tenant: "acme", Title: fmt.Sprint(i), Version: 1}
		x.put(persist.KindIncidents, head)
		if i < n {
			head.RedirectTo, head.Version = id(i+1), 2
			x.put(persist.KindIncidents, head)
		}
	}
	for i := range n + 1 {
		equal(t, "reader", must(s.Incident(t.Context(), "acme", id(i).String()))(t).Title, fmt.Sprint(n))
		got := value(t, s, fmt.Sprintf("SELECT toString((title, hops)) FROM v_incident WHERE tenant = 'acme' AND asked_id = '%s'", id(i)))
		equal(t, "view", got, fmt.Sprintf("('%d',%d)", n, n-i))
	}
	equal(t, "former ids", len(must(s.FormerIDs(t.Context(), "acme", id(n)))(t)), n)
	equal(t, "rows", value(t, s, "SELECT count() FROM v_incident"), fmt.Sprint(n+1))
	// A merge that is taken back: the newest version of the head decides.
	x.put(persist.KindIncidents, &schema.Incident{ID: id(5), Tenant: "acme", Title: "again", Version: 3})
	equal(t, "taken back", must(s.Incident(t.Context(), "acme", id(0).String()))(t).Title, "again")
	equal(t, "taken back, view", value(t, s, fmt.Sprintf("SELECT title FROM v_incident WHERE asked_id = '%s'", id(0))), "again")
}

func TestHealthAndCompleteness(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := tellAll(t, s)["acme"]
	c := must(s.Completeness(t.Context(), "acme"))(t)
	same(t, "completeness", c, clickhouse.Completeness{To: st.mail.Created, HeldBy: "mail-1 raw-mail-1/0", Heard: 4, Inactive: 1})
	x := newTopics(t, s)
	x.offsets[persist.KindAlerts], x.offsets[persist.KindLeases] = 1000, 1000 // ranges of their own
	x.watermarks(schema.Watermark{Tenant: "acme", Source: "new-1", Topic: "raw-new-1", Partition: 0, Partitions: 3, MaxCreated: noon, Now: noon})
	c = must(s.Completeness(t.Context(), "acme"))(t)
	equal(t, "unheard", c.Unheard, 2)
	equal(t, "not known while partitions are unheard", c.To, 0)
	// States are told by the server's clock.
	now := schema.FromTime(time.Now())
	var sources []schema.Source
	for name, last := range map[string]schema.Millis{"quiet-1": now - 2*schema.Hour, "fresh-1": now - schema.Minute} {
		x.watermarks(schema.Watermark{Tenant: "hooli", Source: name, Topic: "raw-" + name, Partitions: 1, MaxCreated: last, Now: last,
			Stats: schema.SourceStats{Records: 3, Accepted: 1, Rejected: 1, Ignored: 1}},
			schema.Watermark{Tenant: "hooli", Source: name, Topic: "raw-" + name, Partitions: 1, MaxCreated: last, Now: now}) // a heartbeat is no record
		sources = append(sources, schema.Source{ID: name, Tenant: "hooli", Topic: "raw-" + name, Silence: schema.Hour})
	}
	sources = append(sources, schema.Source{ID: "vpn-1", Tenant: "hooli", Topic: "raw-vpn-1", Silence: schema.Hour})
	if err := s.WriteSources(t.Context(), now, sources); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, h := range must(s.SourceHealth(t.Context(), "hooli"))(t) {
		states[h.Source] = h.State
		if h.State != "never heard" {
			same(t, "accounting of "+h.Source, h.Stats, schema.SourceStats{Records: 3, Accepted: 1, Rejected: 1, Ignored: 1})
		}
	}
	same(t, "states", states, map[string]string{"quiet-1": "silent", "fresh-1": "ok", "vpn-1": "never heard"})
	for i, until := range []schema.Millis{now - schema.Minute, now + schema.Hour} {
		x.put(persist.KindLeases, &schema.Lease{ID: schema.ID{byte(i)}, Tenant: "hooli", Until: until, Version: 1})
	}
	equal(t, "active leases", value(t, s, "SELECT toString(groupArray(until > now64())) FROM v_leases_active WHERE tenant = 'hooli'"), "[1]")
	if _, err := s.Completeness(context.WithoutCancel(t.Context()), "nobody"); err == nil {
		t.Error("completeness of nobody")
	}
}
