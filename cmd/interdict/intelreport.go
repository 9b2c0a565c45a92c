package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

type intelReportCmd struct {
	intelFlags
	Kind   string `placeholder:"KIND" help:"Only these: report, campaign, actor, malware."`
	Tenant string `placeholder:"NAME" help:"Tenant whose alerts and incidents are told; needs --config with clickhouse. Default: the only one that is configured."`
	Limit  int    `default:"50" help:"Print at most so many indicators, incidents, entities and matches of each; 0: all that are known."`
	JSON   bool   `name:"json" help:"Print as JSON lines."`
	ID     string `arg:"" optional:"" help:"Id or name of one, in whatever case; a part of the name where that is of no other. Default: list all."`
}

// toldReport is what is known of a report and what was found of it.
type toldReport struct {
	Known []library.Threat         `json:"known"`           // one for each feed that has it; none: it is known from matches alone
	Found *clickhouse.ThreatReport `json:"found,omitempty"` // at the tenant

	Damaged []library.Damage `json:"damaged,omitempty"` // feeds that could not be asked

	threatName
}

// threatName is what a report and the like is called.
type threatName struct {
	kind     schema.ThreatKind
	id, name string
	aliases  []string
}

// reportKinds are those that the library tells of.
var reportKinds = [...]schema.ThreatKind{schema.ThreatReport, schema.ThreatCampaign, schema.ThreatActor, schema.ThreatMalware}

func (c *intelReportCmd) Run(ctx context.Context, s *streams) (err error) {
	var kinds []string
	for _, k := range reportKinds {
		kinds = append(kinds, k.String())
	}
	if err := oneOf("--kind", c.Kind, kinds...); err != nil {
		return err
	}
	if c.Limit < 0 {
		return usagef("--limit %d: want 0 or more", c.Limit)
	}
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	seen, err := c.seen(ctx, s, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seen.close()) }()
	if c.ID == "" {
		return c.list(ctx, s, l, seen)
	}
	var lacks library.Partial
	names, err := c.resolve(ctx, l, seen, &lacks)
	if errors.Is(err, library.ErrUnknownReport) && len(lacks.Damaged) > 0 {
		code, _ := incomplete(s, lacks.Err())
		fmt.Fprintf(s.err, "interdict: no feed that can be read has %s\n", printable(c.ID))
		return code
	}
	if err != nil {
		return err
	}
	var list []toldReport
	for _, n := range names {
		told := toldReport{threatName: n}
		known, err := l.ReportOf(ctx, n.id)
		if errors.Is(err, library.ErrUnknownReport) {
			err = nil
		}
		if err := lacks.Add(err); err != nil {
			return err
		}
		for _, t := range known {
			if t.Object.Kind == n.kind {
				told.Known = append(told.Known, t)
			}
		}
		if told.Found, err = seen.report(ctx, n); err != nil {
			return err
		}
		list = append(list, told)
	}
	code, _ := incomplete(s, lacks.Err())
	for i := range list {
		list[i].Damaged = lacks.Damaged
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(&list[i])
		} else {
			err = list[i].print(s, seen, c.Limit)
		}
		if err != nil {
			return err
		}
	}
	return code
}

// resolve finds what the given id or name means: an id, else a name as it is written, else
// in whatever case, an alias too, else the one name that it is a part of.
func (c *intelReportCmd) resolve(ctx context.Context, l *library.Library, seen *seenReports, lacks *library.Partial) ([]threatName, error) {
	all, err := l.Reports(ctx)
	if err := lacks.Add(err); err != nil {
		return nil, err
	}
	var names []threatName
	add := func(n threatName) {
		if c.Kind != "" && n.kind.String() != c.Kind {
			return
		}
		if !slices.ContainsFunc(names, func(o threatName) bool { return o.kind == n.kind && o.id == n.id }) {
			names = append(names, n)
		}
	}
	for i := range all {
		o := &all[i].Object
		add(threatName{o.Kind, o.ID, o.Name, o.Aliases})
	}
	for i := range seen.list {
		r := &seen.list[i]
		add(threatName{r.Kind, r.ID, r.Name, nil})
	}
	part := strings.ToLower(c.ID)
	for _, fits := range [...]func(n threatName) bool{
		func(n threatName) bool { return n.id == c.ID },
		func(n threatName) bool { return n.name == c.ID },
		func(n threatName) bool {
			return strings.EqualFold(n.name, c.ID) || slices.ContainsFunc(n.aliases, func(a string) bool { return strings.EqualFold(a, c.ID) })
		},
	} {
		if found := slices.DeleteFunc(slices.Clone(names), func(n threatName) bool { return !fits(n) }); len(found) > 0 {
			return found, nil
		}
	}
	found := slices.DeleteFunc(names, func(n threatName) bool { return !strings.Contains(strings.ToLower(n.name), part) })
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %q; see interdict intel report", library.ErrUnknownReport, c.ID)
	}
	if !slices.ContainsFunc(found, func(n threatName) bool { return !strings.EqualFold(n.name, found[0].name) }) {
		return found, nil
	}
	text := ""
	for _, n := range found[:min(len(found), 20)] {
		text += fmt.Sprintf("\n  %-10s %-60s %s", n.kind, short(n.name, 60), printable(n.id))
	}
	if more := len(found) - 20; more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return nil, usagef("%q is a part of %d names: give one, or its id:%s", c.ID, len(found), text)
}

