package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/correlate"
	"github.com/interdict/interdict/stages/disrupt"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/stages/respond"
)

// Plan is the way of an alert: every hop, its topics and its stages, in order.
type Plan struct {
	cfg   Config
	deps  Deps
	topic func(Topic) string
	hash  uint64 // of what the state of hop 2 depends on

	policies *disrupt.Prepared  // compiled once for all shards
	formats  *normalize.Formats // compiled once for all lanes
}

// Hops are the transactional hops in the order of the data.
//
//	raw topics, control, assets --detect: normalize, match--> alerts
//	alerts --correlate: correlate, disrupt--> incidents, members, paths, decisions, leases, actions, ledger
//	actions --respond: respond--> action-results
func (p *Plan) Hops() []Hop {
	var raw []string
	for _, s := range p.cfg.Sources {
		raw = append(raw, s.Topic)
	}
	return []Hop{
		{Name: "detect", Inputs: append(raw, p.topic(TopicControl), p.topic(TopicAssets)), Open: p.openDetect},
		{Name: "correlate", Inputs: []string{p.topic(TopicAlerts)}, State: true, Open: p.openCorrelate},
		{Name: "respond", Inputs: []string{p.topic(TopicActions)}, Open: p.openRespond},
	}
}

// Sink is the last hop: everything into the store.
func (p *Plan) Sink() SinkHop {
	var in []string
	for _, t := range persisted {
		in = append(in, p.topic(t.topic))
	}
	return SinkHop{Name: "persist", Inputs: in, Insert: p.insert}
}

// persisted are the topics the store keeps, with what persist calls them.
var persisted = [...]struct {
	topic Topic
	kind  persist.Kind
}{
	{TopicAlerts, persist.KindAlerts}, {TopicIncidents, persist.KindIncidents}, {TopicMembers, persist.KindMembers},
	{TopicPaths, persist.KindPaths}, {TopicDecisions, persist.KindDecisions}, {TopicLeases, persist.KindLeases},
	{TopicActions, persist.KindActions}, {TopicResults, persist.KindResults}, {TopicLedger, persist.KindLedger},
	{TopicDeadLetter, persist.KindDeadLetter}, {TopicAssets, persist.KindAssets}, {TopicIndicators, persist.KindIndicators},
}

// detectSteps are the stages of hop 1, for one lane.
func (p *Plan) detectSteps() ([]Step, error) {
	n, err := normalize.New(p.cfg.Normalize, p.formats)
	if err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	return []Step{{"normalize", n}, {"match", match.New(p.cfg.Match, p.deps.Index)}}, nil
}

// correlateSteps are the stages of hop 2, for one virtual shard.
func (p *Plan) correlateSteps(schema.Shard) ([]Step, error) {
	c, err := correlate.New(p.cfg.Correlate)
	if err != nil {
		return nil, fmt.Errorf("correlate: %w", err)
	}
	return []Step{{"correlate", c}, {"disrupt", p.policies.New()}}, nil
}

// respondSteps are the stages of hop 3, for one lane.
func (p *Plan) respondSteps() ([]Step, error) {
	r, err := respond.New(p.cfg.Respond)
	if err != nil {
		return nil, fmt.Errorf("respond: %w", err)
	}
	return []Step{{"respond", r}}, nil
}

// insert is hop 4: records of one partition to rows.
func (p *Plan) insert(ctx context.Context, r Range) (int, error) {
	for _, t := range persisted {
		if p.topic(t.topic) != r.Topic {
			continue
		}
		in := persist.Input{Kind: t.kind, Topic: r.Topic, Token: r.Token(), Partition: r.Partition, Lo: r.Lo, Hi: r.Hi,
			Records: make([]persist.Record, len(r.Records))}
		for i, rec := range r.Records {
			x := persist.Record{Offset: rec.Offset, Time: rec.Time, Key: rec.Key, Value: rec.Value}
			for _, h := range rec.Headers {
				x.Headers = append(x.Headers, persist.Header(h))
			}
			in.Records[i] = x
		}
		return p.deps.Persist.Insert(ctx, in)
	}
	return 0, stages.Permanent(fmt.Errorf("topic %s is not one that is persisted", r.Topic))
}

// Config is the configuration of all stages and of the hops around them.
type Config struct {
	Sources   []schema.Source
	Detect    DetectConfig
	Normalize normalize.Config
	Match     match.Config
	Correlate correlate.Config
	Disrupt   disrupt.Config
	Respond   respond.Config
}

// Deps is what the plan is wired to.
type Deps struct {
	Index    *match.Holder      // the index match reads; swapped by intel
	Persist  *persist.Persister // nil where nothing is persisted
	Seen     Seer               // nil: nothing is remembered for retro-match
	Counts   *Counts            // nil: not counted
	Progress *Progress          // nil: not reported
	Prefix   string             // of our topics
	Clock    func() time.Time   // nil: time.Now; only hop 1's watermarks and hop 3 read it
}

