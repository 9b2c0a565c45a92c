package distribute

import (
	"errors"
	"fmt"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Bounds of what is written. Readers hold to maxList.
const (
	maxRecord = 900 << 10 // bytes of a record: a broker's default takes a little more
	maxList   = 64 << 20  // bytes of all parts of a list
	listSize  = 4096      // changes that are applied, and told, at once
)

var errLarge = errors.New("does not fit into a record")

// encodeList writes the records of one list: as few parts as hold the changes. d gives
// all but Part, Parts and Changes.
func encodeList(d schema.IndicatorDelta, changes []match.Change) ([][]byte, error) {
	const frame = 256 // what a delta takes besides its changes and its feed
	var parts [][]schema.IndicatorChange
	var part []schema.IndicatorChange
	size := 0
	for i := range changes {
		c := toWire(&changes[i])
		n := sizeOf(&c)
		if n+len(d.Feed)+frame > maxRecord {
			return nil, fmt.Errorf("indicator %s of feed %s: %w", c.Indicator.ID, c.Indicator.Feed, errLarge)
		}
		if len(part) == schema.MaxElements || size+n+len(d.Feed)+frame > maxRecord {
			parts, part, size = append(parts, part), nil, 0
		}
		part, size = append(part, c), size+n
	}
	parts = append(parts, part)
	d.Parts = uint32(len(parts))
	var records [][]byte
	for i, p := range parts {
		d.Part, d.Changes = uint32(i), p
		records = append(records, schema.AppendDeltaEntry(nil, &d))
	}
	return records, nil
}

// fits reports whether a change can travel.
func fits(c *match.Change) bool {
	w := toWire(c)
	return sizeOf(&w) < maxRecord-4096
}

// sizeOf is at least what a change takes in a record. Text that is not UTF-8 grows to
// three times its size at most.
func sizeOf(c *schema.IndicatorChange) int {
	i := &c.Indicator
	n := 120 + 3*(len(i.ID)+len(i.Feed)+len(i.Tenant)+len(i.Value))
	for _, l := range i.Labels {
		n += 6 + 3*len(l)
	}
	for k := range i.Threats {
		n += 24 + 3*(len(i.Threats[k].ID)+len(i.Threats[k].Name))
	}
	return n
}

func toWire(c *match.Change) schema.IndicatorChange {
	if c.Op == match.Remove {
		return schema.IndicatorChange{Op: schema.IndicatorRemove, Indicator: known(&c.Indicator)}
	}
	return schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: c.Indicator}
}

// known gives of an indicator what it is known by, and whose it is: all that a removal
// says. The index does not need the tenant; the history of a tenant's indicators does.
func known(i *schema.Indicator) schema.Indicator {
	return schema.Indicator{Type: i.Type, Value: i.Value, Feed: i.Feed, ID: i.ID, Tenant: i.Tenant}
}

func fromWire(c *schema.IndicatorChange) match.Change {
	return match.Change{Op: match.Op(c.Op), Indicator: c.Indicator}
}

// feedOf gives the feed of all changes, or nothing if there are several.
func feedOf(changes []match.Change) string {
	feed := changes[0].Indicator.Feed
	for i := range changes {
		if changes[i].Indicator.Feed != feed {
			return ""
		}
	}
	return feed
}
