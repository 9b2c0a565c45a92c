package clickhouse_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestThreatReports reads the story of three tenants: a report that one live and
// one later match name, whose demoted matches are no part of it.
func TestThreatReports(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := tellAll(t, s)["acme"]
	ctx := t.Context()
	want := clickhouse.ThreatReport{Kind: schema.ThreatReport, ID: "report--1", Name: "Winter storm", Feeds: []string{"isac", "misp"}, Indicators: 2,
		Alerts: 2, RetroAlerts: 1, Incidents: 1, Hosts: 3, Users: 1, First: st.shell.Created, Last: st.lateral.Created}
	same(t, "reports", must(s.ThreatReports(ctx, "acme"))(t), []clickhouse.ThreatReport{want})
	host := func(key string) schema.EntityRef { return schema.EntityRef{Type: schema.EntityHost, Key: key} }
	ip := schema.EntityRef{Type: schema.EntityIP, Key: "203.0.113.9"}
	want.Incident = []schema.Incident{*st.incident}
	want.Impacted = []clickhouse.ImpactedEntity{{EntityRef: host("fs-1"), Alerts: 1}, {EntityRef: host("ws-7"), Alerts: 1},
		{EntityRef: host("ws-7.acme.example"), Alerts: 1}, {EntityRef: schema.EntityRef{Type: schema.EntityUser, Key: "bob"}, Alerts: 1}}
	want.Matched = []clickhouse.MatchedIndicator{{Feed: "isac", Indicator: "indicator--12", On: ip, Alerts: 1}, {Feed: "misp", Indicator: "indicator--9", On: ip, Alerts: 1}}
	for _, name := range []string{"report--1", "Winter storm"} {
		same(t, name, must(s.ThreatReport(ctx, "acme", name))(t), want)
	}
	if _, err := s.ThreatReport(ctx, "acme", "Frost"); !errors.Is(err, clickhouse.ErrNotFound) {
		t.Errorf("malware is no report: %v", err)
	}
	same(t, "nobody's", must(s.ThreatReports(ctx, "nobody"))(t), []clickhouse.ThreatReport(nil))
	for name, call := range map[string]func() error{
		"ThreatReports": func() error { _, err := s.ThreatReports(ctx, ""); return err },
		"ThreatReport":  func() error { _, err := s.ThreatReport(ctx, "", "x"); return err },
		"Seen":          func() error { _, err := s.Seen(ctx, clickhouse.SeenFilter{}); return err },
	} {
		if err := call(); !errors.Is(err, clickhouse.ErrTenant) {
			t.Errorf("%s without a tenant: %v", name, err)
		}
	}
}

// TestImpactedOnce: an entity that an alert has in two roles is in one alert.
func TestImpactedOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := newStory("acme")
	twice := st.shell.Entities[0]
	for _, role := range []schema.Role{schema.RoleActor, schema.RoleSource, schema.RoleTarget} {
		twice.Role = role
		st.shell.Entities = append(st.shell.Entities, twice)
	}
	newTopics(t, s).alerts(st.shell)
	got, err := s.ThreatReport(t.Context(), "acme", "Winter storm")
	if err != nil || len(got.Impacted) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, e := range got.Impacted {
		equal(t, e.EntityRef.String(), e.Alerts, 1)
	}
}

func TestFeedMatches(t *testing.T) {
	t.Parallel()
	s := open(t)
	same(t, "of nothing", must(s.FeedMatches(t.Context()))(t), []clickhouse.FeedMatches(nil))
	st := tellAll(t, s)["acme"]
	same(t, "feeds", must(s.FeedMatches(t.Context()))(t), []clickhouse.FeedMatches{
		{Feed: "isac", Matches: 3, Counting: 3, Retro: 3, Indicators: 3, Alerts: 3, Last: st.lateral.Created},
		{Feed: "misp", Matches: 3, Counting: 3, Indicators: 3, Alerts: 3, Last: st.shell.Created},
		{Feed: "noisy list", Matches: 3, Demoted: 3, Indicators: 3, Alerts: 3, Last: st.noise.Created}})
}

// TestIndicatorHistory: a content that comes back is told again.
func TestIndicatorHistory(t *testing.T) {
	t.Parallel()
	s := open(t)
	tellAll(t, s)
	equal(t, "changes", value(t, s, "SELECT toString(groupArray((seq, toString(op), toString(tlp), snapshot))) FROM (SELECT * FROM indicators_history FINAL WHERE tenant = 'acme' ORDER BY seq)"),
		"[(1,'add','red',1),(2,'remove','red',2),(3,'add','red',1)]")
}

// TestLiveMatchStands: what hop 1 saw with the alert stands before a finding of the
// same indicator, whichever comes first; of two findings the newer counts.
func TestLiveMatchStands(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := newStory("acme")
	x := newTopics(t, s)
	later := schema.RetroMatch{Tenant: "acme", Alert: st.shell.ID, Source: "edr-1", Created: st.shell.Created, On: st.shell.Entities[3].Ref(),
		Match: st.shell.Matches[0], Made: noon}
	again := later
	again.Made, again.Match.Demoted = noon+1, "on a list"
	put := func(m schema.RetroMatch) { x.insert(x.input(1, schema.AppendRetroEntry(nil, &m))) }
	put(again)
	put(later)
	equal(t, "the newer finding", value(t, s, "SELECT toString((retro, demoted, counts)) FROM matches FINAL"), "(true,'on a list',false)")
	x.alerts(st.shell)
	put(later)
	equal(t, "the live match", value(t, s, "SELECT toString((retro, demoted, counts)) FROM matches FINAL"), "(false,'',true)")
	equal(t, "the alert is untouched", must(s.Alert(t.Context(), "acme", st.shell.ID))(t).Title, st.shell.Title)
}

