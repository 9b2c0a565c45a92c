package persist

import "github.com/interdict/interdict/schema"

func (d *decoder) decision(r *Record) error {
	row := Decision{Position: d.at(r)}
	if err := decode(&row.Decision, "decision", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Decisions = append(d.rows.Decisions, row)
	for _, a := range row.Evidence {
		d.rows.Evidence = append(d.rows.Evidence, Evidence{Tenant: row.Tenant, Decision: row.ID, Incident: row.Incident, Alert: a,
			Policy: row.Policy, Time: row.Time, Position: row.Position})
	}
	return nil
}

func (d *decoder) lease(r *Record) error {
	row := Lease{Life: d.life(r)}
	if len(r.Value) == 0 {
		tenant, id, err := idOf(r.Key)
		if err != nil {
			return err
		}
		row.Tenant, row.ID, row.Version, row.Deleted = tenant, id, tombstoneVersion, true
		row.State, row.From, row.Until = schema.LeaseReleased, r.Time, r.Time
	} else if err := decode(&row.Lease, "lease", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Leases = append(d.rows.Leases, row)
	return nil
}

func (d *decoder) action(r *Record) error {
	row := Action{Record: RecordCommand, Position: d.at(r)}
	if err := decode(&row.Action, "action", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Actions = append(d.rows.Actions, row)
	return nil
}

func (d *decoder) result(r *Record) error {
	var x schema.ActionResult
	if err := decode(&x, "action result", r.Value, &x.Tenant); err != nil {
		return err
	}
	d.rows.Actions = append(d.rows.Actions, Action{Record: RecordResult,
		Action: schema.Action{ID: x.Action, Tenant: x.Tenant, Lease: x.Lease, Verb: x.Verb, Kind: x.Kind, Target: x.Target, Issued: x.Time},
		Status: x.Status, Detail: x.Detail, Executor: x.Executor, Prior: x.Prior, Position: d.at(r)})
	return nil
}
