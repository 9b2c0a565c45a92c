package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// IncidentFilter says which incidents to list. Tenant is required; the zero value
// of any other field does not filter.
type IncidentFilter struct {
	Tenant      string
	Disposition []schema.Disposition
	Status      []schema.IncidentStatus
	MinSeverity schema.Severity
	MinPriority uint8
	Assignee    string
	Entity      schema.EntityRef // among the entities of the head, which are the most shared ones
	Since       schema.Millis    // last alert at or after
	Until       schema.Millis    // last alert before
	Merged      bool             // also incidents that were merged into others
	Withdrawn   bool             // only those of which every indicator that counted was taken back
	Limit       int              // default: 100
}

// ListIncidents gives incident heads, the highest priority first.
func (s *Store) ListIncidents(ctx context.Context, f IncidentFilter) ([]schema.Incident, error) {
	w := of(f.Tenant).within("last_time", f.Since, f.Until)
	if !f.Merged {
		w.and("redirect_to = {none:UUID}", "none", uuid.Nil.String())
	}
	if len(f.Disposition) > 0 {
		w.and("disposition IN {disposition:Array(String)}", "disposition", texts(names(f.Disposition)))
	}
	if len(f.Status) > 0 {
		w.and("status IN {status:Array(String)}", "status", texts(names(f.Status)))
	}
	if f.MinSeverity > 0 {
		w.and("toInt8(severity) >= {severity:Int8}", "severity", number(uint8(f.MinSeverity)))
	}
	if f.MinPriority > 0 {
		w.and("priority >= {priority:UInt8}", "priority", number(f.MinPriority))
	}
	if f.Assignee != "" {
		w.and("assignee = {assignee:String}", "assignee", text(f.Assignee))
	}
	if f.Withdrawn {
		w.and("incident_id IN (SELECT incident_id FROM v_incidents_withdrawn WHERE tenant = {tenant:String})", "", "")
	}
	if !f.Entity.IsZero() {
		w.and("has(entities, {entity:String})", "entity", text(f.Entity.String()))
	}
	return s.incidents(ctx, w, "ORDER BY priority DESC, last_time DESC, incident_id"+limit(f.Limit))
}

func (s *Store) incidents(ctx context.Context, w *where, tail string) ([]schema.Incident, error) {
	rows, err := read(ctx, s, incidentsTable(), w, tail)
	return nouns(rows, func(r *persist.Incident) schema.Incident { return r.Incident }), err
}

// maxRedirects bounds how far Incident follows: redirects point to older
// incidents, so a chain that is longer is damage.
const maxRedirects = 64

// Incident gives the incident that an id or a number such as "INC-7F3A9C21" means
// now: redirects are followed. ErrNotFound, or ErrAmbiguous for a number that
// several incidents of the tenant have.
func (s *Store) Incident(ctx context.Context, tenant, idOrNumber string) (schema.Incident, error) {
	if id, err := schema.ParseIncidentID(idOrNumber); err == nil {
		return s.follow(ctx, tenant, id)
	}
	w := of(tenant).and("number = {number:String}", "number", text(strings.ToUpper(idOrNumber)))
	found, err := s.incidents(ctx, w, "ORDER BY incident_id")
	if err != nil {
		return schema.Incident{}, err
	}
	var meant schema.Incident
	for _, head := range found {
		if head, err = s.follow(ctx, tenant, head.ID); err != nil {
			return schema.Incident{}, err
		}
		if !meant.ID.IsZero() && meant.ID != head.ID {
			return schema.Incident{}, fmt.Errorf("incident %s: %w", idOrNumber, ErrAmbiguous)
		}
		meant = head
	}
	if meant.ID.IsZero() {
		return meant, fmt.Errorf("incident %s: %w", idOrNumber, ErrNotFound)
	}
	return meant, nil
}

func (s *Store) follow(ctx context.Context, tenant string, asked schema.IncidentID) (schema.Incident, error) {
	id := asked
	for range maxRedirects {
		found, err := s.incidents(ctx, of(tenant).and("incident_id = {id:UUID}", "id", id.String()), "")
		switch {
		case err != nil:
			return schema.Incident{}, err
		case len(found) == 0:
			return schema.Incident{}, fmt.Errorf("incident %s: %w", id, ErrNotFound)
		case found[0].RedirectTo.IsZero():
			return found[0], nil
		}
		id = found[0].RedirectTo
	}
	return schema.Incident{}, fmt.Errorf("incident %s: redirects do not end", asked)
}

