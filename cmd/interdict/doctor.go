package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

type doctorCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print as JSON."`
}

// finding is the outcome of one check.
type finding struct {
	Check   string `json:"check"`
	OK      bool   `json:"ok"`
	Warning bool   `json:"warning,omitempty"` // it is ok and yet to be looked at
	Detail  string `json:"detail"`
	Cure    string `json:"cure,omitempty"`
}

// findings are outcomes in the order of the checks.
type findings []finding

// add notes what a check found: an error, or else what is well.
func (l *findings) add(check string, err error, detail, cure string) bool {
	f := finding{Check: check, OK: err == nil, Detail: detail, Cure: cure}
	if err != nil {
		f.Detail = err.Error()
	}
	*l = append(*l, f)
	return err == nil
}

// warn notes what works and yet is to be looked at.
func (l *findings) warn(check, detail, cure string) {
	*l = append(*l, finding{Check: check, OK: true, Warning: true, Detail: detail, Cure: cure})
}

// Run checks everything a deployment needs and goes on after a failure. Exit 1
// if any check failed.
func (c *doctorCmd) Run(ctx context.Context, s *streams) error {
	cfg, doubts, err := c.examine(s)
	if err != nil {
		return err
	}
	list := examine(ctx, cfg, doubts)
	bad := slices.ContainsFunc(list, func(f finding) bool { return !f.OK })
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(list)
	} else {
		err = writeFindings(s.out, list)
	}
	if err == nil && bad {
		return quietError(exitFailed)
	}
	return err
}

func writeFindings(w io.Writer, list findings) error {
	for _, f := range list {
		mark := "ok  "
		switch {
		case !f.OK:
			mark = "FAIL"
		case f.Warning:
			mark = "warn"
		}
		if _, err := fmt.Fprintf(w, "%s  %-22s %s\n", mark, f.Check, printable(f.Detail)); err != nil {
			return err
		}
		if mark != "ok  " && f.Cure != "" {
			fmt.Fprintf(w, "      %-22s -> %s\n", "", f.Cure)
		}
	}
	return nil
}

// examine makes every check, those that wait for nobody first.
func examine(ctx context.Context, cfg *settings.Config, doubts []settings.Finding) findings {
	var list findings
	list.add("versions", nil, buildInfo().String(), "")
	_, err := pipeline.NewPlan(cfg.Plan(), pipeline.Deps{Prefix: cfg.Kafka.Prefix})
	list.add("configuration", err, fmt.Sprintf("%d sources, hops %v", len(cfg.Sources), cfg.Hops), "interdict config check")
	for _, d := range doubts {
		if d.Key == "data_dir" { // nothing would start
			list.add("data folder", errors.New(d.Place.String()+": "+d.Text), "", "")
			continue
		}
		list.warn("configuration", d.Place.String()+": "+d.Text, "")
	}

	x, _, err := openLibrary(cfg).Index(ctx, cfg.Match)
	detail := ""
	if err == nil {
		detail = fmt.Sprintf("%d indicators", x.Len())
	}
	list.add("indicator library", err, detail, "interdict intel rm the damaged feed, then import it again")
	list.room(cfg)
	list.addresses(ctx, cfg)
	list.feeds(ctx, cfg)

	if cfg.Embedded {
		path, err := chdb.Locate(cfg.EmbeddedClickHouse.Library)
		list.add("embedded clickhouse", err, path, "make clickhouse-lib")
		return list
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	list.kafka(ctx, cfg)
	list.clickhouse(ctx, cfg)
	return list
}

func (l *findings) kafka(ctx context.Context, cfg *settings.Config) {
	plan, err := kafka.PlanTopics(ctx, cfg.Kafka, cfg.RawTopics())
	if !l.add("kafka", err, fmt.Sprintf("%v answers", cfg.Kafka.Brokers), "check kafka.brokers, tls and sasl") {
		return
	}
	err = plan.Err()
	if err == nil && plan.Pending() > 0 {
		err = fmt.Errorf("%d topics are missing or differ", plan.Pending())
	}
	l.add("topics", err, fmt.Sprintf("%d topics as they should be", len(plan.Topics)), "interdict topics plan, then apply")
	for _, w := range plan.Warnings {
		l.warn("topics", w, "")
	}
}

func (l *findings) clickhouse(ctx context.Context, cfg *settings.Config) {
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if !l.add("clickhouse", err, "answers", "check clickhouse.dsn") {
		return
	}
	defer st.Close()
	if t, err := st.Query(ctx, "SELECT version()", nil); err == nil && len(t.Rows) == 1 {
		(*l)[len(*l)-1].Detail = fmt.Sprintf("answers, version %v", t.Rows[0][0])
	}
	pending, err := st.MigrationPlan(ctx)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("%d migrations are due", len(pending))
	}
	l.add("migrations", err, "up to date", "interdict store migrate")
}
