package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RawTopic is a topic that sensors produce to.
type RawTopic struct {
	Name string
	// Create makes it where it is missing. Raw topics are usually somebody
	// else's, so that a missing one is otherwise only reported.
	Create bool
	// Partitions, Retention and MaxMessageBytes are for creating; a topic that
	// is there is left as it is. Zero: 1 partition and the broker's defaults.
	Partitions      int32
	Retention       time.Duration
	MaxMessageBytes int64
}

// TopicState says what is to be done about a topic.
type TopicState string

// States of topics.
const (
	TopicOK      TopicState = "ok"      // as specified, but for settings left alone on purpose
	TopicCreate  TopicState = "create"  // missing; Apply creates it
	TopicAlter   TopicState = "alter"   // Apply changes settings
	TopicMissing TopicState = "missing" // missing, and not ours to create
	TopicRefused TopicState = "refused" // differs in a way that needs a person
)

// TopicPlan is one topic of the plan.
type TopicPlan struct {
	Name           string         `json:"name"`
	Raw            bool           `json:"raw"`
	State          TopicState     `json:"state"`
	Partitions     int32          `json:"partitions"`      // on the cluster; zero: missing
	WantPartitions int32          `json:"want_partitions"` // zero: any
	Replication    int            `json:"replication"`     // the smallest of the partitions
	Settings       []TopicSetting `json:"settings,omitempty"`
	Problem        string         `json:"problem,omitempty"`
	Holds          string         `json:"holds,omitempty"`
}

// TopicSetting is one setting that differs, or that a new topic gets.
type TopicSetting struct {
	Name  string `json:"name"`
	Have  string `json:"have,omitempty"`
	Want  string `json:"want"`
	Apply bool   `json:"apply"` // false: left as it is
	Note  string `json:"note,omitempty"`
}

