package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

type incidentCmd struct {
	List    incidentListCmd    `cmd:"" help:"List incidents, the highest priority first."`
	Show    incidentShowCmd    `cmd:"" help:"Show an incident with its alerts and attack path."`
	Explain incidentExplainCmd `cmd:"" help:"Say why each alert is in it, and what was decided about it."`
}

type incidentListCmd struct {
	configFlag
	Tenant    string        `default:"default" help:"Tenant."`
	All       bool          `help:"Background incidents too."`
	Withdrawn bool          `help:"Only those whose indicators were all taken back since."`
	Severity  string        `default:"" placeholder:"NAME" help:"Least severity, such as high."`
	Since     time.Duration `placeholder:"AGE" help:"With an alert no older than this, such as 24h."`
	Limit     int           `default:"50" help:"At most so many."`
	JSON      bool          `name:"json" help:"Print as JSON lines."`
}

func (c *incidentListCmd) Run(ctx context.Context, s *streams) error {
	f := clickhouse.IncidentFilter{Tenant: c.Tenant, Limit: c.Limit, Withdrawn: c.Withdrawn}
	if !c.All {
		f.Disposition = []schema.Disposition{schema.Promoted}
	}
	if c.Severity != "" {
		if err := f.MinSeverity.UnmarshalText([]byte(c.Severity)); err != nil {
			return usage{err}
		}
	}
	if c.Since > 0 {
		f.Since = schema.FromTime(time.Now().Add(-c.Since))
	}
	return withStore(ctx, c.configFlag, s, func(st *clickhouse.Store) error {
		list, err := st.ListIncidents(ctx, f)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(s.out)
		for _, i := range list {
			if c.JSON {
				err = enc.Encode(i)
			} else {
				_, err = fmt.Fprintln(s.out, incidentLine(i))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// incidentLine is one incident on one line.
func incidentLine(i schema.Incident) string {
	return fmt.Sprintf("%-12s %3d  %-13s %-10s %s  %4d alerts  %s", i.ID.Number(), i.Priority, i.Severity, i.Disposition,
		i.Last.Time().Format("2006-01-02 15:04"), i.Alerts, short(i.Title, 90))
}

type incidentShowCmd struct {
	configFlag
	Tenant string `default:"default" help:"Tenant."`
	JSON   bool   `name:"json" help:"Print as JSON."`
	ID     string `arg:"" help:"Incident id, or number such as INC-7F3A9C21."`
}

func (c *incidentShowCmd) Run(ctx context.Context, s *streams) error {
	return explained(ctx, c.configFlag, s, c.Tenant, c.ID, c.JSON, false)
}

type incidentExplainCmd incidentShowCmd

func (c *incidentExplainCmd) Run(ctx context.Context, s *streams) error {
	return explained(ctx, c.configFlag, s, c.Tenant, c.ID, c.JSON, true)
}

func explained(ctx context.Context, f configFlag, s *streams, tenant, id string, asJSON, reasons bool) error {
	return withStore(ctx, f, s, func(st *clickhouse.Store) error {
		x, err := st.Explain(ctx, tenant, id)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(s.out).Encode(showExplanation(x))
		}
		return writeExplanation(s.out, x, reasons)
	})
}

// shownExplanation is an explanation as JSON shows it.
type shownExplanation struct {
	*clickhouse.Explanation
	Matches []shownMatch `json:"matches,omitempty"`
}

// shownMatch is a match with the content id that asked as `interdict status` writes it.
type shownMatch struct {
	persist.Match
	Snapshot distribute.ContentID `json:"snapshot"`
}

func showExplanation(x *clickhouse.Explanation) shownExplanation {
	shown := shownExplanation{Explanation: x}
	for _, m := range x.Matches {
		shown.Matches = append(shown.Matches, shownMatch{m, distribute.ContentID(m.Snapshot)})
	}
	return shown
}

// writeExplanation prints an incident for people.
func writeExplanation(w io.Writer, x *clickhouse.Explanation, reasons bool) error {
	i := x.Incident
	fmt.Fprintln(w, incidentLine(i))
	fmt.Fprintf(w, "  id %s  level %s  %s to %s  from %s\n", i.ID, levelName(i.Level), i.First, i.Last, strings.Join(i.Sources, ", "))
	if len(x.Former) > 0 {
		fmt.Fprintf(w, "  also known as %v\n", x.Former)
	}
	if len(i.Factors) > 0 {
		var parts []string
		for _, f := range i.Factors {
			parts = append(parts, fmt.Sprintf("%s %+d", f.Name, f.Points))
		}
		fmt.Fprintf(w, "  priority %d: %s\n", i.Priority, strings.Join(parts, ", "))
	}
	fmt.Fprintln(w, "  alerts")
	matches := byAlert(x.Matches)
	for _, m := range x.Members {
		late := ""
		if m.Late {
			late = " (late)"
		}
		fmt.Fprintf(w, "    %s  %-13s %-10s %s%s\n", m.Created.Time().Format("15:04:05"), m.Severity, m.Source, short(m.Title, 80), late)
		if reasons {
			fmt.Fprintf(w, "      %s %s\n", m.Alert, reasonText(m))
			writeMatches(w, "      ", matches[m.Alert])
		}
	}
	if !reasons {
		writeMatches(w, "  ", x.Matches)
	}
	if x.Withdrawn {
		text := "every indicator that counted was taken back"
		if i.Disposition == schema.Promoted {
			text += "; it stays promoted"
		}
		fmt.Fprintln(w, "  "+text)
	}
	for _, p := range x.Paths {
		writePath(w, p)
	}
	for _, d := range x.Decisions {
		fmt.Fprintln(w, "  "+decisionText(d))
	}
	for _, l := range x.Leases {
		fmt.Fprintf(w, "  lease %s %s until %s: %s %s\n", l.Action, printable(l.Target.String()), l.Until, l.State, printable(l.Reason))
	}
	return nil
}

func levelName(level int8) string {
	if level == schema.LevelSingle {
		return "single alert"
	}
	return fmt.Sprintf("%d", level)
}

// reasonText says why an alert is in its incident.
func reasonText(m schema.Member) string {
	switch m.Reason {
	case schema.ReasonFounder:
		return "founded the incident"
	case schema.ReasonLinked:
		return fmt.Sprintf("shares %s with %s, %s apart, level %d, weight %d", printable(m.Key), m.Peer,
			(time.Duration(m.Distance) * time.Millisecond).Round(time.Second), m.Level, m.Weight)
	}
	return m.Reason.String()
}

func writePath(w io.Writer, p schema.Path) {
	foothold := "no machine"
	if !p.Foothold.IsZero() {
		foothold = printable(p.Foothold.String())
	}
	fmt.Fprintf(w, "  attack path (%s): entry %s, now at %s, %d reached\n", p.Kind, printable(p.Entry.String()), foothold, p.Reach)
	for _, e := range p.Edges {
		how := "observed"
		if !e.Observed {
			how = "inferred"
		}
		fmt.Fprintf(w, "    %s  %s -> %s  %s %s\n", e.Time.Time().Format("15:04:05"), printable(e.From.String()), printable(e.To.String()), e.Technique, how)
	}
}

func decisionText(d schema.Decision) string {
	text := fmt.Sprintf("decision %s: %s %s %s by policy %s, %d alerts as evidence", d.Time.Time().Format("15:04:05"), d.Outcome, d.Action,
		printable(d.Target.String()), d.Policy, len(d.Evidence))
	if d.Veto != "" {
		text += "; stood against it: " + printable(d.Veto)
	}
	return text
}
