package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// demoReport is what the demonstration found, read back from ClickHouse, beside
// the truth.
type demoReport struct {
	Seconds   float64                   `json:"seconds"`
	Sent      int                       `json:"alerts_sent"`
	Stored    int                       `json:"alerts_stored"`
	Incidents int                       `json:"incidents"`
	Promoted  []*clickhouse.Explanation `json:"promoted"`
	Decisions []schema.Decision         `json:"decisions"`
	Attacks   []attackFound             `json:"attacks"`
}

// attackFound compares one attack of the world with the incident that holds most
// of it.
type attackFound struct {
	Campaign string            `json:"campaign"`
	Template string            `json:"template"`
	Alerts   int               `json:"alerts"`   // of the attack
	Incident schema.IncidentID `json:"incident"` // that holds most of them
	Held     int               `json:"held"`     // of them, by that incident
	Foreign  int               `json:"foreign"`  // alerts of that incident that are none of the attack's
	Pieces   int               `json:"pieces"`   // incidents that hold some of it
	Promoted bool              `json:"promoted"`
}

// shownPromoted bounds how many incidents are printed in full.
const shownPromoted = 5

func newDemoReport(ctx context.Context, st *clickhouse.Store, tenant string, truth map[schema.AlertID]gen.Truth, campaigns []gen.Campaign) (*demoReport, error) {
	r := &demoReport{Sent: len(truth)}
	all, err := st.ListIncidents(ctx, clickhouse.IncidentFilter{Tenant: tenant, Limit: 100_000})
	if err != nil {
		return nil, err
	}
	r.Incidents = len(all)
	in := map[schema.AlertID]schema.IncidentID{}
	size := map[schema.IncidentID]int{}
	heads := map[schema.IncidentID]schema.Incident{}
	for _, i := range all {
		heads[i.ID] = i
		if i.Disposition != schema.Promoted && i.Alerts == 1 {
			continue // counted below by elimination
		}
		members, err := st.Members(ctx, tenant, i.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			in[m.Alert] = i.ID
		}
		size[i.ID] = len(members)
		if i.Disposition == schema.Promoted && len(r.Promoted) < shownPromoted {
			x, err := st.Explain(ctx, tenant, i.ID.String())
			if err != nil {
				return nil, err
			}
			r.Promoted = append(r.Promoted, x)
		}
	}
	t, err := st.Query(ctx, "SELECT count() FROM v_alerts WHERE tenant = {tenant:String}", map[string]string{"tenant": tenant})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Sscan(t.Rows[0][0], &r.Stored); err != nil {
		return nil, err
	}
	if r.Decisions, err = st.Decisions(ctx, clickhouse.DecisionFilter{Tenant: tenant}); err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		r.Attacks = append(r.Attacks, found(c, truth, in, size, heads))
	}
	return r, nil
}

func found(c gen.Campaign, truth map[schema.AlertID]gen.Truth, in map[schema.AlertID]schema.IncidentID, size map[schema.IncidentID]int,
	heads map[schema.IncidentID]schema.Incident) attackFound {
	f := attackFound{Campaign: c.ID, Template: c.Template}
	held := map[schema.IncidentID]int{}
	for id, t := range truth {
		if t.Campaign != c.ID {
			continue
		}
		f.Alerts++
		if i, ok := in[id]; ok {
			held[i]++
		} else {
			f.Pieces++ // an incident of one alert
		}
	}
	ids := make([]schema.IncidentID, 0, len(held))
	for id := range held {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b schema.IncidentID) int {
		return cmp.Or(cmp.Compare(held[b], held[a]), slices.Compare(a[:], b[:]))
	})
	f.Pieces += len(ids)
	if len(ids) > 0 {
		f.Incident, f.Held = ids[0], held[ids[0]]
		f.Foreign = size[ids[0]] - f.Held
		f.Promoted = heads[ids[0]].Disposition == schema.Promoted
	}
	return f
}

func (r *demoReport) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *demoReport) write(w io.Writer) error {
	promoted := 0
	for _, a := range r.Attacks {
		if a.Promoted {
			promoted++
		}
	}
	fmt.Fprintf(w, "\n%d alerts sent, %d stored in ClickHouse, %d incidents; the first promoted ones by priority:\n\n", r.Sent, r.Stored, r.Incidents)
	for _, x := range r.Promoted {
		if err := writeExplanation(w, x, true); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "Decisions (policies only watch until they are armed):")
	for _, d := range r.Decisions {
		fmt.Fprintln(w, "  "+decisionText(d))
	}
	if len(r.Decisions) == 0 {
		fmt.Fprintln(w, "  none")
	}
	fmt.Fprintln(w, "\nBeside the truth:")
	for _, a := range r.Attacks {
		fmt.Fprintf(w, "  attack %-8s %-24s %2d alerts: %d in %s with %d others, %d pieces, promoted %t\n", a.Campaign, a.Template, a.Alerts,
			a.Held, a.Incident.Number(), a.Foreign, a.Pieces, a.Promoted)
	}
	_, err := fmt.Fprintf(w, "  %d of %d attacks promoted; %.1f s from start to result\n", promoted, len(r.Attacks), r.Seconds)
	return err
}
