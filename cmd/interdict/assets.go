package main

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/pipeline/kafka"
)

type assetsCmd struct {
	Import assetsImportCmd `cmd:"" help:"Send an inventory to the pipeline: one host a line as JSON."`
}

type assetsImportCmd struct {
	configFlag
	Tenant string `required:"" placeholder:"NAME" help:"Tenant the assets belong to."`
	File   string `arg:"" type:"existingfile" help:"Lines of {name, class, criticality, group, owner, updated}."`
}

func (c *assetsImportCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	list, err := readInventory(c.File, c.Tenant)
	if err != nil {
		return err
	}
	if err := kafka.SendAssets(ctx, cfg.Kafka, list); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d assets sent\n", len(list))
	return err
}
