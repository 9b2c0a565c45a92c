package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

type intelListCmd struct {
	intelFlags
	JSON bool `name:"json" help:"Print as JSON lines."`
}

// listedFeed is a feed as list prints it.
type listedFeed struct {
	library.Status
	Configured bool          `json:"configured"`
	Matched    *uint64       `json:"matched,omitempty"` // as far as the store knows
	Counting   *uint64       `json:"counting,omitempty"`
	LastMatch  schema.Millis `json:"last_match,omitzero"`
	Broken     []string      `json:"broken,omitempty"` // files of a folder that cannot be used, and why
	Waiting    string        `json:"waiting,omitzero"` // for what a feed of files waits that never had any
	Alarm      string        `json:"alarm,omitzero"`
}

func (c *intelListCmd) Run(ctx context.Context, s *streams) error {
	l, cfg, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	list, err := l.Feeds()
	if err != nil {
		return err
	}
	feeds := map[string]*fact.Feed{}
	for i := range cfg.Intel.Feeds {
		feeds[cfg.Intel.Feeds[i].Name] = &cfg.Intel.Feeds[i]
	}
	matched, err := c.matched(ctx, cfg)
	if err != nil {
		fmt.Fprintf(s.err, "matches are not known: %v\n", err)
	}
	now := time.Now()
	var rows []listedFeed
	for _, st := range list {
		row := listedFeed{Status: st, Configured: feeds[st.Feed] != nil}
		row.Broken, row.Waiting = service.Remembered(st.Fetch)
		if m, ok := matched[st.Feed]; ok {
			row.Matched, row.Counting, row.LastMatch = &m.Matches, &m.Counting, m.Last
		}
		switch {
		case len(st.Damaged) > 0:
			row.Alarm = "damaged: " + st.Damaged[0].File + ": " + st.Damaged[0].Reason
		case st.Errors == 1:
			row.Alarm = "failed: " + reasonOf(&st)
		case st.Errors > 1:
			row.Alarm = fmt.Sprintf("failed %d times in a row: %s", st.Errors, reasonOf(&st))
		case len(row.Broken) > 0:
			row.Alarm = "partly failing: " + strings.Join(row.Broken, "; ")
		case st.Silent != 0 || st.SilentAt(now):
			row.Alarm = "nothing new since " + st.News().String()
		}
		rows = append(rows, row)
		delete(feeds, st.Feed)
	}
	for _, f := range cfg.Intel.Feeds {
		if feeds[f.Name] != nil {
			row := listedFeed{Status: library.Status{Feed: f.Name}, Configured: true, Alarm: "never pulled"}
			if f.Transport == fact.TransportUpload { // nobody pulls it
				row.Alarm = ""
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 && !c.JSON {
		fmt.Fprintln(s.err, "there are no feeds: interdict intel import, or --config with intel.feeds")
	}
	alarm := false
	for i := range rows {
		alarm = alarm || rows[i].Alarm != ""
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(&rows[i])
		} else {
			err = rows[i].print(s, now, i == 0)
		}
		if err != nil {
			return err
		}
	}
	if alarm {
		return quietError(exitFailed)
	}
	return nil
}

// reasonOf gives why the last pull of a feed failed, without what the row says already: its
// name and where it is got from.
func reasonOf(st *library.Status) string {
	why := strings.TrimPrefix(st.LastError, "feed "+st.Feed+": ")
	for _, place := range [...]string{st.Config.URL, st.Config.File} {
		if place != "" {
			why = strings.TrimPrefix(why, place+": ")
		}
	}
	return why
}

func (r *listedFeed) print(s *streams, now time.Time, first bool) error {
	if first {
		fmt.Fprintf(s.out, "%-28s %10s %9s %9s %9s %9s %9s %9s  %-14s %s\n", "FEED", "INDICATORS", "ADDED", "CHANGED", "REMOVED", "EXPIRED", "REFUSED", "MATCHED", "LAST PULL", "STATE")
	}
	matched := "-"
	if r.Matched != nil {
		matched = fmt.Sprint(*r.Matched)
	}
	state := firstText(r.Alarm, "ok")
	switch {
	case r.Alarm != "":
	case r.LastPull == 0:
		state = "waits for uploads"
	case r.Waiting != "":
		state = "waiting: " + r.Waiting
	}
	if !r.Configured {
		state += " (by hand)"
	}
	_, err := fmt.Fprintf(s.out, "%-28s %10d %9d %9d %9d %9d %9d %9s  %-14s %s\n", r.Feed, r.Standing.Indicators, r.LastReport.Added, r.LastReport.Changed,
		r.LastReport.Removed, r.LastReport.Expired, r.LastReport.Refused, matched, ago(r.LastPull, now), printable(state))
	return err
}

// matched asks the store, where one is configured, how often each feed matched.
func (c *intelListCmd) matched(ctx context.Context, cfg *settings.Config) (map[string]clickhouse.FeedMatches, error) {
	if cfg.ClickHouse.DSN == "" {
		return nil, nil
	}
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	list, err := st.FeedMatches(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]clickhouse.FeedMatches, len(list))
	for _, m := range list {
		out[m.Feed] = m
	}
	return out, nil
}
