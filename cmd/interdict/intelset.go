package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

type intelSetCmd struct {
	intelFlags
	Type       string   `placeholder:"TYPE" help:"What the value is, where it does not tell by itself."`
	Feed       string   `placeholder:"NAME" help:"Of this feed's indicators alone; 'analyst' adds one of your own. Default: every feed's."`
	Tenant     string   `placeholder:"NAME" help:"For this tenant alone: an opinion stands as an indicator of that tenant, which outranks the shared ones there."`
	Verdict    string   `placeholder:"VERDICT" help:"malicious, suspicious or benign."`
	Wish       string   `placeholder:"WISH" help:"none, allow, audit, warn or block. allow needs no feed that knows the value."`
	Severity   string   `placeholder:"SEVERITY" help:"Severity a match raises the alert to."`
	Confidence *uint8   `help:"0 to 100."`
	Until      string   `placeholder:"TIME" help:"When the indicators themselves end, to count no more: a date, a span such as 30d, or 'none'."`
	Expires    string   `placeholder:"TIME" help:"When what is set here ends, and the feeds decide again: a date, a span such as 5d, or 'none'."`
	TLP        string   `name:"tlp" placeholder:"MARKING" help:"clear, green, amber, amber+strict or red."`
	Label      []string `placeholder:"TEXT" help:"Label to add; may be repeated."`
	Revoked    *bool    `negatable:"" help:"It does not count (--no-revoked: it does, whatever its feed says)."`
	By         string   `placeholder:"NAME" help:"Who sets it. Default: the user of this process."`
	Comment    string   `placeholder:"TEXT" help:"Why."`
	JSON       bool     `name:"json" help:"Print the override as JSON."`
	Value      string   `arg:"" help:"The value; may be defanged."`
}

func (c *intelSetCmd) Run(ctx context.Context, s *streams) error {
	o, err := observable(c.Value, c.Type)
	if err != nil {
		return err
	}
	if c.Verdict+c.Wish+c.Severity+c.Until+c.TLP == "" && c.Confidence == nil && c.Revoked == nil && len(c.Label) == 0 {
		return usagef("say what is to be set: --verdict, --wish, --severity, --confidence, --until, --tlp, --label or --revoked")
	}
	v := library.Override{Type: o.Type, Value: o.Value, Feed: c.Feed, Tenant: c.Tenant, By: who(c.By), Note: c.Comment,
		Confidence: c.Confidence, Labels: c.Label, Revoked: c.Revoked}
	if err := errors.Join(setText(&v.Verdict, "--verdict", c.Verdict), setText(&v.Wish, "--wish", c.Wish), setText(&v.Severity, "--severity", c.Severity),
		setText(&v.TLP, "--tlp", c.TLP), percent(c.Confidence)); err != nil {
		return usage{err}
	}
	now := time.Now()
	if err := errors.Join(setTime(&v.ValidUntil, c.Until, now), setTime(&v.Expires, c.Expires, now)); err != nil {
		return err
	}
	if v.Expires != nil && *v.Expires != 0 && *v.Expires <= schema.FromTime(now) {
		return usagef("--expires %s has passed", *v.Expires)
	}
	if v.ValidUntil != nil && *v.ValidUntil != 0 && *v.ValidUntil <= schema.FromTime(now) {
		fmt.Fprintf(s.err, "--until %s has passed: the indicators do not count any more\n", *v.ValidUntil)
	}
	l, _, err := c.open(s)
	if err != nil {
		return err
	}
	v, err = l.Override(ctx, v)
	if err != nil {
		return err
	}
	if idle, err := idle(ctx, l, o, c.Feed, c.Tenant); err != nil {
		return err
	} else if idle {
		whose := "no feed has"
		if c.Feed != "" {
			whose = "feed " + c.Feed + " does not have"
		}
		if c.Tenant != "" {
			whose += " of tenant " + c.Tenant
		}
		fmt.Fprintf(s.err, "%s exactly that value now: this is in force once it does; --feed analyst adds an indicator of your own\n", whose)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(v)
	}
	_, err = fmt.Fprintf(s.out, "set for %s %s: %s\ntake it back with: interdict intel unset %s\n", v.Type, printable(v.Value), strings.TrimSpace(printable(changed(v))), v.ID)
	return err
}

// setTime reads a time that an option gives; without one the field stays.
func setTime(to **schema.Millis, text string, now time.Time) error {
	switch text {
	case "":
		return nil
	case "none":
		*to = new(schema.Millis)
		return nil
	}
	t, err := moment(text, now)
	if err != nil {
		return err
	}
	m := schema.FromTime(t)
	*to = &m
	return nil
}

// idle reports that there is no indicator of a value that could be set: of a feed and of
// a tenant, where they are named.
func idle(ctx context.Context, l *library.Library, o schema.Observable, feed, tenant string) (bool, error) {
	known, err := l.Check(ctx, o)
	if errors.As(err, new(*library.Partial)) {
		return false, nil // nobody knows
	}
	return err == nil && !slices.ContainsFunc(known, func(k library.Known) bool {
		return k.Refusal == nil && k.Indicator.Type == o.Type && k.Indicator.Value == o.Value && (feed == "" || k.Indicator.Feed == feed) && (tenant == "" || k.Indicator.Tenant == tenant)
	}), err
}

