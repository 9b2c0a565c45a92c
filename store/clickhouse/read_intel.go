package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/schema"
)

// ThreatReport is what of a report or campaign was found at a tenant. Only matches
// that count are in it.
type ThreatReport struct {
	Kind        schema.ThreatKind `json:"kind"`
	ID          string            `json:"id"` // the feed's, or the name where it has none
	Name        string            `json:"name"`
	Feeds       []string          `json:"feeds"`
	Indicators  uint64            `json:"indicators"` // that matched
	Alerts      uint64            `json:"alerts"`
	RetroAlerts uint64            `json:"retro_alerts"` // of those, found after the alert
	Incidents   uint64            `json:"incidents"`
	Hosts       uint64            `json:"hosts"` // impacted: neither sensors nor the attacker's
	Users       uint64            `json:"users"`
	Mailboxes   uint64            `json:"mailboxes"`
	Resources   uint64            `json:"resources"` // of the cloud, applications, containers
	First       schema.Millis     `json:"first_seen"`
	Last        schema.Millis     `json:"last_seen"`

	// Only ThreatReport fills these.
	Incident []schema.Incident  `json:"incident_list,omitempty"` // those it is in, newest first
	Impacted []ImpactedEntity   `json:"impacted,omitempty"`      // most alerts first
	Matched  []MatchedIndicator `json:"matched,omitempty"`       // most alerts first
}

// ImpactedEntity is an entity of alerts that a report's indicators matched.
type ImpactedEntity struct {
	schema.EntityRef
	Alerts uint64 `json:"alerts"`
}

// MatchedIndicator is an indicator of a report with what it matched.
type MatchedIndicator struct {
	Feed      string           `json:"feed"`
	Indicator string           `json:"indicator"`
	On        schema.EntityRef `json:"on"`
	Alerts    uint64           `json:"alerts"`
}

// reportList bounds each list of a ThreatReport.
const reportList = 1000

// ThreatReports gives the reports and campaigns that were seen at a tenant, the
// last seen first.
func (s *Store) ThreatReports(ctx context.Context, tenant string) ([]ThreatReport, error) {
	if tenant == "" {
		return nil, ErrTenant
	}
	return s.threatReports(ctx, of(tenant), "")
}

func (s *Store) threatReports(ctx context.Context, w *where, condition string) (list []ThreatReport, err error) {
	err = s.each(ctx, `SELECT kind, report, name, feeds, indicators, alerts, retro_alerts, incidents, toUInt64(hosts), toUInt64(users), toUInt64(mailboxes),
		toUInt64(resources), first_seen, last_seen FROM v_threat_reports
		WHERE tenant = {tenant:String} `+condition+` ORDER BY last_seen DESC, kind, report LIMIT 10000`, w.params, func(r driver.Rows) error {
		var x ThreatReport
		var kind string
		var first, last time.Time
		if err := r.Scan(&kind, &x.ID, &x.Name, &x.Feeds, &x.Indicators, &x.Alerts, &x.RetroAlerts, &x.Incidents, &x.Hosts, &x.Users, &x.Mailboxes,
			&x.Resources, &first, &last); err != nil {
			return err
		}
		x.First, x.Last = schema.FromTime(first), schema.FromTime(last)
		list = append(list, x)
		return list[len(list)-1].Kind.UnmarshalText([]byte(kind))
	})
	if err != nil {
		return nil, fmt.Errorf("reading v_threat_reports: %w", err)
	}
	return list, nil
}

