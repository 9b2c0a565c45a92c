package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// DecisionFilter says which decisions to list. Tenant is required; the zero value
// of any other field does not filter.
type DecisionFilter struct {
	Tenant       string
	Incident     schema.IncidentID
	Outcome      []schema.Outcome
	Since, Until schema.Millis
	Limit        int // default: 100
}

// Decisions gives decisions, newest first.
func (s *Store) Decisions(ctx context.Context, f DecisionFilter) ([]schema.Decision, error) {
	w := of(f.Tenant).within("time", f.Since, f.Until).incident(f.Incident)
	if len(f.Outcome) > 0 {
		w.and("outcome IN {outcome:Array(String)}", "outcome", texts(names(f.Outcome)))
	}
	rows, err := read(ctx, s, decisionsTable(), w, "ORDER BY time DESC, decision_id"+limit(f.Limit))
	return nouns(rows, func(r *persist.Decision) schema.Decision { return r.Decision }), err
}

// incident adds the incident, if there is one to filter by.
func (w *where) incident(id schema.IncidentID) *where {
	if !id.IsZero() {
		w.and("incident_id = {incident:UUID}", "incident", id.String())
	}
	return w
}

// LeaseFilter says which leases to list. Tenant is required; the zero value of any
// other field does not filter.
type LeaseFilter struct {
	Tenant   string
	Incident schema.IncidentID
	ActiveAt schema.Millis // leases in force at this time
	Limit    int           // default: 100
}

// Leases gives leases, those that end first at the top.
func (s *Store) Leases(ctx context.Context, f LeaseFilter) ([]schema.Lease, error) {
	w := of(f.Tenant).incident(f.Incident)
	if f.ActiveAt != 0 {
		w.and("state = 'active' AND until > {at:DateTime64(3, 'UTC')}", "at", millis(f.ActiveAt))
	}
	rows, err := read(ctx, s, leasesTable(), w, "ORDER BY until, lease_id"+limit(f.Limit))
	return nouns(rows, func(r *persist.Lease) schema.Lease { return r.Lease }), err
}

// ActionFilter says which commands to list. Tenant is required; the zero value of
// any other field does not filter.
type ActionFilter struct {
	Tenant       string
	Incident     schema.IncidentID
	Since, Until schema.Millis
	Pending      bool // only those without a result
	Limit        int  // default: 100
}

// Command is an action with what executors said of it, oldest first.
type Command struct {
	schema.Action
	Results []schema.ActionResult `json:"results,omitempty"`
}

// Actions gives commands, newest first.
func (s *Store) Actions(ctx context.Context, f ActionFilter) ([]Command, error) {
	w := of(f.Tenant).within("time", f.Since, f.Until).incident(f.Incident).and("record = 'command'", "", "")
	if f.Pending {
		w.and("action_id NOT IN (SELECT action_id FROM actions WHERE tenant = {tenant:String} AND record = 'result')", "", "")
	}
	rows, err := read(ctx, s, actionsTable(), w, "ORDER BY time DESC, action_id"+limit(f.Limit))
	if err != nil {
		return nil, err
	}
	ids := nouns(rows, func(r *persist.Action) schema.ID { return r.ID })
	results, err := read(ctx, s, actionsTable(), of(f.Tenant).and("record = 'result'", "", "").
		and("action_id IN {ids:Array(UUID)}", "ids", uuids(ids)), "ORDER BY time, offset")
	if err != nil {
		return nil, err
	}
	commands := nouns(rows, func(r *persist.Action) Command { return Command{Action: r.Action} })
	for i := range commands {
		for _, r := range results {
			if r.ID == commands[i].ID {
				commands[i].Results = append(commands[i].Results, schema.ActionResult{Action: r.ID, Lease: r.Lease, Tenant: r.Tenant,
					Target: r.Target, Kind: r.Kind, Verb: r.Verb, Status: r.Status, Detail: r.Detail, Executor: r.Executor, Prior: r.Prior,
					Time: r.Issued})
			}
		}
	}
	return commands, nil
}

// LedgerFilter says which events to list. Tenant is required; the zero value of
// any other field does not filter.
type LedgerFilter struct {
	Tenant       string
	Incident     schema.IncidentID
	Object       string
	Since, Until schema.Millis
	Limit        int // default: 100
}

