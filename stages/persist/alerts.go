package persist

import (
	"fmt"

	"github.com/interdict/interdict/schema"
)

// entry takes one record of the alerts log.
func (d *decoder) entry(r *Record) error {
	kind, body, err := schema.DecodeEntry(r.Value)
	if err != nil {
		return err
	}
	switch kind {
	case schema.EntryAlert:
		return d.alert(r, body)
	case schema.EntryWatermark:
		return d.watermark(r, body)
	case schema.EntryRetro:
		return d.retro(r, body)
	default:
		// Control records are commands to hop 2; what came of them is in the
		// ledger. Unknown ones were written by a newer version.
		d.done.Skipped++
		return nil
	}
}

func (d *decoder) alert(r *Record, body []byte) error {
	a := next(&d.rows.Alerts)
	if err := decode(&a.Alert, "alert", body, &a.Tenant); err != nil {
		return err
	}
	a.Revision, a.Position = a.RevisionOf(), d.at(r)
	if !d.cfg.Raw {
		a.Raw = nil
	}
	d.done.Alerts++
	if rule, name := ruleOf(&a.Alert); rule != "" {
		d.rows.detection(a, rule, name)
	}
	for i := range a.Entities {
		e := &a.Entities[i]
		d.rows.AlertEntities = append(d.rows.AlertEntities, AlertEntity{Tenant: a.Tenant, Alert: a.ID, Revision: a.Revision, Time: a.Created,
			Source: a.Source, Severity: a.Severity, Title: a.Title, Entity: *e, Position: a.Position})
		d.rows.entity(a, e)
		if e.UID != "" && e.UID != e.Key {
			d.rows.alias(a, e)
		}
	}
	// An address that is named with two ports may have one match twice, of which one
	// counts. The table keeps the last.
	for _, counting := range [...]bool{false, true} {
		for _, m := range a.Matches {
			if int(m.Entity) >= len(a.Entities) {
				return fmt.Errorf("match of entity %d of %d", m.Entity, len(a.Entities))
			}
			if m.Counts() == counting {
				d.rows.Matches = append(d.rows.Matches, Match{Tenant: a.Tenant, Alert: a.ID, Revision: a.Revision, Time: a.Created,
					Source: a.Source, On: a.Entities[m.Entity].Ref(), Match: m, Position: a.Position})
			}
		}
	}
	return nil
}

// retro writes a match that was found after its alert, or what it is worth by now. The
// alert's own row is of hop 1's making and stays as it is.
func (d *decoder) retro(r *Record, body []byte) error {
	var m schema.RetroMatch
	if err := decode(&m, "retro-match", body, &m.Tenant); err != nil {
		return err
	}
	row := Match{Tenant: m.Tenant, Alert: m.Alert, Revision: m.RevisionOf(), Time: m.Created, Source: m.Source, On: m.On, Match: m.Match, Position: d.at(r)}
	switch m.Kind {
	case schema.RetroFound:
		row.Retro = true
	case schema.RetroWithdrawn:
		row.Withdrawn = m.Made
		if row.Demoted == "" { // or it would count
			row.Demoted = "withdrawn"
		}
	case schema.RetroReinstated:
	default: // written by a newer version
		d.done.Skipped++
		return nil
	}
	d.rows.Matches = append(d.rows.Matches, row)
	return nil
}

// ruleOf names the vendor's detection: by its id, else by its name.
func ruleOf(a *schema.Alert) (uid, name string) {
	if a.RuleUID != "" {
		return a.RuleUID, a.Rule
	}
	return a.Rule, a.Rule
}

func (d *decoder) watermark(r *Record, body []byte) error {
	var w schema.Watermark
	if err := decode(&w, "watermark", body, &w.Tenant); err != nil {
		return err
	}
	d.done.Watermark = max(d.done.Watermark, w.MaxCreated)
	d.rows.SourceStats = append(d.rows.SourceStats, SourceStats{Watermark: w, Position: d.at(r)})
	return nil
}

// seen finds the row of an entity, alias or detection in the range, so that each
// has one row however many alerts name it.
type seen struct {
	entities   map[entityKey]int
	aliases    map[schema.EntityAlias]int
	detections map[schema.Detection]int
}

type entityKey struct {
	tenant string
	ref    schema.EntityRef
}

func (s *seen) reset() {
	if s.entities == nil {
		s.entities = map[entityKey]int{}
		s.aliases = map[schema.EntityAlias]int{}
		s.detections = map[schema.Detection]int{}
	}
	clear(s.entities)
	clear(s.aliases)
	clear(s.detections)
}

func (r *Rows) entity(a *Alert, e *schema.Entity) {
	k := entityKey{a.Tenant, e.Ref()}
	i, ok := r.seen.entities[k]
	if !ok {
		i = len(r.Entities)
		r.seen.entities[k] = i
		r.Entities = append(r.Entities, Entity{Tenant: a.Tenant, EntityRef: k.ref, UID: k.ref.UID(a.Tenant), First: a.Created, Last: a.Created})
	}
	row := &r.Entities[i]
	row.Name = max(row.Name, e.Name) // any rule will do that does not depend on the order
	row.First, row.Last = min(row.First, a.Created), max(row.Last, a.Created)
}

// alias notes that the vendor's stable id and the key mean the same thing.
func (r *Rows) alias(a *Alert, e *schema.Entity) {
	k := schema.EntityAlias{Tenant: a.Tenant, Entity: e.Ref(), Alias: schema.EntityRef{Type: e.Type, Key: e.UID}, Source: a.Source}
	i, ok := r.seen.aliases[k]
	if !ok {
		i = len(r.Aliases)
		r.seen.aliases[k] = i
		k.ValidFrom, k.ValidTo = a.Created, a.Created
		r.Aliases = append(r.Aliases, k)
	}
	row := &r.Aliases[i]
	row.ValidFrom, row.ValidTo = min(row.ValidFrom, a.Created), max(row.ValidTo, a.Created)
}

func (r *Rows) detection(a *Alert, uid, name string) {
	k := schema.Detection{Tenant: a.Tenant, Source: a.Source, RuleUID: uid}
	i, ok := r.seen.detections[k]
	if !ok {
		i = len(r.Detections)
		r.seen.detections[k] = i
		k.First, k.Last = a.Created, a.Created
		r.Detections = append(r.Detections, k)
	}
	row := &r.Detections[i]
	row.Name = max(row.Name, name)
	row.First, row.Last = min(row.First, a.Created), max(row.Last, a.Created)
}
