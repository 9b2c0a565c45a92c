package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

type sourceStatusCmd struct {
	configFlag
	Tenant  string  `placeholder:"NAME" help:"Sources of this tenant."`
	Rejects float64 `placeholder:"PERCENT" help:"Raise an alarm, too, when more of the last hour's documents were rejected; default: 0, never."`
	JSON    bool    `name:"json" help:"Print as JSON."`
	Name    string  `arg:"" optional:"" help:"Id of the source; default: all."`
}

// Help says what it is for, and when it fails.
func (sourceStatusCmd) Help() string {
	return "Counts are from ClickHouse, the lag is hop 1's in Kafka. Exit 1 while a source has been silent for longer than its silence in the configuration, was never heard of though it has one, or an alarm of --rejects is on; also where Kafka does not answer. So a timer can run it."
}

// sourceReport is how one source does.
type sourceReport struct {
	Source     string         `json:"source"`
	Tenant     string         `json:"tenant"`
	Topic      string         `json:"topic"`
	State      string         `json:"state"` // ok, silent, never heard
	Alarms     []string       `json:"alarms,omitempty"`
	LastRecord schema.Millis  `json:"last_record,omitzero"` // when hop 1 last took a record of it
	SilentSec  int64          `json:"silent_seconds"`       // since then; -1: never heard
	LimitSec   int64          `json:"silence_limit_seconds,omitempty"`
	Hour       sourceActivity `json:"hour"`
	Day        sourceActivity `json:"day"`
	Lag        int64          `json:"lag"` // of hop 1, in offsets; -1: not known
}

// sourceActivity is what became of a source's documents within a time.
type sourceActivity struct {
	Documents  uint64            `json:"documents"`
	Accepted   uint64            `json:"accepted"`
	Ignored    uint64            `json:"not_an_alert"`
	Rejected   uint64            `json:"rejected"`
	RejectRate float64           `json:"reject_rate"` // of the documents
	Reasons    map[string]uint64 `json:"reasons,omitempty"`
}

func newActivity(a clickhouse.SourceActivity) sourceActivity {
	s := sourceActivity{Documents: a.Records, Accepted: a.Accepted, Ignored: a.Ignored, Rejected: a.Rejected, Reasons: a.Reasons}
	if all := a.Accepted + a.Ignored + a.Rejected; all > 0 {
		s.RejectRate = float64(a.Rejected) / float64(all)
	}
	return s
}

// sourcesStatus is what status prints as JSON.
type sourcesStatus struct {
	At      schema.Millis  `json:"at"`
	Sources []sourceReport `json:"sources"`
	Errors  []string       `json:"errors,omitempty"`
}

// sourceStore is what the store knows of sources.
type sourceStore interface {
	SourceHealth(ctx context.Context, tenant string) ([]clickhouse.SourceHealth, error)
	SourceActivity(ctx context.Context, tenant string, since schema.Millis) (map[string]clickhouse.SourceActivity, error)
}

func (c *sourceStatusCmd) Run(ctx context.Context, s *streams) error {
	return withStore(ctx, c.configFlag, s, func(st *clickhouse.Store) error {
		cfg, err := c.offline(s)
		if err != nil {
			return err
		}
		return c.run(ctx, s.out, cfg, st, time.Now())
	})
}

// run reports as of now.
func (c *sourceStatusCmd) run(ctx context.Context, w io.Writer, cfg *settings.Config, st sourceStore, now time.Time) error {
	picked, err := pickSources(cfg, c.Name, c.Tenant)
	if err != nil {
		return err
	}
	status := sourcesStatus{At: schema.FromTime(now), Sources: []sourceReport{}}
	lag := map[string]int64{}
	if len(cfg.Kafka.Brokers) > 0 {
		if lag, err = hopLag(ctx, cfg, now); err != nil {
			status.Errors = append(status.Errors, err.Error())
		}
	}
	known := map[string]*tenantSources{}
	for _, src := range picked {
		t := known[src.Tenant]
		if t == nil {
			if t, err = readSources(ctx, st, src.Tenant, status.At); err != nil {
				return err
			}
			known[src.Tenant] = t
		}
		r := t.report(src, status.At, c.Rejects)
		if n, ok := lag[src.Topic]; ok {
			r.Lag = n
		}
		status.Sources = append(status.Sources, r)
	}
	if c.JSON {
		err = json.NewEncoder(w).Encode(status)
	} else {
		err = status.write(w)
	}
	bad := len(status.Errors) > 0 || slices.ContainsFunc(status.Sources, func(r sourceReport) bool { return len(r.Alarms) > 0 })
	if err == nil && bad {
		return quietError(exitFailed)
	}
	return err
}