// ThreatReport gives one report or campaign by the feed's id or by its name, with
// incidents, impacted entities and indicators. A name that several have means the
// last seen. ErrNotFound if nothing that it names was seen at the tenant.
func (s *Store) ThreatReport(ctx context.Context, tenant, idOrName string) (ThreatReport, error) {
	if tenant == "" {
		return ThreatReport{}, ErrTenant
	}
	w := of(tenant).param("report", text(idOrName))
	list, err := s.threatReports(ctx, w, "AND (report = {report:String} OR name = {report:String})")
	if err != nil {
		return ThreatReport{}, err
	}
	if len(list) == 0 {
		return ThreatReport{}, fmt.Errorf("threat report %s: %w", idOrName, ErrNotFound)
	}
	x := list[0]
	w = of(tenant).param("report", text(x.ID)).param("kind", text(x.Kind.String()))
	const hits = "SELECT alert_id FROM v_threat_matches WHERE tenant = {tenant:String} AND kind = {kind:String} AND threat = {report:String}"
	heads := of(tenant).param("kind", text(x.Kind.String())).and("incident_id IN (SELECT incident_id FROM incident_members FINAL WHERE tenant = {tenant:String} AND alert_id IN ("+hits+"))",
		"report", text(x.ID))
	if x.Incident, err = s.incidents(ctx, heads, "ORDER BY last_time DESC, incident_id"+limit(reportList)); err != nil {
		return ThreatReport{}, err
	}
	err = s.each(ctx, `SELECT splitByChar(':', e)[1] AS type, substring(e, position(e, ':') + 1) AS key, count() AS alerts
		FROM (SELECT arrayJoin(arrayDistinct(arrayFilter((e, r) -> r NOT IN ('sensor', 'c2'), entities, roles))) AS e FROM alerts FINAL
			WHERE tenant = {tenant:String} AND alert_id IN (`+hits+`))
		WHERE type IN ('host', 'user', 'mailbox', 'cloud_resource', 'cloud_account', 'application', 'container')
		GROUP BY type, key ORDER BY alerts DESC, type, key`+limit(reportList), w.params, func(r driver.Rows) error {
		var kind string
		var e ImpactedEntity
		if err := r.Scan(&kind, &e.Key, &e.Alerts); err != nil {
			return err
		}
		x.Impacted = append(x.Impacted, e)
		return x.Impacted[len(x.Impacted)-1].Type.UnmarshalText([]byte(kind))
	})
	if err != nil {
		return ThreatReport{}, fmt.Errorf("reading impacted entities: %w", err)
	}
	err = s.each(ctx, `SELECT toString(feed), indicator, toString(entity_type), key, uniqExact(alert_id) AS alerts FROM v_threat_matches
		WHERE tenant = {tenant:String} AND kind = {kind:String} AND threat = {report:String}
		GROUP BY feed, indicator, entity_type, key ORDER BY alerts DESC, feed, indicator, entity_type, key`+limit(reportList), w.params, func(r driver.Rows) error {
		var kind string
		var m MatchedIndicator
		if err := r.Scan(&m.Feed, &m.Indicator, &kind, &m.On.Key, &m.Alerts); err != nil {
			return err
		}
		x.Matched = append(x.Matched, m)
		return x.Matched[len(x.Matched)-1].On.Type.UnmarshalText([]byte(kind))
	})
	if err != nil {
		return ThreatReport{}, fmt.Errorf("reading matched indicators: %w", err)
	}
	return x, nil
}

// FeedMatches is what a feed's indicators have matched, of all tenants.
type FeedMatches struct {
	Feed       string        `json:"feed"`
	Matches    uint64        `json:"matches"`
	Counting   uint64        `json:"counting"`
	Demoted    uint64        `json:"demoted"`
	Withdrawn  uint64        `json:"withdrawn"` // of those, taken back after they had counted
	Retro      uint64        `json:"retro"`
	Indicators uint64        `json:"indicators"` // that matched; once per tenant
	Alerts     uint64        `json:"alerts"`
	Last       schema.Millis `json:"last_matched"`
}

// FeedMatches gives every feed that ever matched, by name. Feeds are shared, so
// tenants are summed up; what it counts tells nothing of any one of them.
func (s *Store) FeedMatches(ctx context.Context) (list []FeedMatches, err error) {
	err = s.each(ctx, `SELECT toString(feed), sum(matches), sum(counting), sum(demoted_matches), sum(withdrawn_matches), sum(retro_matches), sum(indicators), sum(alerts), max(last_matched)
		FROM v_intel_feeds GROUP BY feed ORDER BY feed`, nil, func(r driver.Rows) error {
		var x FeedMatches
		var last time.Time
		if err := r.Scan(&x.Feed, &x.Matches, &x.Counting, &x.Demoted, &x.Withdrawn, &x.Retro, &x.Indicators, &x.Alerts, &last); err != nil {
			return err
		}
		x.Last = schema.FromTime(last)
		list = append(list, x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading v_intel_feeds: %w", err)
	}
	return list, nil
}
