package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"golang.org/x/sync/errgroup"
)

// LatencyOptions say how signal to action is measured.
type LatencyOptions struct {
	Kafka    kafka.Config
	Plan     *pipeline.Plan // with an armed policy, over the three topics
	EDR      string         // topics of two sensors that name the victims
	Defender string
	Noise    string // topic of the background
	Sink     *kafka.SinkConfig
	Tenant   string
	Attacks  int           // victims, one after another
	Every    time.Duration // between two attacks
	Rate     int           // background alerts per second
	Progress func(string)
}

// Latency is the time from the raw record of the alert that completes a pattern
// (its CreateTime) to the moment a read_committed consumer has the action.
type Latency struct {
	Attacks  int     `json:"attacks"`
	Rate     int     `json:"background_per_second"`
	Seen     int     `json:"actions_seen"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	Persist  bool    `json:"persist"`
	Interval float64 `json:"seconds"`
}

// victim names the host of attack i.
func victim(i int) string { return fmt.Sprintf("victim-%05d", i) }

// sign is one alert of the pattern, as an EDR would report it in OCSF.
func sign(i int, technique string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"class_uid":2004,"category_uid":2,"type_uid":200401,"activity_id":1,"severity_id":5,"status_id":1,"time":%d,`+
		`"metadata":{"version":"1.8.0","product":{"name":"Bench","vendor_name":"Bench"}},`+
		`"finding_info":{"uid":"%s-%d","title":"Sign %s","created_time":%d,"attacks":[{"technique":{"uid":"%s"}}]},`+
		`"device":{"hostname":"%s","type_id":2}}`, at.UnixMilli(), technique, i, technique, at.UnixMilli(), technique, victim(i))
}

// MeasureLatency runs the hops, keeps the background going, strikes the victims
// in turn and waits for the actions.
func MeasureLatency(ctx context.Context, o LatencyOptions) (Latency, error) {
	res := Latency{Attacks: o.Attacks, Rate: o.Rate, Persist: o.Sink != nil}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for _, hop := range o.Plan.Hops() {
		r, err := kafka.NewRunner(o.Kafka, hop, kafka.Settings{})
		if err != nil {
			return res, err
		}
		g.Go(func() error { return r.Run(ctx) })
	}
	if o.Sink != nil {
		s, err := kafka.NewSink(o.Kafka, o.Plan.Sink(), *o.Sink, kafka.Settings{})
		if err != nil {
			return res, err
		}
		g.Go(func() error { return s.Run(ctx) })
	}
	var mu sync.Mutex
	struck := map[string]time.Time{}
	took := map[string]time.Duration{}
	g.Go(func() error {
		return kafka.Follow(ctx, o.Kafka, pipeline.TopicActions, func(r pipeline.Record) error {
			now := time.Now()
			var a schema.Action
			if err := a.DecodeWire(r.Value); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			key := string([]byte(a.Target.Key))
			if at, ok := struck[key]; ok && a.Target.Type == schema.EntityHost {
				if _, again := took[key]; !again {
					took[key] = now.Sub(at)
				}
			}
			return nil
		})
	})
	strike := func() error { return o.strike(ctx, &mu, struck) }
	start := time.Now()
	g.Go(func() error {
		defer cancel()
		if err := strike(); err != nil {
			return err
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			mu.Lock()
			all := len(took) == o.Attacks
			mu.Unlock()
			if all {
				break
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return res, err
	}
	res.Interval = time.Since(start).Seconds()
	var ms []float64
	for _, d := range took {
		ms = append(ms, float64(d.Microseconds())/1000)
	}
	slices.Sort(ms)
	if res.Seen = len(ms); len(ms) > 0 {
		res.P50, res.P99, res.Max = ms[len(ms)/2], ms[len(ms)*99/100], ms[len(ms)-1]
	}
	return res, nil
}

// strike keeps the background at its rate and sends the two signs of each attack,
// the second half an interval after the first, from another sensor.
func (o LatencyOptions) strike(ctx context.Context, mu *sync.Mutex, struck map[string]time.Time) error {
	var assets []schema.Asset
	for i := range o.Attacks {
		assets = append(assets, schema.Asset{Tenant: o.Tenant, Entity: schema.EntityRef{Type: schema.EntityHost, Key: victim(i)},
			Class: "workstation", Fresh: schema.FromTime(time.Now())})
	}
	if err := kafka.SendAssets(ctx, o.Kafka, assets); err != nil {
		return err
	}
	p, err := kafka.NewProducer(o.Kafka)
	if err != nil {
		return err
	}
	defer p.Close()
	noise := gen.Suricata(7)
	const step = 10 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	begin := time.Now().Add(3 * time.Second) // the background alone first
	sent, half := 0, 0
	for half < 2*o.Attacks {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		for due := int(float64(o.Rate) * now.Sub(begin.Add(-3*time.Second)).Seconds()); sent < due; sent++ {
			p.Send(ctx, o.Noise, nil, restamp(noise(nil, sent), now), 0)
		}
		for half < 2*o.Attacks && now.Sub(begin) >= time.Duration(half)*o.Every/2 {
			i := half / 2
			if half%2 == 0 {
				p.Send(ctx, o.EDR, nil, sign(i, "T1003", now), schema.FromTime(now))
			} else {
				mu.Lock()
				struck[victim(i)] = now.Truncate(time.Millisecond) // what CreateTime can hold
				mu.Unlock()
				p.Send(ctx, o.Defender, nil, sign(i, "T1486", now), schema.FromTime(now))
			}
			half++
		}
	}
	return p.Flush(ctx)
}