// Plan compares a cluster with what Interdict needs of it.
type Plan struct {
	Topics   []TopicPlan `json:"topics"` // ours in the order of the data, then raw ones
	ACLs     []ACL       `json:"acls"`   // that touch these topics, our groups and transactional ids
	ACLNote  string      `json:"acl_note,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
}

// Err tells why the cluster cannot be used even after Apply, if so.
func (p Plan) Err() error {
	var errs []error
	for _, t := range p.Topics {
		if t.State == TopicRefused || t.State == TopicMissing {
			errs = append(errs, fmt.Errorf("topic %s: %s", t.Name, t.Problem))
		}
	}
	return errors.Join(errs...)
}

// Pending counts the topics that Apply would create or alter.
func (p Plan) Pending() int {
	n := 0
	for _, t := range p.Topics {
		if t.State == TopicCreate || t.State == TopicAlter {
			n++
		}
	}
	return n
}

// PlanTopics compares the cluster with pipeline.Topics and the raw topics. An
// error means that the cluster could not be asked; what is wrong with it is in the plan.
func PlanTopics(ctx context.Context, cfg Config, raw []RawTopic) (Plan, error) {
	adm, err := cfg.admin()
	if err != nil {
		return Plan{}, err
	}
	defer adm.Close()
	wants := wantedTopics(cfg, raw)
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.plan.Name
	}
	have, err := listTopics(ctx, adm, names)
	if err != nil {
		return Plan{}, err
	}
	var p Plan
	settings, err := p.readSettings(ctx, adm, have)
	if err != nil {
		return Plan{}, err
	}
	for _, w := range wants {
		d, ok := have[w.plan.Name]
		switch {
		case !ok, errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			p.Topics = append(p.Topics, w.missing())
		case errors.Is(d.Err, kerr.TopicAuthorizationFailed):
			w.plan.State, w.plan.Problem = TopicRefused, "this log-in may not see it (needs DESCRIBE)"
			p.Topics = append(p.Topics, w.plan)
		case d.Err != nil:
			return Plan{}, fmt.Errorf("reading topic %s: %w", w.plan.Name, d.Err)
		default:
			p.Topics = append(p.Topics, w.compare(d, settings[w.plan.Name], cfg))
		}
	}
	if err := p.listACLs(ctx, adm, cfg); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// listTopics looks the topics up; those the log-in may not see carry
// TopicAuthorizationFailed.
func listTopics(ctx context.Context, adm *kadm.Client, names []string) (kadm.TopicDetails, error) {
	have, err := adm.ListTopics(ctx, names...)
	if !errors.Is(err, kerr.TopicAuthorizationFailed) {
		if err != nil {
			return nil, fmt.Errorf("reading the topics of the cluster: %w", err)
		}
		return have, nil
	}
	// One that may not be seen spoils the answer for all: ask for each.
	have = make(kadm.TopicDetails)
	for _, name := range names {
		d, err := adm.ListTopics(ctx, name)
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			have[name] = kadm.TopicDetail{Topic: name, Err: kerr.TopicAuthorizationFailed}
		case err != nil:
			return nil, fmt.Errorf("reading topic %s: %w", name, err)
		default:
			have[name] = d[name]
		}
	}
	return have, nil
}

// readSettings reads the settings of topics, one at a time, because one that may not
// be read spoils the answer for all. That is a warning: raw topics are somebody else's.
func (p *Plan) readSettings(ctx context.Context, adm *kadm.Client, topics kadm.TopicDetails) (map[string]map[string]string, error) {
	settings := make(map[string]map[string]string, len(topics))
	for _, d := range topics.Sorted() {
		if d.Err != nil {
			continue
		}
		configs, err := adm.DescribeTopicConfigs(ctx, d.Topic)
		if err == nil && len(configs) == 1 {
			err = configs[0].Err
		}
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			p.Warnings = append(p.Warnings, fmt.Sprintf("not allowed to read the settings of %s (needs DESCRIBE_CONFIGS)", d.Topic))
			continue
		case err != nil || len(configs) != 1:
			return nil, fmt.Errorf("reading settings of topic %s: %w", d.Topic, err)
		}
		settings[d.Topic] = make(map[string]string)
		for _, kv := range configs[0].Configs {
			settings[d.Topic][kv.Key] = kv.MaybeValue()
		}
	}
	return settings, nil
}

// admin connects an administrator's client.
func (c Config) admin() (*kadm.Client, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to kafka: %w", err)
	}
	return kadm.NewClient(cl), nil
}

// wanted is a topic as it should be.
type wanted struct {
	plan     TopicPlan
	create   bool
	counted  bool // the number of partitions matters
	single   bool // and is one
	settings []setting
}

// setting is a wanted value and how a differing one is judged.
type setting struct {
	name, value string
	judge       func(have, want string) (apply bool, note string, refuse bool)
}

func wantedTopics(cfg Config, raw []RawTopic) []wanted {
	var out []wanted
	insync := "1"
	if cfg.Replication >= 3 {
		insync = "2"
	}
	for _, spec := range pipeline.Topics() {
		w := wanted{create: true, counted: spec.Sharded || spec.Single, single: spec.Single, plan: TopicPlan{Name: spec.Topic.Name(cfg.Prefix), WantPartitions: 1, Holds: spec.Holds}}
		if spec.Sharded {
			w.plan.WantPartitions = cfg.Partitions
		}
		policy := "delete"
		if spec.Compact {
			policy = "compact"
		}
		w.settings = []setting{
			{"cleanup.policy", policy, mustEqual},
			{"retention.ms", strconv.FormatInt(spec.Retention, 10), onlyRaise},
			{"min.insync.replicas", insync, onlyRaise},
			{"message.timestamp.type", "CreateTime", always},
		}
		if spec.MaxMessageBytes > 0 {
			w.settings = append(w.settings, setting{"max.message.bytes", strconv.FormatInt(spec.MaxMessageBytes, 10), onlyRaise})
		}
		out = append(out, w)
	}
	for _, r := range raw {
		w := wanted{create: r.Create, plan: TopicPlan{Name: r.Name, Raw: true, WantPartitions: max(1, r.Partitions), Holds: "vendor alerts"}}
		if r.Retention > 0 {
			w.settings = append(w.settings, setting{"retention.ms", strconv.FormatInt(r.Retention.Milliseconds(), 10), leave})
		}
		if r.MaxMessageBytes > 0 {
			w.settings = append(w.settings, setting{"max.message.bytes", strconv.FormatInt(r.MaxMessageBytes, 10), leave})
		}
		out = append(out, w)
	}
	return out
}

func mustEqual(string, string) (bool, string, bool) {
	return false, "changing it on a topic with data would delete records or keep them for ever", true
}

// onlyRaise raises a limit or a retention; lowering one would delete records or
// refuse what was accepted, and a higher one does no harm.
func onlyRaise(have, want string) (bool, string, bool) {
	h, errH := strconv.ParseInt(have, 10, 64)
	w, errW := strconv.ParseInt(want, 10, 64)
	if errH != nil || errW != nil || w == -1 || h != -1 && h < w {
		return true, "", false
	}
	return false, "higher than needed, left alone", false
}

func always(string, string) (bool, string, bool) { return true, "", false }

func leave(string, string) (bool, string, bool) {
	return false, "the topic was there before, left alone", false
}

// missing plans a topic the cluster does not have.
func (w wanted) missing() TopicPlan {
	p := w.plan
	if !w.create {
		p.State, p.Problem = TopicMissing, "is missing and not ours to create"
		return p
	}
	p.State = TopicCreate
	for _, s := range w.settings {
		p.Settings = append(p.Settings, TopicSetting{Name: s.name, Want: s.value, Apply: true})
	}
	return p
}

// compare plans a topic that is there.
func (w wanted) compare(d kadm.TopicDetail, have map[string]string, cfg Config) TopicPlan {
	p := w.plan
	p.State = TopicOK
	p.Partitions = int32(len(d.Partitions))
	for _, part := range d.Partitions {
		if n := len(part.Replicas); p.Replication == 0 || n < p.Replication {
			p.Replication = n
		}
	}
	switch {
	case !w.counted:
		p.WantPartitions = 0
	case p.Partitions == p.WantPartitions:
	case w.single:
		p.State = TopicRefused
		p.Problem = fmt.Sprintf("has %d partitions and may have one only: its records are one sequence; delete the topic and apply again", p.Partitions)
	default:
		p.State = TopicRefused
		p.Problem = fmt.Sprintf("has %d partitions, the configuration says %d; repartitioning is a procedure of its own", p.Partitions, p.WantPartitions)
	}
	for _, s := range w.settings {
		got, known := have[s.name]
		if !known || got == s.value {
			continue
		}
		apply, note, refuse := s.judge(got, s.value)
		if s.name == "min.insync.replicas" && apply && p.Replication < int(cfg.Replication) {
			apply, note = false, fmt.Sprintf("the topic has %d replicas, the configuration says %d", p.Replication, cfg.Replication)
		}
		p.Settings = append(p.Settings, TopicSetting{Name: s.name, Have: got, Want: s.value, Apply: apply, Note: note})
		switch {
		case refuse && p.State != TopicRefused:
			p.State, p.Problem = TopicRefused, fmt.Sprintf("%s is %s, needed is %s; %s", s.name, got, s.value, note)
		case apply && p.State == TopicOK:
			p.State = TopicAlter
		}
	}
	return p
}

// Apply creates and alters what the plan says. It does nothing at all when a
// topic was refused, and may be repeated. Topics of others that are missing do
// not hinder it.
func (p Plan) Apply(ctx context.Context, cfg Config) error {
	for _, t := range p.Topics {
		if t.State == TopicRefused {
			return fmt.Errorf("nothing was changed: %w", p.Err())
		}
	}
	if p.Pending() == 0 {
		return nil
	}
	adm, err := cfg.admin()
	if err != nil {
		return err
	}
	defer adm.Close()
	for _, t := range p.Topics {
		switch t.State {
		case TopicCreate:
			configs := make(map[string]*string)
			for _, s := range t.Settings {
				configs[s.Name] = kadm.StringPtr(s.Want)
			}
			_, err := adm.CreateTopic(ctx, t.WantPartitions, cfg.Replication, configs, t.Name)
			if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
				return fmt.Errorf("creating topic %s: %w", t.Name, err)
			}
		case TopicAlter:
			var alter []kadm.AlterConfig
			for _, s := range t.Settings {
				if s.Apply {
					alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: s.Name, Value: kadm.StringPtr(s.Want)})
				}
			}
			done, err := adm.AlterTopicConfigs(ctx, alter, t.Name)
			for _, d := range done {
				err = errors.Join(err, d.Err)
			}
			if err != nil {
				return fmt.Errorf("altering topic %s: %w", t.Name, err)
			}
		}
	}
	return nil
}

// names gives the sorted names of the raw topics or of ours.
func (p Plan) names(raw bool) []string {
	var names []string
	for _, t := range p.Topics {
		if t.Raw == raw {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}
