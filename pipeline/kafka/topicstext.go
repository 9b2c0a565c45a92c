package kafka

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText renders the plan for people. JSON is the plan itself.
func (p Plan) WriteText(w io.Writer) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TOPIC\tSTATE\tPARTITIONS\tREPLICAS\tDETAIL")
	for _, t := range p.Topics {
		parts := fmt.Sprint(t.Partitions)
		switch {
		case t.State == TopicCreate || t.State == TopicMissing:
			parts = fmt.Sprintf("- -> %d", t.WantPartitions)
		case t.WantPartitions != 0 && t.WantPartitions != t.Partitions:
			parts = fmt.Sprintf("%d, not %d", t.Partitions, t.WantPartitions)
		}
		replicas := "-"
		if t.Replication > 0 {
			replicas = fmt.Sprint(t.Replication)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", t.Name, t.State, parts, replicas, t.detail())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if p.ACLNote != "" {
		fmt.Fprintf(&b, "\nACLs: %s\n", p.ACLNote)
	} else {
		fmt.Fprintf(&b, "\nACLs: %d\n", len(p.ACLs))
		tw = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, a := range p.ACLs {
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s %s\t%s\tfrom %s\n", a.Permission, a.Principal, a.Operation, strings.ToLower(a.Type), a.Name, strings.ToLower(a.Pattern), a.Host)
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	for _, s := range p.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", s)
	}
	switch err, n := p.Err(), p.Pending(); {
	case err != nil:
		fmt.Fprintf(&b, "\nThe cluster cannot be used as it is:\n%s\n", err)
	case n > 0:
		fmt.Fprintf(&b, "\n%d topics to create or alter.\n", n)
	default:
		fmt.Fprintf(&b, "\nNothing to do.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// detail lists settings: those that change as name have -> want, those left alone with
// the reason.
func (t TopicPlan) detail() string {
	var parts []string
	if t.Problem != "" {
		parts = append(parts, t.Problem)
	}
	for _, s := range t.Settings {
		switch {
		case s.Apply && s.Have == "":
			parts = append(parts, s.Name+"="+s.Want)
		case s.Apply:
			parts = append(parts, fmt.Sprintf("%s %s -> %s", s.Name, s.Have, s.Want))
		case t.Problem == "":
			parts = append(parts, fmt.Sprintf("%s is %s, not %s: %s", s.Name, s.Have, s.Want, s.Note))
		}
	}
	return strings.Join(parts, "; ")
}
