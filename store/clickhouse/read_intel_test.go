package clickhouse_test

import (
	"errors"
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
