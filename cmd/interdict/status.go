package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
)

// processStatus is what one process knows of itself: /status on its admin port.
type processStatus struct {
	Version string                    `json:"version"`
	Hops    []kafka.Status            `json:"hops"`
	Sink    *kafka.SinkStatus         `json:"sink,omitempty"`
	Tenants []pipeline.TenantProgress `json:"tenants"`
	Index   indexStatus               `json:"index"`
}

type indexStatus struct {
	ID         uint64 `json:"id"`
	Indicators int    `json:"indicators"`
}

func (a *app) status() processStatus {
	st := processStatus{Version: buildInfo().Version, Tenants: a.progress.Tenants()}
	for _, r := range a.runners {
		st.Hops = append(st.Hops, r.Status())
	}
	if a.sink != nil {
		s := a.sink.Status()
		st.Sink = &s
	}
	if x := a.holder.Load(); x != nil {
		st.Index = indexStatus{x.ID(), x.Len()}
	}
	return st
}

type statusCmd struct {
	configFlag
	Admin []string `placeholder:"HOST:PORT" help:"Admin ports of running processes; default: the configured one."`
	JSON  bool     `name:"json" help:"Print as JSON."`
}

// deploymentStatus is what the cluster and the processes say together.
type deploymentStatus struct {
	Lag       kafka.LagReport          `json:"lag"`
	Processes map[string]processStatus `json:"processes"`
	Errors    map[string]string        `json:"errors,omitempty"` // by admin port
}

func (c *statusCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	st := deploymentStatus{Processes: map[string]processStatus{}, Errors: map[string]string{}}
	if len(cfg.Kafka.Brokers) > 0 {
		if st.Lag, err = kafka.Lag(ctx, cfg.Kafka, time.Now(), cfg.Groups()...); err != nil {
			return err
		}
	}
	ports := c.Admin
	if len(ports) == 0 && cfg.Admin.Listen != "" {
		ports = []string{cfg.Admin.Listen}
	}
	for _, p := range ports {
		ps, err := fetchStatus(ctx, p)
		if err != nil {
			st.Errors[p] = err.Error()
			continue
		}
		st.Processes[p] = ps
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(st)
	}
	return st.write(s.out)
}

func fetchStatus(ctx context.Context, addr string) (st processStatus, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/status", nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, fmt.Errorf("admin port answered %s", resp.Status)
	}
	return st, json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(&st)
}

func (st deploymentStatus) write(w io.Writer) error {
	for _, g := range st.Lag.Groups {
		fmt.Fprintf(w, "group %-24s %-20s %2d members  lag %d\n", g.Group, g.State, g.Members, g.Lag)
	}
	if age := st.Lag.LSOAge(); age > 0 {
		fmt.Fprintf(w, "an open transaction has held an input back for %s\n", age.Round(time.Second))
	}
	for port, p := range st.Processes {
		fmt.Fprintf(w, "process %s: version %s, %d indicators\n", port, p.Version, p.Index.Indicators)
		for _, h := range p.Hops {
			fmt.Fprintf(w, "  hop %-10s connected %-5t  %d transactions, %d aborted, %d sessions rebuilt\n", h.Hop, h.Connected, h.Committed, h.Aborted, h.Rebuilt)
			for _, l := range h.Lanes {
				fmt.Fprintf(w, "    %s/%d %s  lag %d", l.Topic, l.Partition, l.Phase, l.Lag)
				if l.RestoreTotal > 0 && l.Phase != "running" {
					fmt.Fprintf(w, "  %d of %d", l.RestoreDone, l.RestoreTotal)
				}
				if !l.SnapshotAt.IsZero() {
					fmt.Fprintf(w, "  snapshot %s at offset %d, %d bytes", l.SnapshotAt.Format(time.RFC3339), l.SnapshotOffset, l.SnapshotBytes)
				}
				fmt.Fprintln(w)
			}
		}
		if k := p.Sink; k != nil {
			fmt.Fprintf(w, "  hop persist    %d rows in %d ranges, %d failed attempts, %d bytes buffered, paused %t\n",
				k.Totals.Rows, k.Totals.Ranges, k.Totals.Failures, k.Buffered, k.Paused)
		}
		for _, t := range p.Tenants {
			fmt.Fprintf(w, "  tenant %s: watermark %s, held by %s/%d, %d observations wait\n", t.Tenant, t.Watermark, t.Topic, t.Partition, t.Held)
		}
	}
	for port, e := range st.Errors {
		if _, err := fmt.Fprintf(w, "process %s does not answer: %s\n", port, e); err != nil {
			return err
		}
	}
	return nil
}
