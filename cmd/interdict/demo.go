package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

type demoCmd struct {
	Once     bool   `help:"Exit when the results are printed."`
	Seed     uint64 `default:"1" help:"Seed of the generated world."`
	Hosts    int    `default:"400" help:"Machines in the world."`
	Attacks  int    `default:"3" help:"Attacks hidden in it; the first is ransomware."`
	DataDir  string `type:"path" placeholder:"DIR" help:"Keep the data here; default: a temporary folder."`
	LogLevel string `default:"warn" enum:"debug,info,warn,error" help:"What is logged (${enum})."`
	JSON     bool   `name:"json" help:"Print the results as JSON."`
}

const (
	demoTenant = "acme"
	demoSpan   = 8 * time.Hour
	// demoSlice of the world is sent every demoPace, so that its hours pass in
	// half a minute and evidence is as fresh, in the world's time, as it would be.
	demoSlice = 2 * time.Minute
	demoPace  = 80 * time.Millisecond
)

// Run sends a generated world through every hop and prints what was found.
func (c *demoCmd) Run(ctx context.Context, s *streams) (err error) {
	dir := c.DataDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "interdict-demo-*"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	started := time.Now()
	world, err := c.world(started)
	if err != nil {
		return usage{err}
	}
	cfg, err := c.settings(s, dir)
	if err != nil {
		return usage{err}
	}
	note := io.Writer(s.err)
	fmt.Fprintf(note, "starting the embedded broker and ClickHouse in %s\n", dir)
	clock := &worldClock{}
	clock.set(world.Config().Start)
	a, err := newApp(ctx, cfg, logger(cfg.Log, s.err), withClock(clock.now), withIndicators(demoIndicators(world)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close(context.WithoutCancel(ctx))) }()

	hops, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.run(hops) }()

	work := make(chan error, 1)
	go func() { work <- c.work(ctx, s, a, world, clock, started) }()
	select {
	case err = <-work:
	case err = <-ended:
		if err == nil {
			err = ctx.Err()
		}
		return err
	}
	if err == nil && !c.Once {
		c.invite(s, a)
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}

// work sends the world and shows what came of it.
func (c *demoCmd) work(ctx context.Context, s *streams, a *app, world *gen.World, clock *worldClock, started time.Time) error {
	fmt.Fprintf(s.err, "ready after %s; feed demo knows %d addresses, names and files, of the attackers and others\n",
		time.Since(started).Round(100*time.Millisecond), len(world.Indicators()))
	fmt.Fprintf(s.err, "sending %d records of %s in the life of %d machines, %d attacks among them\n", world.Len(), demoSpan, c.Hosts, c.Attacks)
	truth, err := c.send(ctx, s, a, world, clock)
	if err != nil {
		return err
	}
	if err := c.settle(ctx, a); err != nil {
		return err
	}
	r, err := newDemoReport(ctx, a.store, demoTenant, truth, world.Campaigns())
	if err != nil {
		return err
	}
	r.Seconds = time.Since(started).Seconds()
	if c.JSON {
		return r.writeJSON(s.out)
	}
	return r.write(s.out)
}

// world generates what the sensors of an enterprise say until now.
func (c *demoCmd) world(now time.Time) (*gen.World, error) {
	g := gen.Default()
	g.Seed, g.Hosts, g.Users, g.Campaigns, g.Tenant = c.Seed, c.Hosts, c.Hosts, c.Attacks, demoTenant
	g.Start, g.Duration, g.SlowShare = now.Add(-demoSpan).UTC().Truncate(time.Second), demoSpan, 0
	return gen.New(g)
}

// settings are those of a small embedded deployment with one source per sensor.
func (c *demoCmd) settings(s *streams, dir string) (*settings.Config, error) {
	cfg, err := settings.Load("", append([]string{"INTERDICT_EMBEDDED=true"}, s.environ...))
	if err != nil {
		return nil, err
	}
	cfg.DataDir, cfg.Log.Level = dir, c.LogLevel
	cfg.EmbeddedClickHouse.DataDir = dir + "/clickhouse"
	cfg.Kafka.Partitions = 4
	cfg.Kafka.BatchLinger = 50 * time.Millisecond
	cfg.Detect.IdleAfter, cfg.Detect.Heartbeat = time.Second, time.Second
	cfg.Sink.InsertsPerSecond = 60 // one user, one machine: answers sooner rather than larger inserts
	cfg.Sink.Linger = 500 * time.Millisecond
	for _, id := range gen.Sources() {
		src := settings.Source{ID: id, Tenant: demoTenant, Topic: demoTenant + "." + id, Create: 2}
		if id == "edr" || id == "defender" {
			src.Attests = []string{"host", "user"} // agents on the machines, known by their certificates
		}
		cfg.Sources = append(cfg.Sources, src)
	}
	return cfg, cfg.Validate()
}

