package kafka

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// on is a cluster helper for an embedded broker.
func on(brokers []string) *cluster {
	return &cluster{brokers: brokers, prefix: "interdict", partitions: 2}
}

// values gives what is on a topic, sorted.
func (c *cluster) values(t testing.TB, topic string) []string {
	t.Helper()
	adm := c.client(t)
	c.adm = kadm.NewClient(adm)
	var got []string
	for _, recs := range c.read(t, topic) {
		for _, r := range recs {
			got = append(got, string(r.Value))
		}
	}
	slices.Sort(got)
	return got
}

func TestBrokerRestart(t *testing.T) {
	long(t, "broker processes")
	cfg := BrokerConfig{Dir: t.TempDir(), Partitions: 2, Raw: []RawTopic{{Name: "edr", Partitions: 2}}, Logger: testLog(t)}
	want := make(map[int]bool)
	var group *kadm.Client
	for run := range 3 {
		b, err := StartBroker(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		c := on(b.Addrs())
		if got := c.values(t, "edr"); len(got) != len(want) {
			t.Fatalf("run %d: %d records, want %d", run, len(got), len(want))
		}
		c.produceTxns(t, "edr", run*100, run*100+100, 20, 5, want)
		group = kadm.NewClient(c.client(t))
		if run > 0 {
			o, err := group.FetchOffsets(t.Context(), "g")
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := o.Lookup("edr", 1); !ok || p.At != int64(run) || p.Metadata != "note" {
				t.Errorf("run %d: committed %+v", run, p)
			}
		}
		o := make(kadm.Offsets)
		o.Add(kadm.Offset{Topic: "edr", Partition: 1, At: int64(run + 1), Metadata: "note"})
		if err := group.CommitAllOffsets(t.Context(), "g", o); err != nil {
			t.Fatal(err)
		}
		b.Close()
	}
	b, err := StartBroker(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, v := range on(b.Addrs()).values(t, "edr") {
		if n, err := strconv.Atoi(v); err != nil || !want[n] {
			t.Errorf("%q was never committed", v)
		}
		n, _ := strconv.Atoi(v)
		delete(want, n)
	}
	if len(want) > 0 {
		t.Errorf("%d records are lost", len(want))
	}
}

// TestBrokerTopics: every topic is bounded or compacted, and what a planner wants.
func TestBrokerTopics(t *testing.T) {
	b, err := StartBroker(t.Context(), BrokerConfig{Partitions: 2, PartitionBytes: 1 << 20, Raw: []RawTopic{{Name: "edr"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cfg := DefaultConfig()
	cfg.Partitions = 2
	cfg = b.Adapt(cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	p, by := planOf(t, cfg, RawTopic{Name: "edr"})
	if p.Pending() != 0 || p.Err() != nil {
		t.Errorf("%d to do, %v", p.Pending(), p.Err())
	}
	if by["edr"].State != TopicOK || !strings.HasPrefix(b.Addrs()[0], "127.0.0.1:") {
		t.Errorf("%+v at %v", by["edr"], b.Addrs())
	}
	adm := kadm.NewClient(on(b.Addrs()).client(t))
	for _, x := range p.Topics {
		configs, err := adm.DescribeTopicConfigs(t.Context(), x.Name)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, kv := range configs[0].Configs {
			if kv.Source.String() == "DYNAMIC_TOPIC_CONFIG" {
				got[kv.Key] = kv.MaybeValue()
			}
		}
		if got["retention.ms"] == "" || got["retention.ms"] != "-1" && got["retention.bytes"] != "1048576" {
			t.Errorf("%s can grow without bound: %v", x.Name, got)
		}
	}
}

const brokerDirEnv = "INTERDICT_TEST_BROKER_DIR"

// TestBrokerChild is the child process of TestBrokerKill.
func TestBrokerChild(t *testing.T) {
	dir := os.Getenv(brokerDirEnv)
	if dir == "" {
		return // no child
	}
	err := ServeBroker(t.Context(), BrokerConfig{Dir: dir, SyncWrites: true, Partitions: 2, Raw: []RawTopic{{Name: "edr", Partitions: 2}}}, os.Stdout)
	t.Fatalf("ServeBroker: %v", err)
}

func TestBrokerKill(t *testing.T) {
	long(t, "broker processes")
	dir := t.TempDir()
	want := make(map[int]bool)
	for run := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBrokerChild$")
		cmd.Env = append(os.Environ(), brokerDirEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var line ready
		err = json.NewDecoder(bufio.NewReader(out)).Decode(&line)
		if err == nil && (line.PID != cmd.Process.Pid || len(line.Brokers) != 1) {
			t.Errorf("ready line %+v", line)
		}
		if err == nil {
			c := on(line.Brokers)
			if got := c.values(t, "edr"); len(got) != len(want) {
				t.Errorf("run %d: %d records after a kill, want %d", run, len(got), len(want))
			}
			c.produceTxns(t, "edr", run*100, run*100+100, 20, 5, want)
		}
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestServeBroker(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- ServeBroker(ctx, BrokerConfig{Partitions: 1}, w) }()
	var line ready
	if err := json.NewDecoder(r).Decode(&line); err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(line.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
}
