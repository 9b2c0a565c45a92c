package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/service"
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
	Seen    *kafka.SinkStatus         `json:"seen,omitempty"` // what remembers for retro-match; while it runs here
	Intel   *intelStatus              `json:"intel,omitempty"`
}

type indexStatus struct {
	ID         distribute.ContentID `json:"id"`
	Indicators int                  `json:"indicators"`
}

// intelStatus is what a process knows of threat intelligence.
type intelStatus struct {
	Follower *distribute.FollowerStatus `json:"follower,omitempty"`
	Age      float64                    `json:"age_seconds,omitzero"` // of the newest change in force
	Manager  *intel.ManagerStatus       `json:"manager,omitempty"`
	Past     *intel.PastStatus          `json:"past,omitempty"` // while the past is asked here
}

func (i *appIntel) status() *intelStatus {
	if i.follower == nil && i.manager == nil {
		return nil
	}
	st := &intelStatus{}
	if i.follower != nil {
		f := i.follower.Status()
		st.Follower, st.Age = &f, f.Age(time.Now()).Seconds()
	}
	if i.manager != nil {
		m := i.manager.Status()
		st.Manager = &m
		if i.past != nil && m.State == intel.StateManaging {
			p := i.past.Status()
			st.Past = &p
		}
	}
	return st
}

func (a *app) status(ctx context.Context) processStatus {
	st := processStatus{Version: buildInfo().Version, Tenants: a.progress.Tenants(), Intel: a.intel.status()}
	for _, r := range a.runners {
		st.Hops = append(st.Hops, r.Status())
	}
	if a.sink != nil {
		s := a.sink.Status()
		st.Sink = &s
	}
	if i := st.Intel; a.seen != nil && i != nil && i.Manager != nil && i.Manager.State == intel.StateManaging {
		s := a.seen.Status()
		st.Seen = &s
	}
	if x := a.holder.Load(); x != nil {
		st.Index = indexStatus{distribute.ContentID(x.ID()), x.Len()}
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
		if p.Intel != nil {
			p.Intel.write(w)
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

// shownFeeds bounds how many feeds are named that need a look.
const shownFeeds = 20

func (st *intelStatus) write(w io.Writer) {
	if f := st.Follower; f != nil {
		fmt.Fprintf(w, "  indicators %-12s %d in force, content %016x, %d behind", f.State, f.Indicators, uint64(f.Content), f.Behind)
		if f.Made != 0 {
			fmt.Fprintf(w, ", newest change %s ago", time.Duration(st.Age*float64(time.Second)).Round(time.Second))
		}
		if f.SnapshotAt != 0 {
			fmt.Fprintf(w, ", snapshot of %s", f.SnapshotAt)
		}
		if f.Base {
			fmt.Fprint(w, ", of the local library")
		}
		if f.LastError != "" && f.State != distribute.StateFollowing {
			fmt.Fprintf(w, ": %s", printable(f.LastError))
		}
		fmt.Fprintln(w)
	}
	m := st.Manager
	if m == nil {
		return
	}
	fmt.Fprintf(w, "  intel      %-12s", m.State)
	if m.Why != "" {
		fmt.Fprintf(w, " %s", printable(m.Why))
	}
	if p := m.Publisher; p != nil {
		fmt.Fprintf(w, " %d indicators published, content %016x, %d changes since the snapshot of %s", p.Indicators, uint64(p.Content), p.Changes, orDash(p.SnapshotAt))
		if p.LastError != "" {
			fmt.Fprintf(w, "; failing: %s", printable(p.LastError))
		}
	}
	fmt.Fprintln(w)
	if m.Error != "" {
		fmt.Fprintf(w, "  library    %s\n", printable(m.Error))
	}
	if m.Feeds != nil {
		writeFeeds(w, m.Feeds)
	}
	for _, u := range m.Uploads {
		fmt.Fprintf(w, "  uploads    %s: %d requests (%d bytes) not in the library yet", u.Feed, u.Requests, u.Bytes)
		if u.Since != 0 {
			fmt.Fprintf(w, ", the oldest since %s", u.Since)
		}
		if u.Aside > 0 {
			fmt.Fprintf(w, "; %d bytes set aside, see the log", u.Aside)
		}
		fmt.Fprintln(w)
	}
	if st.Past != nil {
		writePast(w, st.Past, time.Now())
	}
}

// writeFeeds tells how many feeds there are, and names those that need a look.
func writeFeeds(w io.Writer, feeds *service.Status) {
	var silent, failing, damaged int
	var looks []string
	for i := range feeds.Feeds {
		f := &feeds.Feeds[i]
		if len(f.Damaged) > 0 {
			damaged++
			looks = append(looks, fmt.Sprintf("    feed %s is damaged: %s", f.Name, short(strings.Join(f.Damaged, "; "), 160)))
		}
		if len(f.Broken) > 0 {
			looks = append(looks, fmt.Sprintf("    feed %s is partly failing: %s", f.Name, short(strings.Join(f.Broken, "; "), 160)))
		}
		switch {
		case f.Failures > 0:
			failing++
			looks = append(looks, fmt.Sprintf("    feed %s failed %d times: %s", f.Name, f.Failures, short(f.Error, 160)))
		case f.Silent != 0:
			silent++
			text := fmt.Sprintf("    feed %s brought nothing new since %s", f.Name, f.Silent)
			if f.Waiting != "" {
				text += ": " + short(f.Waiting, 160)
			}
			looks = append(looks, text)
		}
	}
	fmt.Fprintf(w, "  feeds      %d, %d silent, %d failing", len(feeds.Feeds), silent, failing)
	if damaged > 0 {
		fmt.Fprintf(w, ", %d damaged", damaged)
	}
	if feeds.PublishLag > 0 {
		fmt.Fprintf(w, ", unpublished for %s", time.Duration(feeds.PublishLag*float64(time.Second)).Round(time.Second))
	}
	fmt.Fprintln(w)
	for _, line := range looks[:min(len(looks), shownFeeds)] {
		fmt.Fprintln(w, line)
	}
	if more := len(looks) - shownFeeds; more > 0 {
		fmt.Fprintf(w, "    and %d more: interdict intel list\n", more)
	}
}
