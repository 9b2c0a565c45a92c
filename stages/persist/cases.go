package persist

import "github.com/interdict/interdict/schema"

func (d *decoder) incident(r *Record) error {
	row := Incident{Life: d.life(r)}
	if len(r.Value) == 0 {
		tenant, id, err := idOf(r.Key)
		if err != nil {
			return err
		}
		row.Tenant, row.ID, row.Version, row.Deleted = tenant, schema.IncidentID(id), tombstoneVersion, true
		d.rows.Incidents = append(d.rows.Incidents, row)
		return nil
	}
	if err := decode(&row.Incident, "incident", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Incidents = append(d.rows.Incidents, row)
	if !row.RedirectTo.IsZero() {
		d.rows.Redirects = append(d.rows.Redirects, Redirect{Tenant: row.Tenant, Incident: row.ID, To: row.RedirectTo,
			Version: row.Version, Written: r.Time, Position: d.at(r)})
	}
	return nil
}

func (d *decoder) member(r *Record) error {
	row := Member{Life: d.life(r)}
	m := &row.Member
	if len(r.Value) == 0 {
		tenant, id, err := idOf(r.Key)
		if err != nil {
			return err
		}
		m.Tenant, m.Alert, m.Version, row.Deleted = tenant, schema.AlertID(id), tombstoneVersion, true
	} else if err := decode(m, "member", r.Value, &m.Tenant); err != nil {
		return err
	}
	d.rows.Members = append(d.rows.Members, row)
	return nil
}

func (d *decoder) path(r *Record) error {
	row := Path{Life: d.life(r)}
	if len(r.Value) == 0 {
		tenant, id, err := idOf(r.Key)
		if err != nil {
			return err
		}
		row.Tenant, row.ID, row.Version, row.Deleted = tenant, id, tombstoneVersion, true
	} else if err := decode(&row.Path, "path", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Paths = append(d.rows.Paths, row)
	for i, e := range row.Edges {
		d.rows.PathEdges = append(d.rows.PathEdges, PathEdge{Tenant: row.Tenant, Path: row.ID, Incident: row.Incident, Seq: uint32(i),
			PathEdge: e, Version: row.Version, Life: row.Life})
		if row.Kind == schema.PathRealized {
			d.rows.Edges = append(d.rows.Edges, EntityEdge{Tenant: row.Tenant, Incident: row.Incident, PathEdge: e,
				Version: row.Version, Position: row.Position})
		}
	}
	return nil
}

func (d *decoder) asset(r *Record) error {
	row := Asset{Life: d.life(r)}
	if len(r.Value) == 0 {
		tenant, object, err := objectOf(r.Key)
		if err != nil {
			return err
		}
		if row.Entity, err = refOf(object); err != nil {
			return err
		}
		row.Tenant, row.Version, row.Deleted = tenant, tombstoneVersion, true
	} else if err := decode(&row.Asset, "asset", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Assets = append(d.rows.Assets, row)
	return nil
}

func (d *decoder) ledger(r *Record) error {
	row := Ledger{Position: d.at(r)}
	if err := decode(&row.LedgerEvent, "ledger event", r.Value, &row.Tenant); err != nil {
		return err
	}
	d.rows.Ledger = append(d.rows.Ledger, row)
	return nil
}
