// Package settings is the configuration of an Interdict process: the file, the
// environment over it, and the checks before anything starts. Each component has
// a Config of its own; this package only puts them side by side, reads them
// strictly (an unknown key is an error with its line), and hides secrets.
package settings

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/correlate"
	"github.com/interdict/interdict/stages/disrupt"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/stages/respond"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

// Config is everything a process can be told.
type Config struct {
	// DataDir holds what a process keeps: the indicator library, and the broker's
	// and ClickHouse's data when they are embedded. Default: data.
	DataDir string `yaml:"data_dir"`
	// Embedded runs a broker and ClickHouse inside the process, for trying and
	// developing; kafka.brokers and clickhouse.dsn are then not used. Default: false.
	Embedded bool `yaml:"embedded"`
	// Hops this process runs: intel, detect, correlate, respond, persist. One process
	// of a deployment runs intel, which pulls feeds and publishes indicators.
	// Default: all.
	Hops []string `yaml:"hops"`
	// Sources are the sensors' topics.
	Sources []Source `yaml:"sources"`

	// Kafka is how to reach the cluster.
	Kafka kafka.Config `yaml:"kafka"`
	// Broker is the embedded broker.
	Broker kafka.BrokerConfig `yaml:"broker"`
	// Sink is how persist cuts ranges and how hard it presses ClickHouse.
	Sink kafka.SinkConfig `yaml:"sink"`
	// ClickHouse is the store.
	ClickHouse clickhouse.Config `yaml:"clickhouse"`
	// EmbeddedClickHouse is the engine of embedded mode.
	EmbeddedClickHouse chdb.Config `yaml:"embedded_clickhouse"`

	// Detect is how hop 1 tells time.
	Detect pipeline.DetectConfig `yaml:"detect"`
	// Normalize bounds what a record may cost.
	Normalize normalize.Config `yaml:"normalize"`
	// Match shapes the indicator index.
	Match match.Config `yaml:"match"`
	// Intel is threat intelligence: feeds, their life cycle, how it reaches workers.
	Intel intel.Config `yaml:"intel"`
	// Correlate is the evidence ladder.
	Correlate correlate.Config `yaml:"correlate"`
	// Disrupt is the policies and their safety rules.
	Disrupt disrupt.Config `yaml:"disrupt"`
	// Respond is the executors.
	Respond respond.Config `yaml:"respond"`
	// Persist is what is kept of records.
	Persist persist.Config `yaml:"persist"`

	// Admin is the operators' port: metrics, health, profiles.
	Admin Admin `yaml:"admin"`
	// Log is what is written to standard error.
	Log Log `yaml:"log"`
	// DrainTimeout bounds a graceful stop: three quarters to finish what is under
	// way, then a hard stop. Default: 20s.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
}

// Source is one sensor family's feed of one tenant.
type Source struct {
	// ID names the source within its tenant. Two sensor families are two sources.
	ID string `yaml:"id"`
	// Tenant that the alerts belong to.
	Tenant string `yaml:"tenant"`
	// Topic the sensor writes to. Tenant and source follow from it alone.
	Topic string `yaml:"topic"`
	// Formats that are allowed; empty: any, by detection.
	Formats []string `yaml:"formats"`
	// Attests lists the entity types the source is trusted for, such as host, or ip:sensor for a type in one role.
	Attests []string `yaml:"attests"`
	// Zone is the IANA name of the time zone of times that name none. Default: UTC.
	Zone string `yaml:"zone"`
	// Silence is the longest the source is expected to be silent. Default: not watched.
	Silence time.Duration `yaml:"silence"`
	// Create makes the topic with so many partitions where it is missing. Default: 0, it is somebody else's.
	Create int32 `yaml:"create"`
}

// Admin is the operators' port.
type Admin struct {
	// Listen address; a loopback address, since profiles tell much. Empty: no port. Default: 127.0.0.1:9464.
	Listen string `yaml:"listen"`
}

// Log is what is written to standard error.
type Log struct {
	// Level: debug, info, warn or error. Default: info.
	Level string `yaml:"level"`
	// Format: text or json. Default: text.
	Format string `yaml:"format"`
}

// Default gives the defaults named in Config.
func Default() Config {
	return Config{
		DataDir: "data", Hops: HopNames(), Kafka: kafka.DefaultConfig(), Sink: kafka.DefaultSinkConfig(),
		ClickHouse: clickhouse.DefaultConfig(), EmbeddedClickHouse: chdb.DefaultConfig(), Detect: pipeline.DefaultDetectConfig(),
		Normalize: normalize.Default(), Match: match.DefaultConfig(), Intel: intel.DefaultConfig(), Correlate: correlate.Default(), Disrupt: disrupt.DefaultConfig(),
		Respond: respond.DefaultConfig(), Persist: persist.DefaultConfig(), Broker: kafka.DefaultBrokerConfig(), Admin: Admin{Listen: "127.0.0.1:9464"}, Log: Log{Level: "info", Format: "text"},
		DrainTimeout: 20 * time.Second,
	}
}

