package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Seer remembers what alerts named, so that an indicator that comes later finds
// them; intel/retro has one.
type Seer interface {
	// See returns when what the alerts named is durable. Seeing an alert again has
	// no effect. It may be called from many goroutines and must not keep alerts.
	See(alerts []schema.Alert) error
}

// SeenSink feeds the memory of what alerts named from the alerts log; false where
// there is none. One process must run it, the one that asks the memory: its group
// has each partition once.
func (p *Plan) SeenSink() (SinkHop, bool) {
	if p.deps.Seen == nil {
		return SinkHop{}, false
	}
	return SinkHop{Name: "seen", Inputs: []string{p.topic(TopicAlerts)}, Insert: p.see}, true
}

// seenAtOnce is how many alerts are decoded at a time: memory for few, and few writes.
const seenAtOnce = 1024

// see takes a range of the alerts log. It costs one write for each seenAtOnce alerts.
func (p *Plan) see(ctx context.Context, r Range) (int, error) {
	var b schema.Batch
	writes := 0
	for part := range slices.Chunk(r.Records, seenAtOnce) {
		b.Reset()
		for _, rec := range part {
			kind, body, err := schema.DecodeEntry(rec.Value)
			if err == nil && kind == schema.EntryAlert {
				err = b.NextAlert().DecodeWire(body)
			}
			if err != nil {
				return writes, stages.Permanent(fmt.Errorf("%s partition %d offset %d: %w", r.Topic, r.Partition, rec.Offset, err))
			}
		}
		if err := ctx.Err(); err != nil {
			return writes, err
		}
		if len(b.Alerts) == 0 {
			continue
		}
		if err := p.deps.Seen.See(b.Alerts); err != nil {
			return writes, err
		}
		writes++
	}
	return writes, nil
}
