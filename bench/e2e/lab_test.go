package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// lab is one deployment under test: a broker, a database, sources, and what was
// produced to them.
type lab struct {
	t       *testing.T
	dir     string
	kafka   kafka.Config
	sources []*source
	store   *clickhouse.Store
	dsn     string
	set     map[string]any // settings besides those of the lab, by section
	client  *kgo.Client
	admin   *kadm.Client
	procs   []*process
	closed  uint32 // alerts that closing made
	repeats bool   // the broker may be killed within the end of a transaction, which it then half forgets
}

// source is a sensor's feed, and every record that the broker acknowledged.
type source struct {
	schema.Source
	partitions int32
	raws       []schema.Raw
	newest     schema.Millis
}

// labConfig is what differs from lab to lab.
type labConfig struct {
	tenants    []string       // default: acme
	feeds      []string       // source ids of each tenant
	partitions int32          // of the raw topics; default 2
	shards     int32          // partitions of our sharded topics; default 4
	session    time.Duration  // of the consumer groups; default 15s, for labs where nobody is killed or frozen
	settings   map[string]any // over the lab's, by section and key
	dsn        string         // default: the shared engine's
	broker     *broker        // default: one of its own, or the cluster
}

// broker is where labs keep their topics.
type broker struct {
	addrs []string
	real  bool // Apache Kafka
}

// startBroker starts an embedded broker as a child, or gives the cluster.
func startBroker(t *testing.T, dir string) *broker {
	t.Helper()
	if addrs := onKafka(); addrs != nil {
		return &broker{addrs: addrs, real: true}
	}
	p := start(t, "dev-broker", nil, "dev-broker", "--port", "0", "--dir", dir)
	var ready struct{ Brokers []string }
	if err := json.Unmarshal([]byte(p.line(t)), &ready); err != nil {
		t.Fatal(err)
	}
	b := &broker{addrs: ready.Brokers}
	// Killed members are waited for until their session times out: let it be short.
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	_, err = kadm.NewClient(cl).AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "group.min.session.timeout.ms", Value: kadm.StringPtr("500")}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// databases numbers the databases of the shared engine.
var databases atomic.Int64

// newLab makes topics, a database and sources.
func newLab(t *testing.T, c labConfig) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), dsn: c.dsn, set: c.settings}
	if c.tenants == nil {
		c.tenants = []string{"acme"}
	}
	if c.partitions == 0 {
		c.partitions = 2
	}
	if c.session == 0 {
		c.session = 15 * time.Second
	}
	if c.broker == nil {
		c.broker = startBroker(t, filepath.Join(l.dir, "broker"))
	}
	k := kafka.DefaultConfig()
	k.Brokers, k.Replication, k.Partitions = c.broker.addrs, 1, 4
	k.FreshTransactionalIDs = !c.broker.real
	k.Prefix = fmt.Sprintf("e2e%08x", rand.Uint32())
	k.SessionTimeout, k.TransactionTimeout = c.session, c.session*3/4
	k.BatchLinger = 50 * time.Millisecond
	if c.shards != 0 {
		k.Partitions = c.shards
	}
	l.kafka = k
	opts, err := k.Options()
	if err == nil {
		l.client, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerBatchMaxBytes(16<<20), kgo.BrokerMaxWriteBytes(32<<20))...)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.client.Close)
	l.admin = kadm.NewClient(l.client)
	for _, tenant := range c.tenants {
		for _, id := range c.feeds {
			l.sources = append(l.sources, &source{partitions: c.partitions,
				Source: schema.Source{ID: id, Tenant: tenant, Topic: k.Prefix + "-" + tenant + "-" + id}})
		}
	}
	l.makeTopics(c.broker)
	l.openStore()
	return l
}