// HopNames lists what a process can run: the hops in the order of the data, and
// before them intel, which feeds the first.
func HopNames() []string { return append([]string{"intel"}, groups[:]...) }

// groups are the hops that have a consumer group each, in the order of the data.
var groups = [...]string{"detect", "correlate", "respond", "persist"}

// Groups names the consumer groups of all hops, in the order of the data.
func (c *Config) Groups() []string {
	var names []string
	for _, h := range groups {
		names = append(names, c.Kafka.Prefix+"."+h)
	}
	return names
}

// Validate reports everything that cannot work.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, h := range c.Hops {
		check(slices.Contains(HopNames(), h), "hops: %q is not one of %v", h, HopNames())
	}
	check(len(c.Hops) > 0, "hops: none is named")
	var formats *normalize.Formats // compiled only where something depends on it
	if c.Normalize.FormatsDir != "" || slices.ContainsFunc(c.Sources, func(s Source) bool { return len(s.Formats) > 0 }) {
		var err error
		formats, err = normalize.Load(c.Normalize)
		errs = append(errs, err)
	}
	topics, ids := map[string]bool{}, map[string]bool{}
	for i, s := range c.Sources {
		check(s.ID != "" && s.Tenant != "" && s.Topic != "", "sources[%d]: id, tenant and topic must be set", i)
		check(!topics[s.Topic], "sources[%d]: topic %q belongs to another source", i, s.Topic)
		check(!ids[s.Tenant+"\x00"+s.ID], "sources[%d]: id %q is used twice in tenant %q", i, s.ID, s.Tenant)
		topics[s.Topic], ids[s.Tenant+"\x00"+s.ID] = true, true
		for _, f := range s.Formats {
			check(formats == nil || f == normalize.CSV || formats.Known(f), "sources[%d]: format %q is not known", i, f)
		}
		if _, err := time.LoadLocation(s.Zone); err != nil {
			errs = append(errs, fmt.Errorf("sources[%d]: zone: %w", i, err))
		}
		for _, a := range s.Attests {
			_, _, ok := normalize.ParseAttested(a)
			check(ok, "sources[%d]: attests: %q is no entity type, nor one in a role", i, a)
		}
	}
	if !c.Embedded {
		errs = append(errs, c.Kafka.Validate())
		if slices.Contains(c.Hops, "persist") {
			errs = append(errs, c.ClickHouse.Validate())
		}
	}
	if c.Admin.Listen != "" {
		host, _, err := net.SplitHostPort(c.Admin.Listen)
		check(err == nil, "admin.listen: %v", err)
		ip := net.ParseIP(host)
		check(err != nil || host == "localhost" || ip != nil && ip.IsLoopback(), "admin.listen: %s is not a loopback address", host)
	}
	check(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level: %q is not debug, info, warn or error", c.Log.Level)
	check(c.Log.Format == "text" || c.Log.Format == "json", "log.format: %q is not text or json", c.Log.Format)
	check(c.DrainTimeout > 0, "drain_timeout: must be positive")
	errs = append(errs, c.Sink.Validate(), c.Detect.Validate(), c.Normalize.Validate(), c.Match.Validate(), c.Intel.Validate(), c.Correlate.Validate(),
		c.Disrupt.Validate(), c.Respond.Validate(), c.Persist.Validate())
	return errors.Join(errs...)
}

// Plan gives the part of the configuration that the pipeline's plan needs.
func (c *Config) Plan() pipeline.Config {
	p := pipeline.Config{Detect: c.Detect, Normalize: c.Normalize, Match: c.Match, Correlate: c.Correlate, Disrupt: c.Disrupt, Respond: c.Respond}
	for _, s := range c.Sources {
		p.Sources = append(p.Sources, schema.Source{ID: s.ID, Tenant: s.Tenant, Topic: s.Topic, Formats: s.Formats, Attests: s.Attests, Zone: s.Zone,
			Silence: schema.Millis(s.Silence.Milliseconds())})
	}
	return p
}

// RawTopics gives the sources' topics as the topic plan wants them.
func (c *Config) RawTopics() []kafka.RawTopic {
	var raw []kafka.RawTopic
	for _, s := range c.Sources {
		raw = append(raw, kafka.RawTopic{Name: s.Topic, Create: s.Create > 0, Partitions: s.Create})
	}
	return raw
}
