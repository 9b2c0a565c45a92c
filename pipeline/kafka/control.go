package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// SendControl puts a control record on the control topic and returns when all
// replicas have it. Its key is tenant, kind and object with zero bytes between, so
// that compaction keeps the last word on each.
func SendControl(ctx context.Context, cfg Config, c schema.Control) error {
	if c.Kind == schema.ControlUnknown {
		return errors.New("a control record needs a kind")
	}
	opts, err := cfg.Options()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("connecting to kafka: %w", err)
	}
	defer cl.Close()
	r := &kgo.Record{
		Topic: pipeline.TopicControl.Name(cfg.Prefix),
		Key:   []byte(c.Tenant + "\x00" + c.Kind.String() + "\x00" + c.Object),
		Value: c.AppendWire(nil),
	}
	if c.Time != 0 {
		r.Timestamp = c.Time.Time()
	}
	if err := cl.ProduceSync(ctx, r).FirstErr(); err != nil {
		return fmt.Errorf("producing to %s: %w", r.Topic, err)
	}
	return nil
}
