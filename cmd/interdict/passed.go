package main

import (
	"context"
	"slices"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
)

// passed tells when the hops that retro-match reads from, the memory of what alerts
// named and the store, have taken all that was in the alerts log at a moment: before
// that, an alert that was matched with the old index could be missed.
type passed struct {
	cfg   kafka.Config
	topic string
	of    time.Time       // what is waited for
	ends  map[int32]int64 // of the log when that was asked first; nil: not known yet
}

func newPassed(cfg kafka.Config) *passed {
	return &passed{cfg: cfg, topic: pipeline.TopicAlerts.Name(cfg.Prefix)}
}

// all reports whether the hops are there. The first call for a moment notes where
// there is. That Kafka does not answer is a no.
func (p *passed) all(ctx context.Context, of time.Time) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rep, err := kafka.Lag(ctx, p.cfg, time.Now(), p.cfg.Prefix+".seen", p.cfg.Prefix+".persist")
	if err != nil || len(rep.Groups) != 2 {
		return false
	}
	if !of.Equal(p.of) || p.ends == nil {
		p.of, p.ends = of, map[int32]int64{}
		for _, g := range rep.Groups {
			for _, x := range g.Partitions {
				if x.Topic == p.topic {
					p.ends[x.Partition] = max(p.ends[x.Partition], x.Stable)
				}
			}
		}
	}
	there := func(g kafka.GroupLag) bool {
		for partition, end := range p.ends {
			if !slices.ContainsFunc(g.Partitions, func(x kafka.PartitionLag) bool {
				return x.Topic == p.topic && x.Partition == partition && x.Committed >= end
			}) && end > 0 {
				return false
			}
		}
		return true
	}
	return there(rep.Groups[0]) && there(rep.Groups[1])
}
