package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
}

// Run checks everything a deployment needs and goes on after a failure. Exit 1
// if any check failed.
func (c *doctorCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	list := examine(ctx, cfg)
	bad := 0
	for _, f := range list {
		if !f.OK {
			bad++
		}
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(list)
	} else {
		err = writeFindings(s.out, list)
	}
	if err == nil && bad > 0 {
		return quietError(exitFailed)
	}
	return err
}

func writeFindings(w io.Writer, list []finding) error {
	for _, f := range list {
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		if _, err := fmt.Fprintf(w, "%s  %-22s %s\n", mark, f.Check, f.Detail); err != nil {
			return err
		}
		if !f.OK && f.Cure != "" {
			fmt.Fprintf(w, "      %-22s -> %s\n", "", f.Cure)
		}
	}
	return nil
}

func examine(ctx context.Context, cfg *settings.Config) []finding {
	var list []finding
	add := func(check string, err error, detail, cure string) bool {
		f := finding{Check: check, OK: err == nil, Detail: detail, Cure: cure}
		if err != nil {
			f.Detail = err.Error()
		}
		list = append(list, f)
		return err == nil
	}
	_, err := pipeline.NewPlan(cfg.Plan(), pipeline.Deps{Prefix: cfg.Kafka.Prefix})
	add("configuration", err, fmt.Sprintf("%d sources, hops %v", len(cfg.Sources), cfg.Hops), "interdict config check")

	x, _, err := openLibrary(cfg).Index(ctx, cfg.Match)
	detail := ""
	if err == nil {
		detail = fmt.Sprintf("%d indicators", x.Len())
	}
	add("indicator library", err, detail, "interdict intel rm the damaged feed, then import it again")

	if cfg.Embedded {
		path, err := chdb.Locate(cfg.EmbeddedClickHouse.Library)
		add("embedded clickhouse", err, path, "make clickhouse-lib")
		return list
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	plan, err := kafka.PlanTopics(ctx, cfg.Kafka, cfg.RawTopics())
	if add("kafka", err, fmt.Sprintf("%v answers", cfg.Kafka.Brokers), "check kafka.brokers, tls and sasl") {
		err = plan.Err()
		if err == nil && plan.Pending() > 0 {
			err = fmt.Errorf("%d topics are missing or differ", plan.Pending())
		}
		add("topics", err, fmt.Sprintf("%d topics as they should be", len(plan.Topics)), "interdict topics plan, then apply")
		for _, w := range plan.Warnings {
			add("topics", nil, "note: "+w, "")
		}
	}
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if !add("clickhouse", err, "answers", "check clickhouse.dsn") {
		return list
	}
	defer st.Close()
	pending, err := st.MigrationPlan(ctx)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("%d migrations are due", len(pending))
	}
	add("migrations", err, "up to date", "interdict store migrate")
	return list
}
