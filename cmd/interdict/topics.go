package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/interdict/interdict/pipeline/kafka"
)

type topicsCmd struct {
	Plan  topicsPlanCmd  `cmd:"" help:"Compare the cluster with what Interdict needs; changes nothing. Exit 1 if something is wrong or missing."`
	Apply topicsApplyCmd `cmd:"" help:"Create what is missing and change settings that are safe to change."`
}

type topicsPlanCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print as JSON."`
}

func (c *topicsPlanCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	p, err := kafka.PlanTopics(ctx, cfg.Kafka, cfg.RawTopics())
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(p)
	} else {
		err = p.WriteText(s.out)
	}
	if err != nil {
		return err
	}
	if p.Pending() > 0 || p.Err() != nil {
		return quietError(exitFailed)
	}
	return nil
}

type topicsApplyCmd struct{ configFlag }

func (c *topicsApplyCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	p, err := kafka.PlanTopics(ctx, cfg.Kafka, cfg.RawTopics())
	if err != nil {
		return err
	}
	pending := p.Pending()
	if err := p.Apply(ctx, cfg.Kafka); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "%d topics created or changed\n", pending); err != nil {
		return err
	}
	return p.Err()
}
