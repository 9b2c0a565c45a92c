package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// SeenFilter says which entities of past alerts to give. All but Matched is required.
type SeenFilter struct {
	Tenants     []string
	Field       string // what the values are compared with; see seenCondition
	Values      []string
	Since, Till schema.Millis // alerts created in [Since, Till)
	Limit       int
	Matched     bool // only those that the alert has a match with, by an indicator with a bad verdict
}

// SeenEntity is an entity of an alert.
type SeenEntity struct {
	Tenant string
	Alert  schema.AlertID
	Source string
	Time   schema.Millis // the alert's created time
	Entity schema.Entity // without name and uid
	Values []string      // of the indicators that matched; only with SeenFilter.Matched
}

// seenCondition gives the condition of a field, by the parameter values:
//
//	key      key of an entity that is neither a URL nor a name: equal
//	name     key of a domain, or a parent of it: equal
//	sender   name behind the "@" of a mailbox, or a parent of it: equal
//	host     host of a URL without brackets, or a parent of it: equal
//	url      URL from "//" on: equal
//	prefix   URL from "//" on: begins with the value
//	path     what follows the authority of a URL, with or without its query: equal
//	address  key of an address: begins with the value
//	literal  host of a URL without brackets: begins with the value
//
// Only key and address use the sorting key as far as the value; the others read
// the keys of one entity type.
func seenCondition(field string) (string, bool) {
	const (
		values = "{values:Array(String)}"
		host   = `trim(BOTH '[]' FROM extract(key, '^[^:/]*:?//(?:[^/?#]*@)?(\\[[^\\]/?#]*\\]|[^:/?#]*)'))`
		rest   = "substring(key, position(key, '//'))"
		path   = "extract(key, '(?s)^[^:/]*:?//[^/?#]*(.*)$')"
	)
	parents := func(name string) string {
		return "arrayExists(p -> p IN " + values + ", arrayMap(i -> arrayStringConcat(arraySlice(splitByChar('.', " + name + "), i), '.'), range(1, length(splitByChar('.', " + name + ")) + 1)))"
	}
	begins := func(text string) string { return "arrayExists(v -> startsWith(" + text + ", v), " + values + ")" }
	switch field {
	case "key":
		return "entity_type IN ('ip', 'file_hash', 'mailbox', 'certificate', 'tls_fingerprint', 'user_agent', 'mutex', 'registry_key') AND key IN " + values, true
	case "name":
		return "entity_type = 'domain' AND " + parents("key"), true
	case "sender":
		return "entity_type = 'mailbox' AND " + parents("splitByChar('@', key)[-1]"), true
	case "host":
		return "entity_type = 'url' AND " + parents(host), true
	case "url":
		return "entity_type = 'url' AND " + rest + " IN " + values, true
	case "prefix":
		return "entity_type = 'url' AND " + begins(rest), true
	case "path":
		return "entity_type = 'url' AND (" + path + " IN " + values + " OR splitByChar('?', " + path + ")[1] IN " + values + ")", true
	case "address":
		return "entity_type = 'ip' AND " + begins("key"), true
	case "literal":
		return "entity_type = 'url' AND " + begins(host), true
	}
	return "", false
}

