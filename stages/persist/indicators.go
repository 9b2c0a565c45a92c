package persist

import "github.com/interdict/interdict/schema"

// Indicator is one change of the index.
type Indicator struct {
	schema.IndicatorChange
	Seq      uint64        // of the list of changes
	Snapshot uint64        // id of the content that the list led to
	Made     schema.Millis // the publisher's clock
	Position
}

// indicators takes one record of the indicators log. References to snapshots change
// nothing; unknown entries were written by a newer version.
func (d *decoder) indicators(r *Record) error {
	kind, body, err := schema.DecodeIndicatorEntry(r.Value)
	if err != nil {
		return err
	}
	if kind != schema.IndicatorEntryDelta {
		d.done.Skipped++
		return nil
	}
	var delta schema.IndicatorDelta
	if err := delta.DecodeWire(body); err != nil {
		return err
	}
	if len(delta.Changes) == 0 {
		d.done.Skipped++
	}
	for _, c := range delta.Changes {
		d.rows.Indicators = append(d.rows.Indicators, Indicator{c, delta.Seq, delta.After, delta.Made, d.at(r)})
	}
	return nil
}
