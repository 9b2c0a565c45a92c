package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

type intelSightCmd struct {
	intelFlags
	Type  string `placeholder:"TYPE" help:"What the value is, where it does not tell by itself."`
	At    string `placeholder:"TIME" help:"When: a date, or a span such as --at=-2h; default: now."`
	By    string `placeholder:"NAME" help:"Who saw it. Default: the user of this process."`
	JSON  bool   `name:"json" help:"Print as JSON."`
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
	l, _, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	done := sighted{Observable: o, At: schema.FromTime(at), By: who(c.By), Feeds: []string{}}
	if err := l.Sight(ctx, fact.Sighting{Type: o.Type, Value: o.Value, First: done.At, Last: done.At, Count: 1, By: done.By}); err != nil {
		return err
	}
	list, err := l.Check(ctx, o)
	var lacks library.Partial
	if err := lacks.Add(err); err != nil {
		return err
	}
	_, _ = incomplete(s, lacks.Err()) // what was seen is noted
	for i := range list {
		if x := &list[i].Indicator; list[i].Refusal == nil && x.Type == o.Type && x.Value == o.Value && !slices.Contains(done.Feeds, x.Feed) {
			done.Feeds = append(done.Feeds, x.Feed)
		}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(done)
	}
	if len(done.Feeds) == 0 && len(lacks.Damaged) == 0 {
		fmt.Fprintln(s.err, "no feed has exactly that value now")
	}
	_, err = fmt.Fprintf(s.out, "%s %s was seen %s\n", o.Type, printable(o.Value), done.At)
	return err
}

// sighted is what sight has noted.
type sighted struct {
	schema.Observable
	At    schema.Millis `json:"at"`
	By    string        `json:"by"`
	Feeds []string      `json:"feeds"` // that have exactly that value
}
