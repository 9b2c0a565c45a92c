package main

import (
	"context"

	"github.com/interdict/interdict/pipeline/kafka"
)

type devBrokerCmd struct {
	configFlag
	Dir        string `type:"path" placeholder:"DIR" help:"Keep the data here; default: memory alone."`
	Port       int    `default:"9092" help:"Port on 127.0.0.1; 0: any free one."`
	SyncWrites bool   `help:"Make every batch durable before it is acknowledged."`
}

// Run prints one line of JSON with the addresses when the broker is ready, and
// serves until it is stopped.
func (c *devBrokerCmd) Run(ctx context.Context, s *streams) error {
	f := *s
	f.environ = append([]string{"INTERDICT_EMBEDDED=true"}, s.environ...)
	cfg, err := c.load(&f)
	if err != nil {
		return err
	}
	b := cfg.Broker
	b.Dir, b.Port, b.SyncWrites = c.Dir, c.Port, c.SyncWrites
	b.Prefix, b.Partitions, b.Raw, b.Logger = cfg.Kafka.Prefix, cfg.Kafka.Partitions, cfg.RawTopics(), logger(cfg.Log, s.err)
	return kafka.ServeBroker(ctx, b, s.out)
}