// Seen gives entities of past alerts, for retro-match. Rows may repeat, once per
// revision of an alert that has not been merged away.
func (s *Store) Seen(ctx context.Context, f SeenFilter) ([]SeenEntity, error) {
	if len(f.Tenants) == 0 {
		return nil, ErrTenant
	}
	condition, ok := seenCondition(f.Field)
	if !ok {
		return nil, fmt.Errorf("reading alert_entities: no field %q", f.Field)
	}
	condition = "tenant IN {tenants:Array(String)} AND " + condition
	const columns = "toString(tenant), alert_id, toString(source), time, toString(entity_type), key, toString(role), port"
	within := "time >= {since:DateTime64(3, 'UTC')} AND time < {till:DateTime64(3, 'UTC')}"
	sql := "SELECT " + columns + ", []::Array(String) FROM alert_entities WHERE " + condition + " AND " + within
	if f.Matched {
		// Matches are few: they are looked up first, and their alerts' entities by key.
		const key = "tenant, entity_type, key, alert_id"
		hits := " FROM matches WHERE " + condition + " AND verdict IN ('malicious', 'suspicious') AND wish != 'allow'"
		sql = "SELECT " + columns + ", values FROM (SELECT * FROM alert_entities WHERE (" + key + ") IN (SELECT " + key + hits + ") AND " + within + ") AS e " +
			"INNER JOIN (SELECT " + key + ", groupUniqArray(value) AS values" + hits + " GROUP BY " + key + ") AS m USING (" + key + ")"
	}
	p := params{"tenants": texts(f.Tenants), "values": texts(f.Values), "since": millis(f.Since), "till": millis(f.Till)}
	var list []SeenEntity
	err := s.each(ctx, sql+limit(f.Limit), p, func(r driver.Rows) error {
		var x SeenEntity
		var id uuid.UUID
		var at time.Time
		var typ, role string
		if err := r.Scan(&x.Tenant, &id, &x.Source, &at, &typ, &x.Entity.Key, &role, &x.Entity.Port, &x.Values); err != nil {
			return err
		}
		x.Alert, x.Time = schema.AlertID(id), schema.FromTime(at)
		if err := x.Entity.Type.UnmarshalText([]byte(typ)); err != nil {
			return err
		}
		if err := x.Entity.Role.UnmarshalText([]byte(role)); err != nil {
			return err
		}
		list = append(list, x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading alert_entities: %w", err)
	}
	return list, nil
}

// SeenAlert is what retro-match must know of an alert.
type SeenAlert struct {
	ID       schema.AlertID
	Severity schema.Severity
	Blocked  bool
	Incident schema.IncidentID // zero: in none
	Matches  []SeenMatch       // of the values that were asked for
}

// SeenMatch is a match with the entity that it is of.
type SeenMatch struct {
	Match     schema.Match
	On        schema.EntityRef
	Withdrawn bool
}

// SeenAlerts gives what is known of a tenant's alerts, in the order of their ids. Of
// their matches it gives those of indicators with one of the values: the table is in
// the order of values, and to look for alerts alone would read all of a tenant's.
func (s *Store) SeenAlerts(ctx context.Context, tenant string, ids []schema.AlertID, values []string) ([]SeenAlert, error) {
	if tenant == "" {
		return nil, ErrTenant
	}
	among := func() *where { return of(tenant).and("alert_id IN {ids:Array(UUID)}", "ids", uuids(ids)) }
	var list []SeenAlert
	at := map[schema.AlertID]int{}
	err := s.each(ctx, `SELECT alert_id, toString(severity), blocked FROM alerts FINAL
		WHERE tenant = {tenant:String} AND alert_id IN {ids:Array(UUID)} ORDER BY toString(alert_id)`, among().params, func(r driver.Rows) error {
		var x SeenAlert
		var id uuid.UUID
		var severity string
		if err := r.Scan(&id, &severity, &x.Blocked); err != nil {
			return err
		}
		x.ID = schema.AlertID(id)
		at[x.ID] = len(list)
		list = append(list, x)
		return list[len(list)-1].Severity.UnmarshalText([]byte(severity))
	})
	if err != nil {
		return nil, fmt.Errorf("reading alerts: %w", err)
	}
	members, err := read(ctx, s, membersTable(), among(), "")
	if err != nil {
		return nil, err
	}
	for i := range members {
		if k, ok := at[members[i].Member.Alert]; ok {
			list[k].Incident = members[i].Member.Incident
		}
	}
	matches, err := read(ctx, s, matchesTable(), among().and("value IN {values:Array(String)}", "values", texts(values)), "ORDER BY feed, indicator, value, entity_type, key")
	if err != nil {
		return nil, err
	}
	for i := range matches {
		if k, ok := at[matches[i].Alert]; ok {
			list[k].Matches = append(list[k].Matches, SeenMatch{matches[i].Match, matches[i].On, matches[i].Withdrawn != 0})
		}
	}
	return list, nil
}
