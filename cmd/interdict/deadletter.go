package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

type deadLetterCmd struct {
	List    deadLetterListCmd    `cmd:"" help:"List rejected documents."`
	Show    deadLetterShowCmd    `cmd:"" help:"Print one document as it was received."`
	Redrive deadLetterRedriveCmd `cmd:"" help:"Send documents to their raw topic again, bytes and time unchanged."`
}

// deadLetterFilter selects documents on the command line.
type deadLetterFilter struct {
	Tenant string        `placeholder:"NAME" help:"Of this tenant."`
	Source string        `placeholder:"ID" help:"Of this source."`
	Topic  string        `placeholder:"NAME" help:"From this raw topic."`
	Reason string        `placeholder:"NAME" help:"Rejected for this reason, such as invalid_json."`
	Since  time.Duration `placeholder:"AGE" help:"Rejected no longer ago than this, such as 24h."`
}

func (f deadLetterFilter) filter() (kafka.DeadLetterFilter, error) {
	out := kafka.DeadLetterFilter{Tenant: f.Tenant, Source: f.Source, Topic: f.Topic}
	if f.Reason != "" {
		r, ok := schema.ParseReason(f.Reason)
		if !ok {
			return out, usagef("--reason: %q is not a reason", f.Reason)
		}
		out.Reason = r
	}
	if f.Since > 0 {
		out.Since = schema.FromTime(time.Now().Add(-f.Since))
	}
	return out, nil
}

type deadLetterListCmd struct {
	configFlag
	deadLetterFilter
	Limit int  `default:"100" help:"At most so many; 0: all."`
	JSON  bool `name:"json" help:"Print as JSON lines, with the bytes in base64."`
}

func (c *deadLetterListCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	f, err := c.filter()
	if err != nil {
		return err
	}
	f.Limit = c.Limit
	enc := json.NewEncoder(s.out)
	return kafka.ListDeadLetter(ctx, cfg.Kafka, f, func(e kafka.DeadLetterEntry) error {
		if c.JSON {
			return enc.Encode(e)
		}
		_, err := fmt.Fprintf(s.out, "%-12s %s  %s/%s  %s/%d/%d  %d bytes  %s: %s %s\n", e.ID, e.Rejected, e.Tenant, e.Source,
			e.Topic, e.Partition, e.Offset, len(e.Bytes), e.Reason, printable(e.Detail), e.Problem)
		return err
	})
}

type deadLetterShowCmd struct {
	configFlag
	JSON bool   `name:"json" help:"Print what is known of it as JSON, with the bytes in base64."`
	ID   string `arg:"" help:"partition/offset, as list prints it."`
}

func (c *deadLetterShowCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	id, err := kafka.ParseDeadLetterID(c.ID)
	if err != nil {
		return usage{err}
	}
	e, err := kafka.ShowDeadLetter(ctx, cfg.Kafka, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(e)
	}
	if e.Problem != "" {
		fmt.Fprintln(s.err, "interdict: warning:", e.Problem)
	}
	_, err = s.out.Write(e.Bytes)
	return err
}

type deadLetterRedriveCmd struct {
	configFlag
	deadLetterFilter
	All    bool     `help:"Every document that the filter selects; without it name ids."`
	DryRun bool     `help:"Only say what would be sent."`
	JSON   bool     `name:"json" help:"Print the report as JSON."`
	IDs    []string `arg:"" optional:"" name:"id" help:"partition/offset, as list prints it."`
}

func (c *deadLetterRedriveCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	f, err := c.filter()
	if err != nil {
		return err
	}
	if c.All == (len(c.IDs) > 0) {
		return usagef("redrive: name ids, or say --all")
	}
	for _, text := range c.IDs {
		id, err := kafka.ParseDeadLetterID(text)
		if err != nil {
			return usage{err}
		}
		f.IDs = append(f.IDs, id)
	}
	rep, err := kafka.Redrive(ctx, cfg.Kafka, f, c.DryRun)
	if c.JSON {
		return errors.Join(err, json.NewEncoder(s.out).Encode(rep))
	}
	fmt.Fprintf(s.out, "%d selected, %d sent, %d bytes\n", rep.Selected, rep.Produced, rep.Bytes)
	for _, b := range rep.Broken {
		fmt.Fprintln(s.err, "not whole:", b)
	}
	for _, w := range rep.Warnings {
		fmt.Fprintln(s.err, "warning:", w)
	}
	return err
}
