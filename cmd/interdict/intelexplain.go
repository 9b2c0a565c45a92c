package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// toldIndicator is what one feed knows of a value, as check and set show it.
type toldIndicator struct {
	intel.Explanation
	Overrides []shownOverride `json:"overrides,omitempty"` // in the place of Known's
	Objects   []fact.Object   `json:"objects,omitempty"`   // what the feed says of the indicator's threats
}

// shownOverride is an override as JSON shows it: what has no end says "none".
type shownOverride struct {
	library.Override
	ValidUntil any `json:"valid_until,omitempty"`
	Expires    any `json:"expires,omitempty"`
}

func showOverride(o library.Override) shownOverride {
	return shownOverride{o, orNone(o.ValidUntil), orNone(o.Expires)}
}

// orNone gives a time that may be set; nil if it is not.
func orNone(m *schema.Millis) any {
	switch {
	case m == nil:
		return nil
	case *m == 0:
		return "none"
	}
	return *m
}

func tellOf(e intel.Explanation) toldIndicator {
	x := toldIndicator{Explanation: e}
	for _, o := range e.Overrides {
		x.Overrides = append(x.Overrides, showOverride(*o))
	}
	return x
}

// headline says on one line what a feed says, what that is worth and why.
func (e *toldIndicator) headline() string {
	i := &e.Indicator
	if e.Refusal != nil {
		at := fmt.Sprintf("line %d", e.Refusal.Line)
		if e.Refusal.Part != "" {
			at = fmt.Sprintf("%s:%d", printable(e.Refusal.Part), e.Refusal.Line)
		}
		what := printable(e.On.Value)
		if e.On.Type != schema.ObservableUnknown {
			what = e.On.Type.String() + " " + what
		}
		return fmt.Sprintf("%s: feed %s, %s: %s", what, i.Feed, at, printable(e.Why))
	}
	says := []string{worth(i)}
	if e.Confidence != i.Confidence && e.Aside == "" {
		says = append(says, fmt.Sprintf("decayed to confidence %d", e.Confidence))
	}
	if i.Severity == schema.SeverityUnknown && e.Severity != schema.SeverityUnknown {
		says = append(says, "raises to "+e.Severity.String())
	}
	if i.Tenant != "" {
		says = append(says, "of tenant "+printable(i.Tenant))
	}
	return fmt.Sprintf("%s %s: feed %s says %s %s is %s, %s: %s: %s", e.On.Type, printable(e.On.Value), i.Feed, i.Type,
		printable(i.Value), strings.Join(says, ", "), validity(i), e.Outcome, printable(e.Why))
}

// worth tells what an indicator is, without its times.
func worth(i *schema.Indicator) string {
	says := []string{i.Verdict.String()}
	if i.Wish != schema.WishNone {
		says = append(says, "wish "+i.Wish.String())
	}
	if i.Severity != schema.SeverityUnknown {
		says = append(says, "severity "+i.Severity.String())
	}
	return strings.Join(append(says, fmt.Sprintf("confidence %d, rank %d, TLP %s", i.Confidence, i.Rank, i.TLP)), ", ")
}

// validity tells for which time an indicator is valid.
func validity(i *schema.Indicator) string {
	text := ""
	if i.ValidFrom != 0 {
		text = "from " + i.ValidFrom.String() + " "
	}
	if i.ValidUntil == 0 {
		return text + "without end"
	}
	return text + "until " + i.ValidUntil.String()
}

// Bounds of what stands on one line; verbose shows all.
const (
	fewThreats = 5
	fewLabels  = 10
)

// print writes what a feed knows, in verbose with everything that is known of it.
func (e *toldIndicator) print(s *streams, verbose bool) error {
	if _, err := fmt.Fprintln(s.out, e.headline()); err != nil || e.Refusal != nil {
		return err
	}
	i := &e.Indicator
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(s.out, "    %-10s %s\n", name, printable(text))
		}
	}
	if e.Said != nil {
		if says := worth(&e.Said.Indicator) + ", " + validity(&e.Said.Indicator); len(e.Overrides) > 0 && says != worth(i)+", "+validity(i) {
			line("feed says", says)
		}
	}
	for _, o := range e.Overrides {
		line("override", overrideText(o.Override))
	}
	e.printThreats(line, verbose)
	if labels := i.Labels; verbose || len(labels) <= fewLabels {
		line("labels", strings.Join(labels, ", "))
	} else {
		line("labels", fmt.Sprintf("%s and %d more (-v)", strings.Join(labels[:fewLabels], ", "), len(labels)-fewLabels))
	}
	if !verbose {
		return nil
	}
	line("id", i.ID)
	for _, o := range e.Overrides {
		if o.ID != i.ID {
			line("override", "id "+o.ID)
		}
	}
	if e.First != 0 {
		line("in feed", e.First.String()+" to "+e.Last.String())
	}
	if e.Said != nil && e.Said.Version != 0 {
		line("changed", e.Said.Version.String())
	}
	if i.Fresh != 0 {
		line("fresh", i.Fresh.String()+", from which confidence decays")
	}
	if e.Sighted != 0 {
		line("sighted", e.Sighted.String())
	}
	return nil
}

