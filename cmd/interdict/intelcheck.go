package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

type intelCheckCmd struct {
	intelFlags
	Type   string `placeholder:"TYPE" help:"What the value is, such as sender, url_path or user_agent, where it does not tell by itself."`
	Tenant string `placeholder:"NAME" help:"As for an alert of this tenant; default: as for one whose tenant owns nothing."`
	At     string `placeholder:"TIME" help:"As for an alert of that time; default: now."`
	JSON   bool   `name:"json" help:"Print as JSON lines."`
	Value  string `arg:"" help:"Address, address:port, network, domain, URL, file hash, e-mail address or fingerprint; may be defanged."`
}

func (c *intelCheckCmd) Run(ctx context.Context, s *streams) error {
	err := c.ask(ctx, s)
	if err == nil || errors.As(err, new(quietError)) || errors.As(err, new(usage)) {
		return err
	}
	// Whatever went wrong, it is not the answer that nobody knows the value.
	fmt.Fprintln(s.err, "interdict:", err)
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(unasked{Outcome: "unknown", Why: err.Error()}); err != nil {
			return err
		}
	}
	return quietError(exitPartial)
}

// unasked is the line of JSON for what could not be asked.
type unasked struct {
	On      *schema.Observable `json:"on,omitempty"`
	Outcome string             `json:"outcome"` // unknown
	Why     string             `json:"why"`
	Damaged *library.Damage    `json:"damaged,omitempty"`
}

func (c *intelCheckCmd) ask(ctx context.Context, s *streams) error {
	l, cfg, err := c.look(s)
	if err != nil {
		return err
	}
	o, err := observable(c.Value, c.Type)
	if err != nil {
		return c.unreadable(ctx, s, l, err)
	}
	at := time.Now()
	if c.At != "" {
		if at, err = moment(c.At, at); err != nil {
			return err
		}
	}
	list, err := intel.Explain(ctx, l, cfg.Match.Decay, match.Subject{Tenant: c.Tenant, Created: schema.FromTime(at)}, o)
	var lacks library.Partial
	if err := lacks.Add(err); err != nil {
		return err
	}
	matched := slices.ContainsFunc(list, func(e intel.Explanation) bool { return e.Counts() })
	for i := range list {
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(&list[i])
		} else {
			err = c.print(s, &list[i])
		}
		if err != nil {
			return err
		}
	}
	if len(lacks.Damaged) > 0 {
		return c.lacking(s, o, &lacks)
	}
	if matched {
		return nil
	}
	if !c.JSON {
		known := "no feed knows it"
		if len(list) > 0 {
			known = "nothing that is known of it counts"
		}
		fmt.Fprintf(s.out, "%s %s: no match: %s\n", o.Type, printable(o.Value), known)
	}
	return quietError(exitFailed)
}

// lacking tells which feeds could not be asked: one of them may know the value, or allow
// what the others call bad.
func (c *intelCheckCmd) lacking(s *streams, o schema.Observable, lacks *library.Partial) error {
	code, _ := incomplete(s, lacks)
	for i := range lacks.Damaged {
		d := &lacks.Damaged[i]
		var err error
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(unasked{&o, "unknown", "feed " + d.Feed + " cannot be read", d})
		} else {
			_, err = fmt.Fprintf(s.out, "%s %s: feed %s: unknown: it cannot be read\n", o.Type, printable(o.Value), d.Feed)
		}
		if err != nil {
			return err
		}
	}
	return code
}

// unreadable tells which feeds have a text that is no observable, and why they do not
// take it, either.
func (c *intelCheckCmd) unreadable(ctx context.Context, s *streams, l *library.Library, why error) error {
	if c.Type != "" {
		return why
	}
	list, err := intel.ExplainRefused(ctx, l, c.Value)
	if _, err := incomplete(s, err); err != nil {
		return err
	}
	for i := range list {
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(&list[i])
		} else {
			err = c.print(s, &list[i])
		}
		if err != nil {
			return err
		}
	}
	return why
}

// print writes what one feed knows.
func (c *intelCheckCmd) print(s *streams, e *intel.Explanation) error {
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
		_, err := fmt.Fprintf(s.out, "%s: feed %s, %s: %s\n", what, i.Feed, at, printable(e.Why))
		return err
	}
	says := i.Verdict.String()
	if i.Wish != schema.WishNone {
		says += ", " + i.Wish.String()
	}
	confidence := fmt.Sprintf("confidence %d", i.Confidence)
	if e.Confidence != i.Confidence && e.Aside == "" {
		confidence += fmt.Sprintf(" (%d now)", e.Confidence)
	}
	if _, err := fmt.Fprintf(s.out, "%s %s: feed %s says %s %s is %s, %s, TLP %s: %s: %s\n", e.On.Type, printable(e.On.Value), i.Feed, i.Type,
		printable(i.Value), says, confidence, i.TLP, e.Outcome, printable(e.Why)); err != nil {
		return err
	}
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(s.out, "    %-10s %s\n", name, printable(text))
		}
	}
	line("id", i.ID)
	line("tenant", i.Tenant)
	if i.ValidFrom != 0 || i.ValidUntil != 0 {
		line("valid", orDash(i.ValidFrom)+" to "+orDash(i.ValidUntil))
	}
	if e.First != 0 {
		line("in feed", e.First.String()+" to "+e.Last.String())
	}
	if i.Fresh != 0 {
		line("fresh", i.Fresh.String())
	}
	for _, t := range i.Threats {
		line(t.Kind.String(), firstText(t.Name, t.ID))
	}
	for _, l := range i.Labels {
		line("label", l)
	}
	if v := e.Override; v != nil {
		line("set by", v.By+" "+v.Time.String()+" "+v.Note)
	}
	return nil
}

func orDash(m schema.Millis) string {
	if m == 0 {
		return "-"
	}
	return m.String()
}

// firstText gives the first text that is not empty.
func firstText(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
