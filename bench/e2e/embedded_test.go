package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestKillEmbedded kills the whole of an embedded deployment, broker and worker
// and with them the engine's parent, while it works on what it acknowledged, and
// starts it on the same folders. What was acknowledged is all there at the end, once;
// only the counts of what was read may be too high: see ADR 0007.
func TestKillEmbedded(t *testing.T) {
	t.Parallel()
	notOnKafka(t)
	notShort(t)
	const rounds = 4
	rng := seeded(t, 41)
	l := &lab{t: t, dir: t.TempDir(), repeats: true}
	c := gen.Default()
	// The embedded broker keeps raw records for a day of their own time.
	c.Seed, c.Hosts, c.Users, c.Campaigns, c.Background, c.FPBursts, c.NoisyPairs, c.SlowShare, c.Duration = 41, 60, 60, 2, 700, 1, 3, 0, 6*time.Hour
	c.Start = time.Now().Add(-8 * time.Hour).UTC().Truncate(time.Hour)
	w, err := gen.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var sources []map[string]any
	for _, id := range gen.Sources() {
		s := &source{Source: schema.Source{ID: id, Tenant: "acme", Topic: "raw-" + id}, partitions: 2}
		l.sources = append(l.sources, s)
		sources = append(sources, map[string]any{"id": id, "tenant": "acme", "topic": s.Topic, "create": s.partitions})
	}
	data := filepath.Join(l.dir, "clickhouse")
	text, err := yaml.Marshal(map[string]any{
		"embedded": true, "data_dir": l.dir, "sources": sources,
		"broker":              map[string]any{"dir": filepath.Join(l.dir, "broker"), "sync_writes": true},
		"embedded_clickhouse": map[string]any{"data_dir": data},
		"kafka": map[string]any{"instance": "all", "session_timeout": "6s", "transaction_timeout": "5s", "partitions": 4,
			"snapshot_every": "300ms", "batch_records": 50},
		"sink":       map[string]any{"insert_timeout": "5s", "linger": "200ms", "rows": 200, "inserts_per_second": 200},
		"clickhouse": map[string]any{"retention": map[string]any{"alerts": 0, "operations": 0}},
		"detect":     map[string]any{"idle_after": "1h", "heartbeat": "2s"},
		"admin":      map[string]any{"listen": "127.0.0.1:0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(l.dir, "embedded.yaml")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l.kafka = kafka.DefaultConfig()
	up := func() *process {
		p := start(t, "embedded", nil, "run", "-c", config)
		l.procs = append(l.procs, p)
		addr, ok := strings.CutPrefix(strings.TrimSpace(p.line(t)), "embedded broker on ")
		if !ok {
			t.Fatalf("no address of the broker\n%s", p.tail(30))
		}
		l.connect([]string{addr})
		return p
	}
	msgs := l.messages("acme", w)
	for round := range rounds {
		p := up()
		lo, hi := round*len(msgs)/rounds, (round+1)*len(msgs)/rounds
		l.produce(msgs[lo:hi])
		l.produce(l.closing(msgs[hi-1].time, nil))
		time.Sleep(time.Duration(rng.IntN(2500)) * time.Millisecond)
		if e := p.ended(); e != "" {
			t.Fatalf("round %d: it ended by itself: %s\n%s", round, e, p.tail(40))
		}
		p.kill()
	}
	p := up()
	l.settle()
	p.stop(t)

	// The broker and the engine again, on the folders that they left.
	b := start(t, "dev-broker", nil, "dev-broker", "-c", config, "--port", "0", "--dir", filepath.Join(l.dir, "broker"))
	var ready struct{ Brokers []string }
	if err := json.Unmarshal([]byte(b.line(t)), &ready); err != nil {
		t.Fatal(err)
	}
	l.connect(ready.Brokers)
	store, err := startEngine(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	cc := clickhouse.DefaultConfig()
	cc.DSN = store.DSN()
	if l.store, err = clickhouse.Open(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.store.Close() })
	l.checkAccounting()
	l.checkOracle("acme")
}

// connect points the lab at a broker that has come up.
func (l *lab) connect(addrs []string) {
	l.t.Helper()
	l.kafka.Brokers = addrs
	opts, err := l.kafka.Options()
	if err != nil {
		l.t.Fatal(err)
	}
	if l.client, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(16<<20), kgo.BrokerMaxWriteBytes(32<<20))...); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(l.client.Close)
	l.admin = kadm.NewClient(l.client)
}
