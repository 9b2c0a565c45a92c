package pipeline

import (
	"context"
	"fmt"

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

// see takes a range of the alerts log. It costs one write, however many alerts there
// are.
func (p *Plan) see(ctx context.Context, r Range) (int, error) {
	alerts := make([]schema.Alert, 0, len(r.Records))
	for _, rec := range r.Records {
		kind, body, err := schema.DecodeEntry(rec.Value)
		if err == nil && kind == schema.EntryAlert {
			alerts = append(alerts, schema.Alert{})
			err = alerts[len(alerts)-1].DecodeWire(body)
		}
		if err != nil {
			return 0, stages.Permanent(fmt.Errorf("%s partition %d offset %d: %w", r.Topic, r.Partition, rec.Offset, err))
		}
	}
	if err := ctx.Err(); err != nil || len(alerts) == 0 {
		return 0, err
	}
	return 1, p.deps.Seen.See(alerts)
}