// TestWithdrawn: a match that was taken back does not count, whatever comes in whatever
// order, until it is put back; feeds, threats and incidents follow.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	const state = "SELECT toString((counts, demoted, retro, toUnixTimestamp64Milli(withdrawn), toString(verdict), toString(severity))) FROM matches FINAL"
	taken := fmt.Sprintf("(false,'allowed by feed analyst',false,%d,'malicious','critical')", noon)
	st := newStory("acme")
	live := schema.RetroMatch{Tenant: "acme", Alert: st.shell.ID, Source: "edr-1", Created: st.shell.Created, On: st.shell.Entities[3].Ref(), Match: st.shell.Matches[0], Made: noon}
	found, back, again := live, live, live
	found.Match.Retro, found.Made = true, noon+schema.Hour
	back.Kind, back.By, back.Match.Demoted = schema.RetroWithdrawn, "analyst", "allowed by feed analyst"
	again.Kind, again.Made = schema.RetroReinstated, noon+schema.Minute
	put := func(x *topics, m schema.RetroMatch) { x.insert(x.input(1, schema.AppendRetroEntry(nil, &m))) }
	steps := map[string]func(*topics){"the live match": func(x *topics) { x.alerts(st.shell) }, "its revision": func(x *topics) { x.alerts(st.revised) },
		"a finding": func(x *topics) { put(x, found) }, "the withdrawal": func(x *topics) { put(x, back) }}
	for _, order := range [][]string{{"the live match", "the withdrawal", "its revision", "a finding"}, {"the withdrawal", "a finding", "the live match", "its revision"},
		{"a finding", "the withdrawal", "its revision"}} {
		t.Run(strings.Join(order, ", "), func(t *testing.T) {
			s := open(t)
			x := newTopics(t, s)
			for _, step := range order {
				steps[step](x)
			}
			equal(t, "taken back", value(t, s, state), taken)
			equal(t, "threats", value(t, s, "SELECT toString(count()) FROM v_threat_matches"), "0")
			equal(t, "feeds", value(t, s, "SELECT toString(groupArray((toString(feed), counting, withdrawn_matches))) FROM v_intel_feeds"), "[('misp',0,1)]")
			same(t, "what the feed matched", must(s.FeedMatches(t.Context()))(t), []clickhouse.FeedMatches{
				{Feed: "misp", Matches: 1, Demoted: 1, Withdrawn: 1, Indicators: 1, Alerts: 1, Last: st.shell.Created}})
			seen := must(s.SeenAlerts(t.Context(), "acme", []schema.AlertID{st.shell.ID}, []string{st.shell.Matches[0].Value}))(t)
			if len(seen) == 1 && (len(seen[0].Matches) != 1 || !seen[0].Matches[0].Withdrawn) {
				t.Errorf("retro-match sees %+v", seen)
			}
			put(x, again)
			put(x, back) // told twice, and late
			equal(t, "put back", value(t, s, state), "(true,'',false,0,'malicious','critical')")
		})
	}
}

// TestWithdrawnIncidents: those of which every indicator that counted was taken back.
func TestWithdrawnIncidents(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	st := newStory("acme")
	st.tell(x)
	newStory("globex").tell(x)
	back := func(a *schema.Alert, m schema.Match, on schema.EntityRef, by schema.Millis) {
		w := schema.RetroMatch{Tenant: "acme", Alert: a.ID, Source: a.Source, Created: a.Created, On: on, Match: m, Made: noon + by, Kind: schema.RetroWithdrawn, By: "analyst"}
		w.Match.Demoted = "allowed by feed analyst"
		x.insert(x.input(1, schema.AppendRetroEntry(nil, &w)))
	}
	listed := func() []schema.Incident {
		return must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: "acme", Withdrawn: true}))(t)
	}
	explained := func() *clickhouse.Explanation {
		return must(s.Explain(t.Context(), "acme", st.incident.ID.String()))(t)
	}
	feed := func(name string) string {
		t.Helper()
		sql := must(os.ReadFile("../../docs/queries/12_feed_value.sql"))(t)
		table := must(s.Query(t.Context(), string(sql), map[string]string{"tenant": "acme", "since": "2026-11-21 12:00:00.000"}))(t)
		text := ""
		for _, r := range table.Rows {
			for i, c := range table.Columns {
				switch c {
				case "counting", "withdrawn", "confirmed", "in_promoted", "proved_false":
					if r[0] == name {
						text += c + " " + r[i] + " "
					}
				}
			}
		}
		return text
	}
	equal(t, "before", len(listed()), 0)
	equal(t, "misp before", feed("misp"), "counting 1 withdrawn 0 confirmed 0 in_promoted 1 proved_false 0 ")
	back(st.shell, st.shell.Matches[0], st.shell.Entities[3].Ref(), 0)
	equal(t, "one of two", len(listed()), 0)
	equal(t, "explained, one of two", explained().Withdrawn, false)
	back(st.lateral, st.later.Match, st.later.On, 1)
	same(t, "both", listed(), []schema.Incident{*st.incident})
	equal(t, "explained", explained().Withdrawn, true)
	equal(t, "misp after", feed("misp"), "counting 0 withdrawn 1 confirmed 0 in_promoted 0 proved_false 1 ")
	same(t, "globex", len(must(s.ListIncidents(t.Context(), clickhouse.IncidentFilter{Tenant: "globex", Withdrawn: true}))(t)), 0)
}