// hopLag gives how far hop 1 is behind, by raw topic.
func hopLag(ctx context.Context, cfg *settings.Config, now time.Time) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	rep, err := kafka.Lag(ctx, cfg.Kafka, now, cfg.Groups()[0])
	if err != nil {
		return nil, err
	}
	lag := map[string]int64{}
	for _, g := range rep.Groups {
		for _, p := range g.Partitions {
			lag[p.Topic] += p.Lag
		}
	}
	return lag, nil
}

// tenantSources is what the store knows of a tenant's sources.
type tenantSources struct {
	last      map[[2]string]schema.Millis // by source and topic
	hour, day map[string]clickhouse.SourceActivity
}

func readSources(ctx context.Context, st sourceStore, tenant string, now schema.Millis) (*tenantSources, error) {
	health, err := st.SourceHealth(ctx, tenant)
	if err != nil {
		return nil, err
	}
	t := &tenantSources{last: map[[2]string]schema.Millis{}}
	for _, h := range health {
		if h.LastRecord > 0 {
			t.last[[2]string{h.Source, h.Topic}] = h.LastRecord
		}
	}
	if t.hour, err = st.SourceActivity(ctx, tenant, now-schema.Hour); err != nil {
		return nil, err
	}
	t.day, err = st.SourceActivity(ctx, tenant, now-24*schema.Hour)
	return t, err
}

// report says how a source does, and what of it is an alarm.
func (t *tenantSources) report(src settings.Source, now schema.Millis, maxRejects float64) sourceReport {
	r := sourceReport{Source: src.ID, Tenant: src.Tenant, Topic: src.Topic, State: "ok", SilentSec: -1, LimitSec: int64(src.Silence.Seconds()), Lag: -1,
		Hour: newActivity(t.hour[src.ID]), Day: newActivity(t.day[src.ID])}
	r.LastRecord = t.last[[2]string{src.ID, src.Topic}]
	switch {
	case r.LastRecord == 0:
		r.State = "never heard"
		if src.Silence > 0 {
			r.Alarms = append(r.Alarms, "never heard")
		}
	default:
		silent := max(0, time.Duration(now-r.LastRecord)*time.Millisecond)
		r.SilentSec = int64(silent.Seconds())
		if src.Silence > 0 && silent > src.Silence {
			r.State = "silent"
			r.Alarms = append(r.Alarms, fmt.Sprintf("silent for %s, expected at most %s", span(silent), span(src.Silence)))
		}
	}
	if percent := 100 * r.Hour.RejectRate; maxRejects > 0 && percent > maxRejects {
		r.Alarms = append(r.Alarms, fmt.Sprintf("%.1f %% of the last hour's documents rejected, more than %g %%", percent, maxRejects))
	}
	return r
}

func (s sourcesStatus) write(w io.Writer) error {
	for _, r := range s.Sources {
		fmt.Fprintf(w, "%s/%s  topic %s\n", r.Tenant, r.Source, r.Topic)
		for _, a := range r.Alarms {
			fmt.Fprintf(w, "  ALARM: %s\n", a)
		}
		heard, limit := "never heard", "not watched"
		if r.SilentSec >= 0 {
			heard = fmt.Sprintf("%s, %s ago", r.LastRecord, span(time.Duration(r.SilentSec)*time.Second))
		}
		if r.LimitSec > 0 {
			limit = "at most " + span(time.Duration(r.LimitSec)*time.Second)
		}
		fmt.Fprintf(w, "  last record  %s (silence: %s)\n", heard, limit)
		r.Hour.write(w, "last hour")
		r.Day.write(w, "last day")
		lag := "not known"
		if r.Lag >= 0 {
			lag = fmt.Sprint(r.Lag)
		}
		fmt.Fprintf(w, "  lag          %s\n", lag)
	}
	for _, e := range s.Errors {
		fmt.Fprintf(w, "ALARM: kafka: %s\n", e)
	}
	if len(s.Sources) == 0 {
		if _, err := fmt.Fprintln(w, "no sources are configured"); err != nil {
			return err
		}
	}
	return nil
}

func (a sourceActivity) write(w io.Writer, when string) {
	fmt.Fprintf(w, "  %-12s %d documents: %d accepted, %d not an alert, %d rejected (%.1f %%)", when, a.Documents, a.Accepted, a.Ignored, a.Rejected, 100*a.RejectRate)
	var all []string
	for _, reason := range slices.SortedFunc(maps.Keys(a.Reasons), func(x, y string) int {
		return cmp.Or(cmp.Compare(a.Reasons[y], a.Reasons[x]), cmp.Compare(x, y))
	}) {
		all = append(all, fmt.Sprintf("%s %d", reason, a.Reasons[reason]))
	}
	if len(all) > 0 {
		fmt.Fprintf(w, ": %s", strings.Join(all, ", "))
	}
	fmt.Fprintln(w)
}