// Ledger gives events, newest first.
func (s *Store) Ledger(ctx context.Context, f LedgerFilter) ([]schema.LedgerEvent, error) {
	w := of(f.Tenant).within("time", f.Since, f.Until).incident(f.Incident)
	if f.Object != "" {
		w.and("object = {object:String}", "object", text(f.Object))
	}
	rows, err := read(ctx, s, ledgerTable(), w, "ORDER BY time DESC, event_id"+limit(f.Limit))
	return nouns(rows, func(r *persist.Ledger) schema.LedgerEvent { return r.LedgerEvent }), err
}

// Event is one line of an incident's timeline.
type Event struct {
	Time   schema.Millis `json:"time"`
	What   string        `json:"what"` // alert, head, decision, command, result or ledger
	Object string        `json:"object"`
	Actor  string        `json:"actor"`
	Detail string        `json:"detail"`
}

// Timeline gives what happened to an incident, oldest first.
func (s *Store) Timeline(ctx context.Context, tenant string, incident schema.IncidentID) ([]Event, error) {
	if tenant == "" {
		return nil, ErrTenant
	}
	var events []Event
	w := of(tenant).incident(incident)
	err := s.each(ctx, `SELECT time, what, object, actor, detail FROM v_incident_timeline
		WHERE tenant = {tenant:String} AND incident_id = {incident:UUID} ORDER BY time, what, object`, w.params, func(r driver.Rows) error {
		var e Event
		var at time.Time
		if err := r.Scan(&at, &e.What, &e.Object, &e.Actor, &e.Detail); err != nil {
			return err
		}
		e.Time = schema.FromTime(at)
		events = append(events, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the timeline: %w", err)
	}
	return events, nil
}

// Explanation is everything the store knows of why an incident is what it is and
// what was done about it.
type Explanation struct {
	Incident  schema.Incident      `json:"incident"`
	Former    []schema.IncidentID  `json:"former_ids,omitempty"` // ids that lead to it
	Members   []schema.Member      `json:"members"`
	Matches   []persist.Match      `json:"matches,omitempty"`
	Paths     []schema.Path        `json:"paths,omitempty"`
	Decisions []schema.Decision    `json:"decisions,omitempty"`
	Leases    []schema.Lease       `json:"leases,omitempty"`
	Actions   []Command            `json:"actions,omitempty"`
	Ledger    []schema.LedgerEvent `json:"ledger,omitempty"`
	Withdrawn bool                 `json:"matches_withdrawn,omitzero"` // every match that counted was taken back
}

// withdrawn reports matches that were taken back, where none counts.
func withdrawn(list []persist.Match) bool {
	some := false
	for i := range list {
		if list[i].Counts() {
			return false
		}
		some = some || list[i].Withdrawn != 0
	}
	return some
}

// explainLimit bounds each list of an explanation but its members.
const explainLimit = 1000

// Explain gathers an incident by id or number; see Incident for redirects and
// errors.
func (s *Store) Explain(ctx context.Context, tenant, idOrNumber string) (*Explanation, error) {
	head, err := s.Incident(ctx, tenant, idOrNumber)
	if err != nil {
		return nil, err
	}
	x := &Explanation{Incident: head}
	for _, part := range []func() error{
		func() (err error) { x.Former, err = s.FormerIDs(ctx, tenant, head.ID); return err },
		func() (err error) { x.Members, err = s.Members(ctx, tenant, head.ID); return err },
		func() (err error) { x.Matches, err = s.Matches(ctx, tenant, head.ID); return err },
		func() (err error) { x.Paths, err = s.Paths(ctx, tenant, head.ID); return err },
		func() (err error) {
			x.Decisions, err = s.Decisions(ctx, DecisionFilter{Tenant: tenant, Incident: head.ID, Limit: explainLimit})
			return err
		},
		func() (err error) {
			x.Leases, err = s.Leases(ctx, LeaseFilter{Tenant: tenant, Incident: head.ID, Limit: explainLimit})
			return err
		},
		func() (err error) {
			x.Actions, err = s.Actions(ctx, ActionFilter{Tenant: tenant, Incident: head.ID, Limit: explainLimit})
			return err
		},
		func() (err error) {
			x.Ledger, err = s.Ledger(ctx, LedgerFilter{Tenant: tenant, Incident: head.ID, Limit: explainLimit})
			return err
		},
	} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("explaining incident %s: %w", head.ID, err)
		}
	}
	x.Withdrawn = withdrawn(x.Matches)
	return x, nil
}
