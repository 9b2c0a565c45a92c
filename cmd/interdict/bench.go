package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/interdict/interdict/bench/gen"
)

type benchCmd struct {
	Pipeline benchPipelineCmd `cmd:"" help:"CPU per record and records per second of each hop, beside a bare exactly-once copy."`
	Latency  benchLatencyCmd  `cmd:"" help:"Time from a raw record to the committed action that it triggers."`
	Intel    benchIntelCmd    `cmd:"" help:"Memory, build, load, look-ups and changes of the indicator index, beside an oracle."`

	Gen benchGenCmd `cmd:"" help:"Write a generated world: vendors' alerts with attacks hidden in noise, and the truth beside them."`
}

type benchGenCmd struct {
	Out       string        `required:"" type:"path" placeholder:"DIR" help:"Folder for the world; made if needed."`
	World     string        `type:"existingfile" placeholder:"FILE" help:"World parameters as YAML; flags go over it."`
	Seed      uint64        `help:"Seed; the same seed gives the same bytes."`
	Hosts     int           `help:"Machines."`
	Users     int           `help:"People."`
	Campaigns int           `default:"-1" help:"Attacks."`
	Duration  time.Duration `help:"Length of the world, such as 48h."`
	Start     time.Time     `help:"First moment of the world, RFC 3339."`
	JSON      bool          `name:"json" help:"Print the summary as JSON."`
}

func (c *benchGenCmd) Run(_ context.Context, s *streams) error {
	cfg := gen.Default()
	if c.World != "" {
		text, err := os.ReadFile(c.World)
		if err != nil {
			return err
		}
		if err := yaml.UnmarshalWithOptions(text, &cfg, yaml.Strict()); err != nil {
			return usagef("%s: %w", c.World, err)
		}
	}
	set(&cfg.Seed, c.Seed)
	set(&cfg.Hosts, c.Hosts)
	set(&cfg.Users, c.Users)
	set(&cfg.Duration, c.Duration)
	set(&cfg.Start, c.Start)
	if c.Campaigns >= 0 {
		cfg.Campaigns = c.Campaigns
	}
	w, err := gen.New(cfg)
	if err != nil {
		return usage{err}
	}
	sum, err := w.WriteDir(c.Out)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(sum)
	}
	_, err = fmt.Fprintf(s.out, "%d records, %d of them alerts, %d attacks, in %s\n", w.Len(), w.Alerts(), len(w.Campaigns()), c.Out)
	return err
}

// set puts v over *p where it was given.
func set[T comparable](p *T, v T) {
	var zero T
	if v != zero {
		*p = v
	}
}
