package clickhouse

import (
	"context"
	"fmt"
	"strings"
)

// class is a kind of table with one retention.
type class struct {
	name string
	days func(Retention) int
	from map[string]string // table: the time its retention counts from
}

// classes lists every table that has a retention.
func classes() []class {
	return []class{
		{"alerts", func(r Retention) int { return r.Alerts }, map[string]string{
			"alerts": "created", "alert_entities": "time", "matches": "time", "links": "time"}},
		{"cases", func(r Retention) int { return r.Cases }, map[string]string{
			"incidents": "written", "incident_versions": "written", "incident_members": "written", "incident_redirects": "written",
			"attack_paths": "written", "attack_path_edges": "written", "entity_edges": "time"}},
		{"response", func(r Retention) int { return r.Response }, map[string]string{
			"decisions": "time", "evidence": "time", "leases": "until", "actions": "time", "runs": "start_time", "run_steps": "start_time"}},
		{"ledger", func(r Retention) int { return r.Ledger }, map[string]string{"ledger": "time"}},
		{"inventory", func(r Retention) int { return r.Inventory }, map[string]string{
			"entities": "last_seen", "entity_aliases": "valid_to", "detections": "last_seen", "indicators_history": "written"}},
		{"operations", func(r Retention) int { return r.Operations }, map[string]string{
			"rejects": "written", "source_stats": "time", "completeness": "inserted"}},
	}
}

// ttl is the expression of a table's retention, as the server writes it back.
func ttl(column string, days int) string {
	return fmt.Sprintf("toDateTime(%s) + toIntervalDay(%d)", column, days)
}

// applyRetention makes the TTL of every table what the configuration says. It
// changes nothing where they agree: a change makes the server rewrite parts as it
// merges them, which is why old rows go with time and not at once.
func (s *Store) applyRetention(ctx context.Context) error {
	for _, c := range classes() {
		days := c.days(s.cfg.Retention)
		for table, column := range c.from {
			var engine string
			p := params{"table": text(table), "db": text(s.opts.Auth.Database)}
			if err := s.scalar(ctx, &engine, "SELECT engine_full FROM system.tables WHERE database = {db:String} AND name = {table:String}", p); err != nil {
				return fmt.Errorf("reading the retention of %s: %w", table, err)
			}
			_, has, found := strings.Cut(engine, " TTL ")
			has, _, _ = strings.Cut(has, " SETTINGS ")
			alter := ""
			switch {
			case days == 0 && found:
				alter = "REMOVE TTL"
			case days > 0 && has != ttl(column, days):
				alter = "MODIFY TTL " + ttl(column, days)
			default:
				continue
			}
			sql := fmt.Sprintf("ALTER TABLE %s %s %s SETTINGS materialize_ttl_after_modify = 0", table, s.onCluster(), alter)
			if err := s.exec(ctx, sql); err != nil {
				return fmt.Errorf("setting the retention of %s: %w", table, err)
			}
		}
	}
	return nil
}
