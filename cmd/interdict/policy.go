package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/user"
	"time"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

type policyCmd struct {
	List       policyListCmd       `cmd:"" help:"List the configured policies."`
	KillSwitch policyKillSwitchCmd `cmd:"" help:"Turn the kill switch on or off: while it is on, nothing acts."`
	ReleaseAll policyReleaseAllCmd `cmd:"" help:"End every lease of a tenant, or of all."`
	Release    policyReleaseCmd    `cmd:"" help:"End one lease."`
	Verdict    policyVerdictCmd    `cmd:"" help:"Say that an alert is a false positive: what it caused is released."`
}

type policyListCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print as JSON lines."`
}

func (c *policyListCmd) Run(s *streams) error {
	f := *s
	f.environ = append([]string{"INTERDICT_EMBEDDED=true"}, s.environ...)
	cfg, err := c.load(&f)
	if err != nil {
		return err
	}
	for _, p := range cfg.Disrupt.Policies {
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(p)
		} else {
			_, err = fmt.Fprintf(s.out, "%-28s %-9s %s\n", p.Name, p.Mode, p.Description)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// control is what every command that changes policy shares.
type control struct {
	configFlag
	Tenant string `placeholder:"NAME" help:"Tenant; default: all tenants."`
	Actor  string `placeholder:"NAME" help:"Who does it, for the ledger; default: the system's user."`
}

func (c control) send(ctx context.Context, s *streams, x schema.Control) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	x.Tenant, x.Actor, x.Time = c.Tenant, c.Actor, schema.FromTime(time.Now())
	if x.Actor == "" {
		x.Actor = "operator"
		if u, err := user.Current(); err == nil {
			x.Actor = u.Username
		}
	}
	if err := kafka.SendControl(ctx, cfg.Kafka, x); err != nil {
		return err
	}
	who := "tenant " + x.Tenant
	if x.Tenant == "" {
		who = "all tenants"
	}
	_, err = fmt.Fprintf(s.out, "sent: %s %s %s for %s\n", x.Kind, x.Object, x.Value, who)
	return err
}

type policyKillSwitchCmd struct {
	control
	State string `arg:"" enum:"on,off" help:"on or off."`
}

func (c *policyKillSwitchCmd) Run(ctx context.Context, s *streams) error {
	return c.send(ctx, s, schema.Control{Kind: schema.ControlKillSwitch, Object: "kill-switch", Value: c.State})
}

type policyReleaseAllCmd struct{ control }

func (c *policyReleaseAllCmd) Run(ctx context.Context, s *streams) error {
	return c.send(ctx, s, schema.Control{Kind: schema.ControlReleaseAll, Object: "all"})
}

type policyReleaseCmd struct {
	control
	Lease string `arg:"" help:"Lease id."`
}

func (c *policyReleaseCmd) Run(ctx context.Context, s *streams) error {
	if c.Tenant == "" {
		return usagef("release: --tenant is needed")
	}
	return c.send(ctx, s, schema.Control{Kind: schema.ControlRelease, Object: c.Lease})
}

type policyVerdictCmd struct {
	control
	Alert   string `arg:"" help:"Alert id."`
	Verdict string `arg:"" enum:"malicious,suspicious,benign,false_positive" help:"Verdict (${enum})."`
}

func (c *policyVerdictCmd) Run(ctx context.Context, s *streams) error {
	if c.Tenant == "" {
		return usagef("verdict: --tenant is needed")
	}
	if _, err := schema.ParseAlertID(c.Alert); err != nil {
		return usagef("verdict: alert id: %w", err)
	}
	return c.send(ctx, s, schema.Control{Kind: schema.ControlVerdict, Object: c.Alert, Value: c.Verdict})
}
