package main

import (
	"fmt"

	"github.com/interdict/interdict/deploy"
	"github.com/interdict/interdict/pipeline"
)

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Validate a configuration strictly and build every stage from it."`
	Example configExampleCmd `cmd:"" help:"Print a commented example with every setting and its default."`
}

type configCheckCmd struct{ configFlag }

func (c *configCheckCmd) Run(s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	if _, err := pipeline.NewPlan(cfg.Plan(), pipeline.Deps{Prefix: cfg.Kafka.Prefix}); err != nil {
		return usage{err}
	}
	_, err = fmt.Fprintf(s.out, "configuration is valid: %d sources, hops %v\n", len(cfg.Sources), cfg.Hops)
	return err
}

type configExampleCmd struct{}

func (c *configExampleCmd) Run(s *streams) error {
	_, err := fmt.Fprint(s.out, deploy.ConfigExample())
	return err
}
