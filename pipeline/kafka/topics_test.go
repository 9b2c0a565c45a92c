package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var update = flag.Bool("update", false, "write golden files")

// planOf plans and gives the topics by name.
func planOf(t *testing.T, cfg Config, raw ...RawTopic) (Plan, map[string]TopicPlan) {
	t.Helper()
	p, err := PlanTopics(t.Context(), cfg, raw)
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]TopicPlan)
	for _, x := range p.Topics {
		byName[x.Name] = x
	}
	return p, byName
}

func TestTopicsPlanApply(t *testing.T) {
	c := newCluster(t)
	cfg := c.config("a")
	cfg.Prefix += "x" // of which the cluster has nothing yet
	raw := []RawTopic{{Name: cfg.Prefix + ".edr", Create: true, Partitions: 5, Retention: time.Hour, MaxMessageBytes: 2 << 20}, {Name: cfg.Prefix + ".theirs"}}
	t.Cleanup(func() {
		names := namesOf(cfg, raw)
		_, _ = c.adm.DeleteTopics(context.Background(), names...)
	})

	p, by := planOf(t, cfg, raw...)
	if n := len(pipeline.Topics()) + 1; p.Pending() != n {
		t.Errorf("%d to create, want %d", p.Pending(), n)
	}
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), ".theirs: is missing") || strings.Contains(err.Error(), "edr") {
		t.Errorf("Err: %v", err)
	}
	for range 2 { // applying the same plan again does no harm
		if err := p.Apply(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	var q Plan
	eventually(t, "the plan has nothing left to do", func() bool {
		q, by = planOf(t, cfg, raw[0])
		return q.Pending() == 0 && q.Err() == nil
	})
	if x := by[cfg.Prefix+".edr"]; x.Partitions != 5 || !x.Raw || x.State != TopicOK || len(x.Settings) > 0 {
		t.Errorf("raw topic %+v", x)
	}
	if err := q.Apply(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[pipeline.Topic]map[string]string{
		pipeline.TopicIncidents:  {"cleanup.policy": "compact", "retention.ms": "-1"},
		pipeline.TopicLedger:     {"cleanup.policy": "delete", "retention.ms": "-1"},
		pipeline.TopicDeadLetter: {"cleanup.policy": "delete", "max.message.bytes": "16777216"},
	} {
		configs, err := c.adm.DescribeTopicConfigs(t.Context(), topic.Name(cfg.Prefix))
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range configs[0].Configs {
			if w, ok := want[kv.Key]; ok && kv.MaybeValue() != w {
				t.Errorf("%s: %s is %s, want %s", configs[0].Name, kv.Key, kv.MaybeValue(), w)
			}
		}
	}

	// Drift.
	alter := func(topic pipeline.Topic, name, value string) {
		t.Helper()
		if _, err := c.adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic.Name(cfg.Prefix)); err != nil {
			t.Fatal(err)
		}
	}
	alter(pipeline.TopicAlerts, "retention.ms", "3600000")        // too short: raised
	alter(pipeline.TopicLinks, "retention.ms", "2592000000")      // longer than needed: left alone
	alter(pipeline.TopicPaths, "retention.ms", "3600000")         // compacted: for ever
	alter(pipeline.TopicDeadLetter, "max.message.bytes", "99999") // too small: raised
	eventually(t, "three topics to alter", func() bool {
		p, by = planOf(t, cfg)
		return p.Pending() == 3
	})
	if x := by[pipeline.TopicLinks.Name(cfg.Prefix)]; x.State != TopicOK || len(x.Settings) != 1 || x.Settings[0].Apply {
		t.Errorf("longer retention: %+v", x)
	}
	if err := p.Apply(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drift is gone", func() bool {
		p, _ = planOf(t, cfg)
		return p.Pending() == 0
	})

	// What needs a person: nothing at all is changed.
	alter(pipeline.TopicMembers, "cleanup.policy", "delete")
	alter(pipeline.TopicAlerts, "retention.ms", "3600000")
	eventually(t, "refused", func() bool {
		p, by = planOf(t, cfg)
		return by[pipeline.TopicMembers.Name(cfg.Prefix)].State == TopicRefused && p.Pending() == 1
	})
	if err := p.Apply(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "cleanup.policy is delete, needed is compact") {
		t.Errorf("Apply: %v", err)
	}
	if again, _ := planOf(t, cfg); again.Pending() != 1 {
		t.Error("a refused plan was applied")
	}
	cfg.Partitions++
	p, by = planOf(t, cfg)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "has 3 partitions, the configuration says 4") {
		t.Errorf("Err: %v", err)
	}
	if x := by[pipeline.TopicControl.Name(cfg.Prefix)]; x.State != TopicOK {
		t.Errorf("a topic that is not sharded: %+v", x)
	}
}

func namesOf(cfg Config, raw []RawTopic) []string {
	var names []string
	for _, w := range wantedTopics(cfg, raw) {
		names = append(names, w.plan.Name)
	}
	return names
}

