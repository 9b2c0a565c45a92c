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
	Type    string `placeholder:"TYPE" help:"What the value is, such as sender, url_path or user_agent, where it does not tell by itself."`
	Tenant  string `placeholder:"NAME" help:"As for an alert of this tenant; default: as for one whose tenant owns nothing."`
	At      string `placeholder:"TIME" help:"As for an alert of that time; default: now."`
	Verbose bool   `short:"v" help:"All that is known: ids, times, and what the feeds say of reports, campaigns, actors and malware behind it."`
	JSON    bool   `name:"json" help:"Print as JSON lines, one for each indicator, with all that is known."`
	Value   string `arg:"" help:"Address, address:port, network, domain, URL, file hash, e-mail address or fingerprint; may be defanged."`
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

// unasked is the line of JSON for what could not be asked, or what nobody knows.
type unasked struct {
	On      *schema.Observable `json:"on,omitempty"`
	Outcome string             `json:"outcome"` // unknown or none
	Why     string             `json:"why"`
	Damaged *library.Damage    `json:"damaged,omitempty"`
}

func (c *intelCheckCmd) ask(ctx context.Context, s *streams) error {
	l, cfg, err := c.look(ctx, s)
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
	if err := doubtTenant(s, l, cfg, c.Tenant); err != nil {
		return err
	}
	found, err := intel.Explain(ctx, l, cfg.Match.Decay, match.Subject{Tenant: c.Tenant, Created: schema.FromTime(at)}, o)
	var lacks library.Partial
	if err := lacks.Add(err); err != nil {
		return err
	}
	matched := slices.ContainsFunc(found, func(e intel.Explanation) bool { return e.Counts() })
	if err := c.tell(s, l, found); err != nil {
		return err
	}
	if len(lacks.Damaged) > 0 {
		return c.lacking(s, o, &lacks)
	}
	if matched {
		return nil
	}
	const unknown = "no feed knows it"
	switch {
	case c.JSON && len(found) == 0:
		err = json.NewEncoder(s.out).Encode(unasked{On: &o, Outcome: "none", Why: unknown})
	case len(found) == 0:
		_, err = fmt.Fprintf(s.out, "%s %s: no match: %s\n", o.Type, printable(o.Value), unknown)
	case !c.JSON:
		_, err = fmt.Fprintf(s.out, "%s %s: no match: nothing that is known of it counts\n", o.Type, printable(o.Value))
	}
	if err != nil {
		return err
	}
	return quietError(exitFailed)
}

// tell prints what is known. What a feed has of reports and the like decides nothing: where
// it cannot be read, that is told and no more.
func (c *intelCheckCmd) tell(s *streams, l *library.Library, found []intel.Explanation) error {
	var list []toldIndicator
	for _, e := range found {
		list = append(list, tellOf(e))
	}
	if c.JSON || c.Verbose {
		var lacks library.Partial
		if err := withObjects(l, list, &lacks); err != nil {
			return err
		}
		_, _ = incomplete(s, lacks.Err())
	}
	for i := range list {
		var err error
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(&list[i])
		} else {
			err = list[i].print(s, c.Verbose)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
	if err := c.tell(s, l, list); err != nil {
		return err
	}
	return why
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
