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

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
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
		fmt.Fprintf(s.err, "interdict: warning: --until %s has passed: the indicators do not count any more\n", *v.ValidUntil)
	}
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	noFeed, err := c.doubts(s, l, cfg)
	if err != nil {
		return err
	}
	v, err = l.Override(ctx, v)
	if err != nil {
		return err
	}
	var lacks library.Partial
	now = time.Now() // behind the time of the override
	list, err := inForce(ctx, l, cfg, o, c.Tenant, schema.FromTime(now), &lacks)
	if err != nil {
		return err
	}
	_, _ = incomplete(s, lacks.Err()) // what was set is set
	if len(lacks.Damaged) == 0 && !noFeed {
		c.idle(s, o, list)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(overrideDone{showOverride(v), list})
	}
	fmt.Fprintf(s.out, "set for %s %s: %s\ntake it back with: interdict intel unset %s\n", v.Type, printable(v.Value), printable(overrideText(v)), v.ID)
	return printInForce(s, o, list)
}

// overrideDone is an override that was set or taken back, and what is in force since.
type overrideDone struct {
	shownOverride
	InForce []toldIndicator `json:"in_force"`
}

// shownInForce bounds how many indicators of a value set tells of.
const shownInForce = 20

// printInForce tells what is known of a value now, on a line each.
func printInForce(s *streams, o schema.Observable, list []toldIndicator) error {
	if len(list) == 0 {
		_, err := fmt.Fprintf(s.out, "now: %s %s: no feed knows it\n", o.Type, printable(o.Value))
		return err
	}
	for i := range list[:min(len(list), shownInForce)] {
		if _, err := fmt.Fprintln(s.out, "now:", list[i].headline()); err != nil {
			return err
		}
	}
	if more := len(list) - shownInForce; more > 0 {
		_, err := fmt.Fprintf(s.out, "and %d more: interdict intel check tells all\n", more)
		return err
	}
	return nil
}

// doubts tells of names that nobody has: a word about a feed or tenant that is misspelled
// changes nothing.
func (c *intelSetCmd) doubts(s *streams, l *library.Library, cfg *settings.Config) (noFeed bool, err error) {
	if err := doubtTenant(s, l, cfg, c.Tenant); err != nil || c.Feed == "" {
		return false, err
	}
	feeds, err := l.Feeds()
	if err != nil {
		return false, err
	}
	names := []string{library.Analyst}
	for i := range feeds {
		names = append(names, feeds[i].Feed)
	}
	for i := range cfg.Intel.Feeds {
		names = append(names, cfg.Intel.Feeds[i].Name)
	}
	if slices.Contains(names, c.Feed) {
		return false, nil
	}
	fmt.Fprintf(s.err, "interdict: warning: there is no feed %q%s: this is in force once it is there\n", c.Feed, nearNames(c.Feed, names))
	return true, nil
}

// idle tells that there is no indicator of exactly the value that was named, and through
// which others it is matched.
func (c *intelSetCmd) idle(s *streams, o schema.Observable, list []toldIndicator) {
	told := map[string]bool{}
	var through []string
	for i := range list {
		x := &list[i].Indicator
		if list[i].Refusal != nil || list[i].Aside != "" && !(x.Type == o.Type && x.Value == o.Value) {
			continue
		}
		if x.Type == o.Type && x.Value == o.Value {
			if (c.Feed == "" || x.Feed == c.Feed) && (c.Tenant == "" || x.Tenant == c.Tenant) {
				return
			}
			continue
		}
		if what := fmt.Sprintf("%s %s of feed %s", x.Type, printable(x.Value), x.Feed); !told[what] && len(through) < 3 {
			told[what] = true
			through = append(through, what)
		}
	}
	if len(through) > 0 {
		fmt.Fprintf(s.err, "interdict: warning: %s is matched through %s, which this does not change: set that, or --wish allow on the %s\n", printable(o.Value), strings.Join(through, ", "), o.Type)
		return
	}
	whose := "no feed has"
	if c.Feed != "" {
		whose = "feed " + c.Feed + " does not have"
	}
	what := "that value"
	if c.Tenant != "" {
		what = "an indicator of tenant " + c.Tenant + " for that value"
	}
	fmt.Fprintf(s.err, "interdict: warning: %s %s now: this is in force once it does; --feed analyst adds an indicator of your own\n", whose, what)
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
	By   string `placeholder:"NAME" help:"Who takes it back. Default: the user of this process."`
	JSON bool   `name:"json" help:"Print what was taken back and what is in force since as JSON."`
	ID   string `arg:"" help:"Id of the override (interdict intel overrides), or the value where only one was set for it."`
}

func (c *intelUnsetCmd) Run(ctx context.Context, s *streams) error {
	l, cfg, err := c.look(ctx, s)
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
	var lacks library.Partial
	o := schema.Observable{Type: v.Type, Value: v.Value}
	list, err := inForce(ctx, l, cfg, o, v.Tenant, schema.FromTime(time.Now()), &lacks)
	if err != nil {
		return err
	}
	_, _ = incomplete(s, lacks.Err()) // what was taken back is taken back
	if c.JSON {
		return json.NewEncoder(s.out).Encode(overrideDone{showOverride(v), list})
	}
	fmt.Fprintf(s.out, "%s %s: taken back, the feeds decide again: %s\n", v.Type, printable(v.Value), printable(overrideText(v)))
	return printInForce(s, o, list)
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
		ids += fmt.Sprintf("\n  %s  %s", v.ID, printable(overrideText(v)))
	}
	return library.Override{}, usagef("%d overrides are of %q: give the id of one:%s", len(found), text, ids)
}