func (c *intelReportCmd) list(ctx context.Context, s *streams, l *library.Library, seen *seenReports) error {
	all, err := l.Reports(ctx)
	code, err := incomplete(s, err)
	if err != nil {
		return err
	}
	for i := range seen.list { // what no feed has any more
		r := &seen.list[i]
		if !slices.ContainsFunc(all, func(t library.Threat) bool { return t.Object.Kind == r.Kind && t.Object.ID == r.ID }) {
			t := library.Threat{}
			t.Object.Kind, t.Object.ID, t.Object.Name = r.Kind, r.ID, r.Name
			all = append(all, t)
		}
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
			_, err = fmt.Fprintf(s.out, "%-10s %-60s %7d indicators  feed %-20s %s\n", t.Object.Kind, short(firstText(t.Object.Name, t.Object.ID), 60), t.Indicators,
				firstText(t.Feed, "(no more)"), printable(t.Object.ID))
		}
		if err != nil {
			return err
		}
	}
	return code
}

// seenReports is what the store knows; without a store it knows nothing.
type seenReports struct {
	st     *clickhouse.Store
	tenant string
	list   []clickhouse.ThreatReport
}

// seen asks the store, where one is configured, which reports were seen at the tenant; it
// says so where none is asked.
func (c *intelReportCmd) seen(ctx context.Context, s *streams, cfg *settings.Config) (*seenReports, error) {
	seen := &seenReports{}
	if cfg.ClickHouse.DSN == "" {
		switch {
		case c.ID == "":
		case c.Config == "":
			fmt.Fprintln(s.err, "alerts and incidents are told with --config")
		default:
			fmt.Fprintln(s.err, "alerts and incidents are not told: clickhouse.dsn is not set; the demo prints the one of its embedded engine")
		}
		return seen, nil
	}
	tenant, err := c.tenant(cfg)
	if tenant == "" || err != nil {
		return seen, err
	}
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if err != nil {
		return nil, err
	}
	seen.st, seen.tenant = st, tenant
	if seen.list, err = st.ThreatReports(ctx, tenant); err != nil {
		return nil, errors.Join(err, seen.close())
	}
	return seen, nil
}

// tenant gives whose alerts are meant; to list reports, nobody's need be.
func (c *intelReportCmd) tenant(cfg *settings.Config) (string, error) {
	list := tenants(cfg)
	for i := range cfg.Intel.Feeds {
		if t := cfg.Intel.Feeds[i].Tenant; t != "" && !slices.Contains(list, t) && c.Tenant != "" {
			list = append(list, t)
		}
	}
	switch {
	case c.Tenant != "" && len(list) > 0 && !slices.Contains(list, c.Tenant):
		return "", usagef("no source or feed is of tenant %q%s", c.Tenant, nearNames(c.Tenant, list))
	case c.Tenant != "":
		return c.Tenant, nil
	case len(list) == 1:
		return list[0], nil
	case c.ID == "":
		return "", nil
	case len(list) == 0:
		return "", usagef("no source is configured that would name a tenant: say --tenant")
	}
	return "", usagef("several tenants are configured: say --tenant%s", nearNames("", list))
}

func (r *seenReports) close() error {
	if r.st == nil {
		return nil
	}
	return r.st.Close()
}

// told reports whether the store tells of a kind.
func (r *seenReports) told(k schema.ThreatKind) bool {
	return r.st != nil && (k == schema.ThreatReport || k == schema.ThreatCampaign)
}

// report gives what was found of one, its incidents by priority; nil where nothing is told.
func (r *seenReports) report(ctx context.Context, n threatName) (*clickhouse.ThreatReport, error) {
	if !r.told(n.kind) {
		return nil, nil
	}
	x, err := r.st.ThreatReport(ctx, r.tenant, n.id)
	if errors.Is(err, clickhouse.ErrNotFound) {
		return &clickhouse.ThreatReport{Kind: n.kind, ID: n.id, Name: n.name}, nil
	}
	slices.SortStableFunc(x.Incident, func(a, b schema.Incident) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(b.Last, a.Last))
	})
	return &x, err
}