// printThreats tells what an indicator stands for: by kind on a line, or one by one with
// what the feed has of each.
func (e *toldIndicator) printThreats(line func(name, text string), verbose bool) {
	if !verbose {
		var kinds []schema.ThreatKind
		names := map[schema.ThreatKind][]string{}
		for _, t := range e.Indicator.Threats {
			if names[t.Kind] == nil {
				kinds = append(kinds, t.Kind)
			}
			names[t.Kind] = append(names[t.Kind], firstText(t.Name, t.ID))
		}
		for _, k := range kinds {
			list, more := names[k], ""
			if n := len(list) - fewThreats; n > 0 {
				list, more = list[:fewThreats], fmt.Sprintf(" and %d more (-v)", n)
			}
			line(k.String(), strings.Join(list, ", ")+more)
		}
		return
	}
	for _, t := range e.Indicator.Threats {
		line(t.Kind.String(), firstText(t.Name, t.ID))
		if t.Name != "" && t.ID != "" {
			line("", t.ID)
		}
		at := slices.IndexFunc(e.Objects, func(o fact.Object) bool { return o.ID == t.ID })
		if at < 0 {
			continue
		}
		o := &e.Objects[at]
		if o.First != 0 {
			line("", "first "+o.First.String())
		}
		if len(o.Aliases) > 0 {
			line("", "aliases "+strings.Join(o.Aliases, ", "))
		}
		if len(o.Labels) > 0 {
			line("", "labels "+strings.Join(o.Labels, ", "))
		}
		for _, l := range o.Links {
			line("", l)
		}
		if o.Desc != "" {
			line("", short(o.Desc, 400))
		}
	}
}

// withObjects adds what the feeds say of the indicators' threats. Feeds that cannot be
// read are added to lacks.
func withObjects(l *library.Library, list []toldIndicator, lacks *library.Partial) error {
	for n := range list {
		e := &list[n]
		var ids []string
		for _, t := range e.Indicator.Threats {
			if t.ID != "" {
				ids = append(ids, t.ID)
			}
		}
		if len(ids) == 0 || e.Indicator.Feed == library.Analyst {
			continue
		}
		objects, err := l.Objects(e.Indicator.Feed, ids)
		if err := lacks.Add(err); err != nil {
			return err
		}
		e.Objects = objects
	}
	return nil
}

// inForce tells what is known of a value now: for a tenant, or else what is everybody's as
// for one whose tenant owns nothing, and what is a tenant's as for that one. Feeds that
// cannot be read are added to lacks.
func inForce(ctx context.Context, l *library.Library, cfg *settings.Config, o schema.Observable, tenant string, now schema.Millis, lacks *library.Partial) ([]toldIndicator, error) {
	ask := func(tenant string) ([]intel.Explanation, error) {
		list, err := intel.Explain(ctx, l, cfg.Match.Decay, match.Subject{Tenant: tenant, Created: now}, o)
		return list, lacks.Add(err)
	}
	list, err := ask(tenant)
	if err != nil {
		return nil, err
	}
	var out []toldIndicator
	others := map[string][]intel.Explanation{}
	for _, e := range list {
		of := e.Indicator.Tenant
		if e.Refusal != nil || of == "" || of == tenant {
			out = append(out, tellOf(e))
			continue
		}
		if tenant != "" { // not asked for
			continue
		}
		theirs, asked := others[of]
		if !asked {
			if theirs, err = ask(of); err != nil {
				return nil, err
			}
			others[of] = theirs
		}
		for _, t := range theirs {
			if t.Indicator.Tenant == of && t.Indicator.Feed == e.Indicator.Feed && t.Indicator.ID == e.Indicator.ID && t.On == e.On && t.Indicator.Value == e.Indicator.Value {
				out = append(out, tellOf(t))
			}
		}
	}
	return out, nil
}