// Members gives the alerts that are in an incident, and why, oldest first.
// Redirects are not followed: members move with a merge.
func (s *Store) Members(ctx context.Context, tenant string, incident schema.IncidentID) ([]schema.Member, error) {
	// The inner query is answered by the projection by_incident; it sees rows of
	// alerts that have since moved, hence the second condition.
	w := of(tenant).and("alert_id IN (SELECT alert_id FROM incident_members WHERE tenant = {tenant:String} AND incident_id = {incident:UUID})",
		"incident", incident.String()).and("incident_id = {incident:UUID}", "", "")
	rows, err := read(ctx, s, membersTable(), w, "ORDER BY created, alert_id")
	return nouns(rows, func(r *persist.Member) schema.Member { return r.Member }), err
}

// Alerts gives the newest revisions of an incident's alerts, oldest first, with
// their raw bytes. Their entities have no names and uids, and their matches are
// told by Matches.
func (s *Store) Alerts(ctx context.Context, tenant string, incident schema.IncidentID) ([]schema.Alert, error) {
	w := of(tenant).and("alert_id IN (SELECT alert_id FROM incident_members FINAL WHERE tenant = {tenant:String} AND incident_id = {incident:UUID})",
		"incident", incident.String())
	rows, err := read(ctx, s, alertsTable(), w, "ORDER BY created, alert_id")
	return nouns(rows, func(r *persist.Alert) schema.Alert { return r.Alert }), err
}

// Alert gives the newest revision of one alert; see Alerts.
func (s *Store) Alert(ctx context.Context, tenant string, id schema.AlertID) (schema.Alert, error) {
	rows, err := read(ctx, s, alertsTable(), of(tenant).and("alert_id = {id:UUID}", "id", uuid.UUID(id).String()), "")
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("alert %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return schema.Alert{}, err
	}
	return rows[0].Alert, nil
}

// Matches gives the indicator matches of an incident's alerts, oldest first.
func (s *Store) Matches(ctx context.Context, tenant string, incident schema.IncidentID) ([]persist.Match, error) {
	w := of(tenant).and("alert_id IN (SELECT alert_id FROM incident_members FINAL WHERE tenant = {tenant:String} AND incident_id = {incident:UUID})",
		"incident", incident.String())
	return read(ctx, s, matchesTable(), w, "ORDER BY time, alert_id, value, feed")
}

// Paths gives an incident's attack paths with their edges, the realized first.
func (s *Store) Paths(ctx context.Context, tenant string, incident schema.IncidentID) ([]schema.Path, error) {
	w := of(tenant).and("incident_id = {incident:UUID}", "incident", incident.String())
	rows, err := read(ctx, s, pathsTable(), w, "ORDER BY indexOf(['realized', 'predicted', 'potential'], toString(kind)), path_id")
	if err != nil {
		return nil, err
	}
	paths := nouns(rows, func(r *persist.Path) schema.Path { return r.Path })
	ids := nouns(paths, func(p *schema.Path) schema.ID { return p.ID })
	edges, err := read(ctx, s, pathEdgesTable(), of(tenant).and("path_id IN {paths:Array(UUID)}", "paths", uuids(ids)), "ORDER BY path_id, seq")
	if err != nil {
		return nil, err
	}
	for i := range paths {
		for _, e := range edges {
			if e.Path == paths[i].ID && e.Version == paths[i].Version {
				paths[i].Edges = append(paths[i].Edges, e.PathEdge)
			}
		}
	}
	return paths, nil
}

// FormerIDs gives the ids that lead to an incident, the nearest first.
func (s *Store) FormerIDs(ctx context.Context, tenant string, incident schema.IncidentID) ([]schema.IncidentID, error) {
	var all []schema.IncidentID
	for next := []schema.IncidentID{incident}; len(next) > 0 && len(all) < 4096; {
		found, err := s.incidents(ctx, of(tenant).and("redirect_to IN {ids:Array(UUID)}", "ids", uuids(next)), "ORDER BY incident_id")
		if err != nil {
			return nil, err
		}
		next = nouns(found, func(h *schema.Incident) schema.IncidentID { return h.ID })
		all = append(all, next...)
	}
	return all, nil
}