// demoIndicators are what threat intelligence knows of the attackers, and decoys.
func demoIndicators(world *gen.World) string {
	var b strings.Builder
	for _, i := range world.Indicators() {
		b.WriteString(i.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

// send produces the world in the order of its time and gives the truth by alert.
func (c *demoCmd) send(ctx context.Context, s *streams, a *app, world *gen.World, clock *worldClock) (map[schema.AlertID]gen.Truth, error) {
	if err := kafka.SendAssets(ctx, a.cfg.Kafka, demoAssets(world)); err != nil {
		return nil, err
	}
	p, err := kafka.NewProducer(a.cfg.Kafka)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	truth := make(map[schema.AlertID]gen.Truth, world.Alerts())
	show := newProgress(s.err, false)
	defer show.done()
	tick := time.NewTicker(demoPace)
	defer tick.Stop()
	end := world.Config().Start.Add(demoSlice)
	var sent uint64
	for r := range world.Records() {
		for !r.Truth.Time.Before(end) {
			clock.set(end)
			end = end.Add(demoSlice)
			show.report(end.Format("15:04"), sent, "sending")
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		p.Send(ctx, demoTenant+"."+r.Source, []byte(r.Truth.Host), r.Value, schema.FromTime(r.Truth.Time))
		sent++
		if r.Truth.Alert {
			id := r.Truth.VendorID
			if id == "" { // a format without ids of its own
				id = schema.ContentSum(r.Value)
			}
			truth[schema.NewAlertID(demoTenant, r.Source, id)] = r.Truth
		}
	}
	clock.run()
	return truth, p.Flush(ctx)
}

func demoAssets(world *gen.World) []schema.Asset {
	var list []schema.Asset
	for _, x := range world.Assets() {
		list = append(list, schema.Asset{Tenant: demoTenant, Entity: schema.EntityRef{Type: schema.EntityHost, Key: strings.ToLower(x.Name)},
			Class: string(x.Class), Owner: x.Owner, Fresh: schema.FromTime(x.Updated)})
	}
	return list
}

// settle waits until every hop has taken everything that is there.
func (c *demoCmd) settle(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	quiet := 0
	for quiet < 3 {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for the hops to finish: %w", ctx.Err())
		}
		lag, err := kafka.Lag(ctx, a.cfg.Kafka, time.Now(), a.cfg.Groups()...)
		if err != nil {
			return err
		}
		// Heartbeats keep the last hops a few records behind at any time.
		behind := int64(0)
		for _, g := range lag.Groups {
			behind = max(behind, g.Lag)
		}
		quiet++
		if behind > 64 {
			quiet = 0
		}
	}
	return nil
}

// invite says how to look around while the demonstration goes on.
func (c *demoCmd) invite(s *streams, a *app) {
	fmt.Fprintf(s.out, "\nstill running; ^C ends it\n  Kafka       %s\n  ClickHouse  %s\n  metrics     http://%s/metrics\n",
		strings.Join(a.cfg.Kafka.Brokers, ","), a.engine.DSN(), a.cfg.Admin.Listen)
}

// worldClock is the time of the generated world: it jumps while the world is
// being sent and goes on by itself afterwards.
type worldClock struct {
	at      atomic.Int64 // milliseconds
	running atomic.Int64 // machine's milliseconds at run; zero: not yet
}

func (w *worldClock) set(t time.Time) { w.at.Store(t.UnixMilli()) }
func (w *worldClock) run()            { w.running.Store(time.Now().UnixMilli()) }

func (w *worldClock) now() time.Time {
	at := w.at.Load()
	if since := w.running.Load(); since != 0 {
		at += time.Now().UnixMilli() - since
	}
	return time.UnixMilli(at)
}
