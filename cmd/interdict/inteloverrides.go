package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/interdict/interdict/intel/library"
)

type intelOverridesCmd struct {
	intelFlags
	JSON bool `name:"json" help:"Print as JSON lines."`
}

func (c *intelOverridesCmd) Run(ctx context.Context, s *streams) error {
	l, _, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	list, err := l.Overrides()
	if err != nil {
		return err
	}
	if c.JSON {
		for _, v := range list {
			if err := json.NewEncoder(s.out).Encode(showOverride(v)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(s.err, "nothing is set")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TYPE\tVALUE\tFEED\tTENANT\tSETS\tEXPIRES\tSET\tBY\tID\tCOMMENT")
	for _, v := range list {
		expires := "-"
		if v.Expires != nil {
			expires = orDash(*v.Expires)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Type, printable(v.Value), firstText(v.Feed, "all"), firstText(printable(v.Tenant), "all"),
			printable(changed(v)), expires, v.Time, printable(v.By), v.ID, firstText(printable(v.Note), "-"))
	}
	return w.Flush()
}

// changed tells in short what an override sets, without for whom and until when.
func changed(v library.Override) string {
	text := ""
	add := func(format string, args ...any) { text += fmt.Sprintf(format+" ", args...) }
	if v.Revoked != nil {
		add("revoked=%t", *v.Revoked)
	}
	if v.Verdict != nil {
		add("verdict=%s", *v.Verdict)
	}
	if v.Wish != nil {
		add("wish=%s", *v.Wish)
	}
	if v.Severity != nil {
		add("severity=%s", *v.Severity)
	}
	if v.Confidence != nil {
		add("confidence=%d", *v.Confidence)
	}
	if v.ValidUntil != nil {
		add("until=%v", orNone(v.ValidUntil))
	}
	if v.TLP != nil {
		add("tlp=%s", *v.TLP)
	}
	if len(v.Labels) > 0 {
		add("labels=%q", v.Labels)
	}
	return strings.TrimSpace(text)
}

// overrideText tells of an override what it sets, for whom, who set it when, why and until
// when.
func overrideText(v library.Override) string {
	text := changed(v)
	if v.Feed != "" && v.Feed != library.Analyst {
		text += ", for feed " + v.Feed
	}
	if v.Tenant != "" {
		text += ", for tenant " + v.Tenant
	}
	text += fmt.Sprintf(", set by %s %s", v.By, v.Time)
	if v.Expires != nil && *v.Expires != 0 {
		text += ", expires " + v.Expires.String()
	}
	if v.Note != "" {
		text += ": " + v.Note
	}
	return text
}
