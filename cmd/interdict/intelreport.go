package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

type intelReportCmd struct {
	intelFlags
	Kind   string `placeholder:"KIND" help:"Only these: report, campaign, actor, malware, tool."`
	Tenant string `placeholder:"NAME" help:"Tenant whose alerts and incidents are told; needs --config with clickhouse. Default: the only one that is configured."`
	JSON   bool   `name:"json" help:"Print as JSON."`
	ID     string `arg:"" optional:"" help:"Id or name of one; default: list all."`
}

// toldReport is what is known of a report and what was found of it.
type toldReport struct {
	Known []library.Threat         `json:"known"`
	Found *clickhouse.ThreatReport `json:"found,omitempty"` // at the tenant

	Damaged []library.Damage `json:"damaged,omitempty"` // feeds that could not be asked
}

func (c *intelReportCmd) Run(ctx context.Context, s *streams) error {
	if err := oneOf("--kind", c.Kind, namesIn[schema.ThreatKind]()...); err != nil {
		return err
	}
	l, cfg, err := c.look(s)
	if err != nil {
		return err
	}
	if c.ID == "" {
		return c.list(ctx, s, l)
	}
	var told toldReport
	told.Known, err = l.ReportOf(ctx, c.ID)
	if errors.Is(err, library.ErrUnknownReport) {
		told.Known, err = byName(ctx, l, c.ID)
	}
	var lacks library.Partial
	unknown := errors.Is(err, library.ErrUnknownReport)
	if other := lacks.Add(err); other != nil {
		return other
	}
	code, _ := incomplete(s, lacks.Err())
	if unknown {
		fmt.Fprintf(s.err, "interdict: no feed that can be read has %s\n", printable(c.ID))
		return code
	}
	told.Damaged = lacks.Damaged
	if told.Found, err = c.found(ctx, cfg); err != nil {
		return err
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(s.out).Encode(told), code)
	}
	for i := range told.Known {
		printThreat(s, &told.Known[i])
	}
	if told.Found != nil {
		printFound(s, told.Found)
	} else if c.Config == "" {
		fmt.Fprintln(s.out, "alerts and incidents are told with --config")
	}
	return code
}

// byName finds reports by their exact name.
func byName(ctx context.Context, l *library.Library, name string) ([]library.Threat, error) {
	var lacks library.Partial
	all, err := l.Reports(ctx)
	if err := lacks.Add(err); err != nil {
		return nil, err
	}
	var found []library.Threat
	for _, t := range all {
		if t.Object.Name == name {
			of, err := l.ReportOf(ctx, t.Object.ID)
			if err := lacks.Add(err); err != nil {
				return nil, err
			}
			found = append(found, of...)
		}
	}
	if len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("%w: %q; see interdict intel report", library.ErrUnknownReport, name), lacks.Err())
	}
	return found, lacks.Err()
}

func (c *intelReportCmd) list(ctx context.Context, s *streams, l *library.Library) error {
	all, err := l.Reports(ctx)
	code, err := incomplete(s, err)
	if err != nil {
		return err
	}
	if len(all) == 0 && code == nil && !c.JSON {
		fmt.Fprintln(s.err, "no feed has reports, campaigns, actors or malware")
	}
	for i := range all {
		t := &all[i]
		if c.Kind != "" && t.Object.Kind.String() != c.Kind {
			continue
		}
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(t)
		} else {
			_, err = fmt.Fprintf(s.out, "%-10s %-60s %7d indicators  feed %-20s %s\n", t.Object.Kind, short(firstText(t.Object.Name, t.Object.ID), 60), t.Indicators, t.Feed, printable(t.Object.ID))
		}
		if err != nil {
			return err
		}
	}
	return code
}

// found asks the store what a tenant has seen of it; nil where nothing was.
func (c *intelReportCmd) found(ctx context.Context, cfg *settings.Config) (*clickhouse.ThreatReport, error) {
	if c.Config == "" || cfg.ClickHouse.DSN == "" {
		return nil, nil
	}
	tenant := c.Tenant
	if tenant == "" {
		list := tenants(cfg)
		if len(list) != 1 {
			return nil, usagef("several tenants are configured: say --tenant")
		}
		tenant = list[0]
	}
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	r, err := st.ThreatReport(ctx, tenant, c.ID)
	if errors.Is(err, clickhouse.ErrNotFound) {
		return nil, nil
	}
	return &r, err
}

func printThreat(s *streams, t *library.Threat) {
	o := &t.Object
	fmt.Fprintf(s.out, "%s %s\n", o.Kind, printable(firstText(o.Name, o.ID)))
	line := func(name, format string, args ...any) {
		fmt.Fprintf(s.out, "  %-12s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("feed", "%s, TLP %s", t.Feed, o.TLP)
	line("id", "%s", o.ID)
	if o.First != 0 {
		line("first", "%s", o.First)
	}
	if len(o.Aliases) > 0 {
		line("aliases", "%q", o.Aliases)
	}
	if o.Desc != "" {
		line("about", "%s", short(o.Desc, 400))
	}
	types := make([]string, 0, len(t.Types))
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		types = append(types, fmt.Sprintf("%d %s", t.Types[name], name))
	}
	line("indicators", "%s", firstText(strings.Join(types, ", "), "none"))
	for _, x := range [...]struct {
		name string
		list []schema.Threat
	}{{"technique", t.Techniques}, {"actor", t.Actors}, {"malware", t.Malware}} {
		for _, v := range x.list {
			line(x.name, "%s", firstText(v.Name, v.ID))
		}
	}
	for _, i := range t.Listed {
		line(i.Type.String(), "%s", i.Value)
	}
	if more := t.Indicators - len(t.Listed); more > 0 {
		line("", "and %d more", more)
	}
}

func printFound(s *streams, r *clickhouse.ThreatReport) {
	fmt.Fprintf(s.out, "found: %d alerts (%d of them afterwards), %d incidents, %d hosts, %d users, %d mailboxes, %d resources, from %s to %s\n",
		r.Alerts, r.RetroAlerts, r.Incidents, r.Hosts, r.Users, r.Mailboxes, r.Resources, r.First, r.Last)
	for _, i := range r.Incident {
		fmt.Fprintf(s.out, "  incident     %s %-9s %s\n", i.ID, i.Severity, short(i.Title, 80))
	}
	for _, e := range r.Impacted {
		fmt.Fprintf(s.out, "  impacted     %s, %d alerts\n", printable(e.String()), e.Alerts)
	}
	for _, m := range r.Matched {
		fmt.Fprintf(s.out, "  matched      %s by feed %s, %d alerts\n", printable(m.On.String()), m.Feed, m.Alerts)
	}
}