// makeTopics makes every topic as topics apply would. Raw records have the time
// of the world, so the broker must not think them old.
func (l *lab) makeTopics(b *broker) {
	l.t.Helper()
	var raw []kafka.RawTopic
	for _, s := range l.sources {
		raw = append(raw, kafka.RawTopic{Name: s.Topic, Create: true, Partitions: s.partitions, Retention: 100 * 365 * 24 * time.Hour,
			MaxMessageBytes: 16 << 20})
	}
	plan, err := kafka.PlanTopics(l.t.Context(), l.kafka, raw)
	if err == nil {
		err = plan.Apply(l.t.Context(), l.kafka)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	if b.real {
		l.t.Cleanup(func() {
			for _, topic := range plan.Topics {
				_, _ = l.admin.DeleteTopics(context.Background(), topic.Name)
			}
		})
	}
}

// openStore makes the database. Rows are dated as the world is: they do not
// expire. Merges are stopped, so that rows that were inserted twice stay two.
func (l *lab) openStore() {
	l.t.Helper()
	c := clickhouse.DefaultConfig()
	if c.DSN = l.dsn; c.DSN == "" {
		c.DSN, c.Database = engine.DSN(), fmt.Sprintf("e2e%d", databases.Add(1))
	}
	c.Retention = clickhouse.Retention{}
	st, err := clickhouse.Open(l.t.Context(), c)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = st.Close() })
	if _, err := st.Migrate(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.store, l.dsn = st, c.DSN
	for _, a := range appended() {
		if err := l.exec("SYSTEM STOP MERGES " + a.table); err != nil {
			l.t.Fatal(err)
		}
	}
}

// source finds a feed.
func (l *lab) source(tenant, id string) *source {
	for _, s := range l.sources {
		if s.Tenant == tenant && s.ID == id {
			return s
		}
	}
	l.t.Fatalf("no source %s of %s", id, tenant)
	return nil
}

// config writes the configuration file of one process.
func (l *lab) config(instance string, hops ...string) string {
	l.t.Helper()
	var sources []map[string]any
	for _, s := range l.sources {
		x := map[string]any{"id": s.ID, "tenant": s.Tenant, "topic": s.Topic}
		if s.Formats != nil {
			x["formats"] = s.Formats
		}
		sources = append(sources, x)
	}
	k := l.kafka
	cfg := map[string]any{
		"data_dir": filepath.Join(l.dir, "data"),
		"sources":  sources,
		"kafka": map[string]any{"brokers": k.Brokers, "prefix": k.Prefix, "instance": instance, "partitions": k.Partitions, "replication": k.Replication,
			"fresh_transactional_ids": k.FreshTransactionalIDs, "session_timeout": k.SessionTimeout.String(),
			"transaction_timeout": k.TransactionTimeout.String(), "batch_linger": k.BatchLinger.String()},
		"clickhouse": map[string]any{"dsn": l.dsn, "database": l.store.Database(), "insert_timeout": max(time.Second, k.SessionTimeout*3/4).String()},
		"sink": map[string]any{"insert_timeout": (k.SessionTimeout * 3 / 4).String(), "linger": "300ms", "revoke_timeout": "3s",
			"inserts_per_second": 200},
		// A partition that is called idle no longer holds time back; the guarantee
		// that the oracle checks leaves that case out.
		"detect":        map[string]any{"idle_after": "1h", "heartbeat": "2s"},
		"admin":         map[string]any{"listen": "127.0.0.1:0"},
		"drain_timeout": "20s",
	}
	if len(hops) > 0 {
		cfg["hops"] = hops
	}
	for section, keys := range l.set {
		if to, ok := cfg[section].(map[string]any); ok {
			for k, v := range keys.(map[string]any) {
				to[k] = v
			}
		} else {
			cfg[section] = keys
		}
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	path := filepath.Join(l.dir, instance+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// worker starts a process that runs the named hops, or all. failpoint may be
// empty; see failpoint.go of cmd/interdict.
func (l *lab) worker(instance, failpoint string, hops ...string) *process {
	l.t.Helper()
	var env []string
	if failpoint != "" {
		env = append(env, "INTERDICT_FAILPOINT="+failpoint)
	}
	p := start(l.t, instance+" "+failpoint, env, "run", "-c", l.config(instance, hops...))
	l.procs = append(l.procs, p)
	return p
}

// run executes one command of the program and gives what it printed.
func (l *lab) run(args ...string) string {
	l.t.Helper()
	p := start(l.t, args[0], nil, args...)
	line := p.line(l.t)
	p.await(l.t)
	return line
}
