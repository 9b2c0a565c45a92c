package kafka

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// SendAssets puts an inventory on the assets topic and returns when all replicas
// have it. The key is tenant and entity with a zero byte between.
func SendAssets(ctx context.Context, cfg Config, list []schema.Asset) error {
	opts, err := cfg.Options()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("connecting to kafka: %w", err)
	}
	defer cl.Close()
	topic := pipeline.TopicAssets.Name(cfg.Prefix)
	recs := make([]*kgo.Record, len(list))
	for i := range list {
		a := &list[i]
		recs[i] = &kgo.Record{Topic: topic, Key: []byte(a.Tenant + "\x00" + a.Entity.String()), Value: a.AppendWire(nil)}
	}
	if err := cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		return fmt.Errorf("producing to %s: %w", topic, err)
	}
	return nil
}
