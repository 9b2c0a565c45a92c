package kafka

import (
	"context"
	"testing"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
)

// broadcastLane sends each record to every partition of the alerts topic.
type broadcastLane struct{ passLane }

func (broadcastLane) Process(_ context.Context, recs []pipeline.Record, out *pipeline.Outbox) error {
	for _, r := range recs {
		out.Msgs = append(out.Msgs, pipeline.Out{Topic: pipeline.TopicAlerts, Sharded: true, Shard: schema.Shard(1), Broadcast: true, Value: r.Value})
	}
	return nil
}

func TestBroadcast(t *testing.T) {
	c := newCluster(t)
	input := c.input(t, "raw")
	c.produce(t, input, numbers(0, 7)...)
	hop := passHop(input)
	hop.Open = func(pipeline.LaneID) (pipeline.Lane, error) { return broadcastLane{}, nil }
	cfg := c.config("a")
	r := c.start(t, cfg, hop, Settings{})
	c.drained(t, r)
	r.stop(t)
	got := c.read(t, pipeline.TopicAlerts.Name(cfg.Prefix))
	if len(got) != int(cfg.Partitions) {
		t.Errorf("%d of %d partitions heard of it", len(got), cfg.Partitions)
	}
	for p, recs := range got {
		if len(recs) != 7 {
			t.Errorf("partition %d has %d records, want 7", p, len(recs))
		}
	}
}