// who names the person behind a command.
func who(given string) string {
	if given != "" {
		return given
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// setText reads the name that an option gives into a field; without one the field
// stays.
func setText[T interface {
	~uint8
	String() string
}, P interface {
	*T
	UnmarshalText([]byte) error
}](to **T, option, text string) error {
	if text == "" {
		return nil
	}
	v := new(T)
	if P(v).UnmarshalText([]byte(text)) != nil {
		return usagef("%s %q: want %s", option, text, strings.Join(namesIn[T](), ", "))
	}
	*to = v
	return nil
}

// namesIn lists the names of an enum.
func namesIn[T interface {
	~uint8
	String() string
}]() []string {
	var names []string
	for v := T(0); v < 64; v++ { // more than any has
		if n := v.String(); n != "unknown" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

type intelUnsetCmd struct {
	intelFlags
	By string `placeholder:"NAME" help:"Who takes it back. Default: the user of this process."`
	ID string `arg:"" help:"Id of the override (interdict intel overrides), or the value where only one was set for it."`
}

func (c *intelUnsetCmd) Run(ctx context.Context, s *streams) error {
	l, _, err := c.open(s)
	if err != nil {
		return err
	}
	v, err := overrideOf(l, c.ID)
	if err != nil {
		return err
	}
	if err := l.RemoveOverride(ctx, v.ID, who(c.By)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s %s: taken back, the feeds decide again\n", v.Type, printable(v.Value))
	return err
}

// overrideOf finds an override by its id, or by its value where that has only one.
func overrideOf(l *library.Library, text string) (library.Override, error) {
	list, err := l.Overrides()
	if err != nil {
		return library.Override{}, err
	}
	o, unreadable := observable(text, "")
	var found []library.Override
	for _, v := range list {
		if v.ID == text {
			return v, nil
		}
		if v.Value == text || unreadable == nil && v.Type == o.Type && v.Value == o.Value {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 0:
		return library.Override{}, fmt.Errorf("%w: %q; interdict intel overrides lists them", library.ErrNoOverride, text)
	case 1:
		return found[0], nil
	}
	ids := ""
	for _, v := range found {
		ids += fmt.Sprintf("\n  %s  %s", v.ID, strings.TrimSpace(printable(changed(v))))
	}
	return library.Override{}, usagef("%d overrides are of %q: give the id of one:%s", len(found), text, ids)
}

type intelOverridesCmd struct {
	intelFlags
	JSON bool `name:"json" help:"Print as JSON lines."`
}

func (c *intelOverridesCmd) Run(s *streams) error {
	l, _, err := c.open(s)
	if err != nil {
		return err
	}
	list, err := l.Overrides()
	if err != nil {
		return err
	}
	if len(list) == 0 && !c.JSON {
		fmt.Fprintln(s.err, "nothing is set")
	}
	for _, v := range list {
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(v)
		} else {
			_, err = fmt.Fprintf(s.out, "%s  %-10s %-40s %-40s %s %s %s\n", v.ID, v.Type, short(v.Value, 40), short(changed(v), 40), v.Time, printable(v.By), printable(v.Note))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changed tells in short what an override sets.
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
		add("until=%s", orDash(*v.ValidUntil))
	}
	if v.TLP != nil {
		add("tlp=%s", *v.TLP)
	}
	if v.Expires != nil && *v.Expires != 0 {
		add("expires=%s", *v.Expires)
	}
	if len(v.Labels) > 0 {
		add("labels=%q", v.Labels)
	}
	if v.Feed != "" {
		add("feed=%s", v.Feed)
	}
	if v.Tenant != "" {
		add("tenant=%s", v.Tenant)
	}
	return text
}

type intelSightCmd struct {
	intelFlags
	Type  string `placeholder:"TYPE" help:"What the value is, where it does not tell by itself."`
	At    string `placeholder:"TIME" help:"When: a date, or a span such as --at=-2h; default: now."`
	By    string `placeholder:"NAME" help:"Who saw it. Default: the user of this process."`
	Value string `arg:"" help:"The value; may be defanged."`
}

func (c *intelSightCmd) Run(ctx context.Context, s *streams) error {
	o, err := observable(c.Value, c.Type)
	if err != nil {
		return err
	}
	at := time.Now()
	if c.At != "" {
		if at, err = moment(c.At, at); err != nil {
			return err
		}
	}
	if at.After(time.Now().Add(time.Minute)) {
		return usagef("--at %s has not come yet", at.Format(time.RFC3339))
	}
	l, _, err := c.open(s)
	if err != nil {
		return err
	}
	m := schema.FromTime(at)
	if err := l.Sight(ctx, fact.Sighting{Type: o.Type, Value: o.Value, First: m, Last: m, Count: 1, By: who(c.By)}); err != nil {
		return err
	}
	if idle, err := idle(ctx, l, o, "", ""); err != nil {
		return err
	} else if idle {
		fmt.Fprintln(s.err, "no feed has that value now")
	}
	_, err = fmt.Fprintf(s.out, "%s %s was seen %s\n", o.Type, printable(o.Value), m)
	return err
}
