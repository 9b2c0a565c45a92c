package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// print writes a report for people: what feeds say of it once, however many have it, and
// what was found. Each list has at most limit lines; 0: all.
func (r *toldReport) print(s *streams, seen *seenReports, limit int) error {
	fmt.Fprintf(s.out, "%s %s\n", r.kind, printable(firstText(r.name, r.id)))
	line := func(name, format string, args ...any) {
		fmt.Fprintf(s.out, "  %-12s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	if len(r.Known) == 0 && r.Found != nil {
		line("feed", "none has it any more; its indicators matched as those of %s", strings.Join(r.Found.Feeds, ", "))
	}
	for i := range r.Known {
		line("feed", "%s, TLP %s", r.Known[i].Feed, r.Known[i].Object.TLP)
	}
	line("id", "%s", r.id)
	r.printObjects(line)
	if len(r.Known) > 0 {
		r.printIndicators(line, limit)
	}
	switch {
	case r.Found != nil:
		printFound(s, r.Found, seen.tenant, limit)
	case seen.st != nil:
		fmt.Fprintf(s.out, "found: alerts and incidents are told of reports and campaigns, not of %s\n", r.kind)
	}
	return nil
}

// printObjects writes what the feeds say, each thing once.
func (r *toldReport) printObjects(line func(name, format string, args ...any)) {
	told := map[string]bool{}
	once := func(name, text string) {
		if text != "" && !told[name+"\x00"+text] {
			told[name+"\x00"+text] = true
			line(name, "%s", text)
		}
	}
	for i := range r.Known {
		o := &r.Known[i].Object
		if o.First != 0 {
			once("first", o.First.String())
		}
		if len(o.Aliases) > 0 {
			once("aliases", fmt.Sprintf("%q", o.Aliases))
		}
		once("labels", strings.Join(o.Labels, ", "))
		for _, l := range o.Links {
			once("link", l)
		}
		if o.Desc != "" {
			once("about", short(o.Desc, 400))
		}
	}
	for i := range r.Known {
		t := &r.Known[i]
		for _, x := range [...]struct {
			name string
			list []schema.Threat
		}{{"technique", t.Techniques}, {"actor", t.Actors}, {"malware", t.Malware}} {
			for _, v := range x.list {
				once(x.name, firstText(v.Name, v.ID))
			}
		}
	}
}

// printIndicators writes the values of all feeds, each once.
func (r *toldReport) printIndicators(line func(name, format string, args ...any), limit int) {
	most := &r.Known[0]
	whole := true // all are listed
	var list []schema.Indicator
	told := map[schema.Observable]bool{}
	for i := range r.Known {
		t := &r.Known[i]
		if whole = whole && len(t.Listed) == t.Indicators; t.Indicators > most.Indicators {
			most = t
		}
		for _, x := range t.Listed {
			if o := (schema.Observable{Type: x.Type, Value: x.Value}); !told[o] {
				told[o] = true
				list = append(list, x)
			}
		}
	}
	total, counts, least := most.Indicators, most.Types, "at least "
	if whole {
		total, counts, least = len(list), map[string]int{}, ""
		for _, x := range list {
			counts[x.Type.String()]++
		}
	} else if len(r.Known) == 1 {
		least = ""
	}
	types := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		types = append(types, fmt.Sprintf("%d %s", counts[name], name))
	}
	line("indicators", "%s%s", least, firstText(strings.Join(types, ", "), "none"))
	shown := atMost(list, limit)
	for _, x := range shown {
		line(x.Type.String(), "%s", x.Value)
	}
	if more := total - len(shown); more > 0 {
		line("", "and %s%d more", least, more)
	}
}

// atMost gives the first of a list; of all where limit is zero.
func atMost[T any](list []T, limit int) []T {
	if limit == 0 {
		return list
	}
	return list[:min(len(list), limit)]
}

func printFound(s *streams, r *clickhouse.ThreatReport, tenant string, limit int) {
	if r.Alerts == 0 {
		fmt.Fprintf(s.out, "found: 0 alerts, 0 incidents at tenant %s\n", printable(tenant))
		return
	}
	fmt.Fprintf(s.out, "found: %d alerts (%d of them afterwards), %d incidents, %d hosts, %d users, %d mailboxes, %d resources, from %s to %s at tenant %s\n",
		r.Alerts, r.RetroAlerts, r.Incidents, r.Hosts, r.Users, r.Mailboxes, r.Resources, r.First, r.Last, printable(tenant))
	for _, i := range atMost(r.Incident, limit) {
		fmt.Fprintf(s.out, "  incident     %s\n", incidentLine(i))
	}
	rest(s, len(r.Incident), limit)
	for _, e := range atMost(r.Impacted, limit) {
		fmt.Fprintf(s.out, "  impacted     %s, %d alerts\n", printable(e.String()), e.Alerts)
	}
	rest(s, len(r.Impacted), limit)
	for _, m := range atMost(r.Matched, limit) {
		fmt.Fprintf(s.out, "  matched      %s by feed %s, %d alerts\n", printable(m.On.String()), m.Feed, m.Alerts)
	}
	rest(s, len(r.Matched), limit)
}

// rest tells how many of a list were not printed.
func rest(s *streams, n, limit int) {
	if limit > 0 && n > limit {
		fmt.Fprintf(s.out, "  %-12s and %d more (--limit)\n", "", n-limit)
	}
}