// NewPlan checks the configuration by building every stage once.
func NewPlan(cfg Config, d Deps) (*Plan, error) {
	if d.Clock == nil {
		d.Clock = time.Now
	}
	p := &Plan{cfg: cfg, deps: d, topic: func(t Topic) string { return t.Name(d.Prefix) }}
	if err := cfg.Detect.Validate(); err != nil {
		return nil, err
	}
	seen, ours := map[string]bool{}, map[string]bool{}
	for _, t := range Topics() {
		ours[p.topic(t.Topic)] = true
	}
	for _, s := range cfg.Sources {
		if s.ID == "" || s.Tenant == "" || s.Topic == "" {
			return nil, fmt.Errorf("source %q: id, tenant and topic must be set", s.ID)
		}
		if strings.ContainsRune(s.ID+s.Tenant, 0) {
			return nil, fmt.Errorf("source %q: a zero byte separates tenant and object in keys and cannot be in a name", s.ID)
		}
		if seen[s.Topic] {
			return nil, fmt.Errorf("source %q: topic %s belongs to another source", s.ID, s.Topic)
		}
		if ours[s.Topic] {
			return nil, fmt.Errorf("source %q: topic %s is one of Interdict's own", s.ID, s.Topic)
		}
		seen[s.Topic] = true
	}
	var err error
	if p.policies, err = disrupt.Prepare(cfg.Disrupt); err != nil {
		return nil, fmt.Errorf("disrupt: %w", err)
	}
	if p.formats, err = normalize.Load(cfg.Normalize); err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	for _, s := range cfg.Sources {
		for _, name := range s.Formats {
			if name != normalize.CSV && !p.formats.Known(name) {
				return nil, fmt.Errorf("source %q: format %q is not known", s.ID, name)
			}
		}
	}
	for _, build := range []func() ([]Step, error){p.detectSteps, func() ([]Step, error) { return p.correlateSteps(0) }, p.respondSteps} {
		steps, err := build()
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			// A changed policy does not make the state unreadable: disrupt keeps the
			// leases that are in force and forgets evidence of what changed.
			if h, ok := s.Stage.(interface{ ConfigHash() uint64 }); ok && s.Name != "disrupt" {
				p.hash = p.hash*31 + h.ConfigHash()
			}
		}
	}
	return p, nil
}

// Formats are the formats in force; reload them when the user's folder changes.
func (p *Plan) Formats() *normalize.Formats { return p.formats }

func (p *Plan) now() schema.Millis { return schema.FromTime(p.deps.Clock()) }

func (p *Plan) openDetect(id LaneID) (Lane, error) {
	switch id.Topic {
	case p.topic(TopicControl):
		return &sequenceLane{id: id, decode: decodeControl, count: p.deps.Counts}, nil
	case p.topic(TopicAssets):
		return &sequenceLane{id: id, decode: decodeAsset, count: p.deps.Counts}, nil
	}
	for i := range p.cfg.Sources {
		if s := &p.cfg.Sources[i]; s.Topic == id.Topic {
			steps, err := p.detectSteps()
			if err != nil {
				return nil, err
			}
			return newDetectLane(p.cfg.Detect, id, s, chain{steps, p.deps.Counts}, p.now), nil
		}
	}
	return nil, fmt.Errorf("topic %s belongs to no source", id.Topic)
}

func (p *Plan) openCorrelate(LaneID) (Lane, error) { return p.correlateLane(), nil }

func (p *Plan) correlateLane() *correlateLane {
	topics := map[string][]string{}
	for _, s := range p.cfg.Sources {
		topics[s.Tenant] = append(topics[s.Tenant], s.Topic)
	}
	return &correlateLane{lateness: schema.Millis(p.cfg.Correlate.Lateness.Milliseconds()), build: p.correlateSteps, count: p.deps.Counts, progress: p.deps.Progress,
		expected: func(tenant string) []string { return topics[tenant] },
		hash:     p.hash, shards: map[schema.Shard]*shard{}}
}

func (p *Plan) openRespond(LaneID) (Lane, error) {
	steps, err := p.respondSteps()
	if err != nil {
		return nil, err
	}
	return &respondLane{chain: chain{steps, p.deps.Counts}, clock: p.now}, nil
}

// source gives a configured source, or an empty one.
func (p *Plan) source(tenant, id string) schema.Source {
	for _, s := range p.cfg.Sources {
		if s.ID == id && s.Tenant == tenant {
			return s
		}
	}
	return schema.Source{}
}
