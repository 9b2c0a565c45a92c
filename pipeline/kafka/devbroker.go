package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BrokerConfig says how the embedded broker keeps its data and what topics it has.
type BrokerConfig struct {
	// Dir keeps the data across restarts; empty: memory alone.
	Dir string `yaml:"dir"`
	// Port on 127.0.0.1; zero: any free one.
	Port int `yaml:"port"`
	// SyncWrites makes every batch durable before it is acknowledged, so that
	// nothing is lost if the machine stops. Default: false.
	SyncWrites bool `yaml:"sync_writes"`
	// CleanerEvery is how often retention and compaction run. Default: 2s.
	CleanerEvery time.Duration `yaml:"cleaner_every"`
	// PartitionBytes bounds each partition of topics whose records expire, since
	// the broker holds what it serves in memory. Default: 268435456.
	PartitionBytes int64 `yaml:"partition_bytes"`
	// Prefix, Partitions and Raw are the topics it has from the start. Raw
	// topics are created whether or not they say so.
	Prefix     string     `yaml:"-"`
	Partitions int32      `yaml:"-"`
	Raw        []RawTopic `yaml:"-"`
	// Logger gets the broker's warnings. Default: discards.
	Logger *slog.Logger `yaml:"-"`
}

// DefaultBrokerConfig gives the defaults named in BrokerConfig.
func DefaultBrokerConfig() BrokerConfig {
	return BrokerConfig{CleanerEvery: 2 * time.Second, PartitionBytes: 256 << 20}
}

// Broker is a Kafka broker inside this process, for demonstration, development
// and tests. It speaks Kafka's protocol to any client on this machine; it is no
// substitute for Apache Kafka.
type Broker struct {
	cluster *kfake.Cluster
}

// StartBroker starts an embedded broker and creates the topics it lacks. The
// context bounds the start alone.
func StartBroker(ctx context.Context, cfg BrokerConfig) (*Broker, error) {
	def := DefaultBrokerConfig()
	if cfg.CleanerEvery <= 0 {
		cfg.CleanerEvery = def.CleanerEvery
	}
	if cfg.PartitionBytes <= 0 {
		cfg.PartitionBytes = def.PartitionBytes
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.BrokerConfigs(map[string]string{
			"log.cleaner.backoff.ms": strconv.FormatInt(cfg.CleanerEvery.Milliseconds(), 10),
			"message.max.bytes":      strconv.Itoa(16 << 20), // raw topics carry what vendors send
		}),
	}
	if cfg.Logger != nil {
		opts = append(opts, kfake.WithLogger(brokerLog{cfg.Logger}))
	}
	if cfg.Port != 0 {
		opts = append(opts, kfake.Ports(cfg.Port))
	}
	if cfg.Dir != "" {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the embedded broker's directory: %w", err)
		}
		opts = append(opts, kfake.DataDir(cfg.Dir))
		if cfg.SyncWrites {
			opts = append(opts, kfake.SyncWrites())
		}
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	wholeFetches(cluster)
	b := &Broker{cluster: cluster}
	if err := b.createTopics(ctx, cfg); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// wholeFetches keeps the broker from ending an answer in the middle of a partition
// because the whole answer is full: it then forgets to say which transactions of
// that partition were aborted, and a read_committed client takes their records
// for good ones. The bounds of each partition, which have no such fault, remain.
func wholeFetches(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		req.(*kmsg.FetchRequest).MaxBytes = math.MaxInt32
		return nil, nil, false
	})
}

// createTopics makes every topic explicitly, because those the broker creates by
// itself do not survive a kill, and bounds those that can grow: time-based
// retention alone would let a busy hour fill the memory.
func (b *Broker) createTopics(ctx context.Context, cfg BrokerConfig) error {
	c := DefaultConfig()
	if cfg.Prefix != "" {
		c.Prefix = cfg.Prefix
	}
	if cfg.Partitions > 0 {
		c.Partitions = cfg.Partitions
	}
	c = b.Adapt(c)
	raw := make([]RawTopic, len(cfg.Raw))
	for i, r := range cfg.Raw {
		r.Create = true
		if r.Retention == 0 {
			r.Retention = 24 * time.Hour
		}
		raw[i] = r
	}
	plan, err := PlanTopics(ctx, c, raw)
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	for i, t := range plan.Topics {
		finite := true
		for _, s := range t.Settings {
			finite = finite && !(s.Name == "retention.ms" && s.Want == "-1")
		}
		if t.State == TopicCreate && finite {
			plan.Topics[i].Settings = append(t.Settings, TopicSetting{Name: "retention.bytes", Want: strconv.FormatInt(cfg.PartitionBytes, 10), Apply: true})
		}
	}
	if err := plan.Apply(ctx, c); err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	return nil
}

// Addrs gives the bootstrap addresses.
func (b *Broker) Addrs() []string { return b.cluster.ListenAddrs() }

// Adapt gives c as clients of this broker need it: its address, no replicas, and
// new transactional ids at each start, because the broker hides committed records
// when one is used again after a crash.
func (b *Broker) Adapt(c Config) Config {
	c.Brokers = b.Addrs()
	c.Replication = 1
	c.FreshTransactionalIDs = true
	return c
}

// Close stops the broker; with Dir, its data is complete on disk then.
func (b *Broker) Close() { b.cluster.Close() }

// ready is the line ServeBroker prints when it can be used.
type ready struct {
	Brokers []string `json:"brokers"`
	PID     int      `json:"pid"`
}

// ServeBroker runs an embedded broker until ctx is done, in a process of its own.
// When it can be used it writes one line of JSON, {"brokers":[...],"pid":n}.
func ServeBroker(ctx context.Context, cfg BrokerConfig, out io.Writer) error {
	b, err := StartBroker(ctx, cfg)
	if err != nil {
		return err
	}
	defer b.Close()
	line, err := json.Marshal(ready{b.Addrs(), os.Getpid()})
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	if _, err := out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("embedded broker: telling the address: %w", err)
	}
	<-ctx.Done()
	return nil
}

// brokerLog hands the broker's warnings and errors to slog.
type brokerLog struct{ log *slog.Logger }

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded broker: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded broker: " + fmt.Sprintf(format, args...))
	}
}