// TestTopicsText shows a plan with everything that can be in it.
func TestTopicsText(t *testing.T) {
	cfg := DefaultConfig()
	var p Plan
	shown := []pipeline.Topic{pipeline.TopicAlerts, pipeline.TopicLinks, pipeline.TopicIncidents, pipeline.TopicMembers, pipeline.TopicLedger, pipeline.TopicActions}
	for i, w := range wantedTopics(cfg, []RawTopic{{Name: "edr.alerts"}, {Name: "ids", Retention: time.Hour}}) {
		if !w.plan.Raw && !slices.ContainsFunc(shown, func(x pipeline.Topic) bool { return x.Name(cfg.Prefix) == w.plan.Name }) {
			continue
		}
		d := kadm.TopicDetail{Topic: w.plan.Name, Partitions: kadm.PartitionDetails{}}
		n := cfg.Partitions
		if w.plan.Name == "interdict.links" {
			n = 4
		}
		for j := range n {
			d.Partitions[j] = kadm.PartitionDetail{Partition: j, Replicas: []int32{1, 2, 3}[:1+2*(i%2)]}
		}
		have := map[string]string{"cleanup.policy": "delete", "retention.ms": "604800000", "min.insync.replicas": "1", "max.message.bytes": "1048588", "message.timestamp.type": "CreateTime"}
		if w.plan.Name == "edr.alerts" || w.plan.Name == "interdict.incident-members" {
			p.Topics = append(p.Topics, w.missing())
			continue
		}
		p.Topics = append(p.Topics, w.compare(d, have, cfg))
	}
	p.ACLs = []ACL{{"User:edr", "*", "TOPIC", "edr.", "PREFIXED", "WRITE", "ALLOW"}}
	p.Warnings = []string{"anybody may write to the raw topic ids: bind it to its producers"}
	var b bytes.Buffer
	if err := p.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	j, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"topics_plan.txt": b.Bytes(), "topics_plan.json": append(j, '\n')} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs (see -update):\n%s", path, got)
		}
	}
}

func TestTopicsACL(t *testing.T) {
	acl := func(typ kmsg.ACLResourceType, name string, pattern kmsg.ACLResourcePatternType, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: typ, Name: name, Pattern: pattern, Operation: op, Allow: true}
	}
	const literal, prefixed = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLResourcePatternTypePrefixed
	f, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", "root", "secret"),
		kfake.User("SCRAM-SHA-256", "interdict", "secret",
			acl(kmsg.ACLResourceTypeTopic, "interdict.", prefixed, kmsg.ACLOperationAll),
			acl(kmsg.ACLResourceTypeTopic, "edr", literal, kmsg.ACLOperationRead),
			acl(kmsg.ACLResourceTypeGroup, "interdict.", prefixed, kmsg.ACLOperationRead)),
		kfake.User("SCRAM-SHA-256", "mallory", "secret", acl(kmsg.ACLResourceTypeTopic, "interdict.alerts", literal, kmsg.ACLOperationWrite)),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pass := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(pass, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Replication = f.ListenAddrs(), 1
	cfg.SASL = SASL{Mechanism: "scram-sha-256", User: "root", PasswordFile: pass}
	raw := []RawTopic{{Name: "edr", Create: true}, {Name: "ids", Create: true}}
	p, _ := planOf(t, cfg, raw...)
	if err := p.Apply(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	p, _ = planOf(t, cfg, raw...)
	if len(p.ACLs) < 4 || p.ACLNote != "" {
		t.Fatalf("ACLs %v, note %q", p.ACLs, p.ACLNote)
	}
	// The same rules, seen as the service would be if it could list them.
	p.Warnings = nil
	service := cfg
	service.SASL.User = "interdict"
	p.warn(service, p.names(false), p.names(true))
	want := []string{
		"User:mallory may write to interdict.alerts: only Interdict should",
		"no ACL gives READ to User:interdict on topic ids (a superuser needs none)",
		"no ACL gives WRITE to User:interdict on transactional_id interdict. (a superuser needs none)",
	}
	if got := strings.Join(p.Warnings, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("warnings:\n%s", got)
	}
	// It cannot list them: said, and not an error.
	p, _ = planOf(t, service, raw[0])
	if p.ACLNote == "" || len(p.ACLs) > 0 || !strings.Contains(strings.Join(p.Warnings, "\n"), "settings of edr") {
		t.Errorf("ACLs %v, note %q, warnings %q", p.ACLs, p.ACLNote, p.Warnings)
	}
	// Nor may it see this one.
	if err := planErr(t, service, raw[1]); err == nil || !strings.Contains(err.Error(), "may not see it") {
		t.Errorf("Err: %v", err)
	}
}

func planErr(t *testing.T, cfg Config, raw ...RawTopic) error {
	p, _ := planOf(t, cfg, raw...)
	return p.Err()
}
