package chdb

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how the embedded engine is run.
type Config struct {
	Library        string        `yaml:"library"`         // path of libchdb.so; default: found by Locate
	DataDir        string        `yaml:"data_dir"`        // folder of the tables; default: data/clickhouse
	Database       string        `yaml:"database"`        // database of the DSN, created when missing; default: interdict
	MaxMemory      uint64        `yaml:"max_memory"`      // bytes the engine may use for queries and merges; default: 4 GiB
	MarkCache      uint64        `yaml:"mark_cache"`      // bytes for index marks; default: 128 MiB
	MaxConnections int           `yaml:"max_connections"` // statements that run at once, others wait; default: 32
	StartTimeout   time.Duration `yaml:"start_timeout"`   // from starting the child to its readiness; default: 60s
	MaxBackoff     time.Duration `yaml:"max_backoff"`     // longest pause before a restart; the first is 100 ms and they double; default: 5s

	// Command is the argument vector that runs ServeChild, such as the path of
	// this binary and "chdb-serve". Wiring, not user configuration.
	Command []string `yaml:"-"`
	// Env is added to the child's environment.
	Env []string `yaml:"-"`
	// Log gets the child's life and, at debug level, its output. Wiring.
	Log *slog.Logger `yaml:"-"`
}

// DefaultConfig returns the defaults; Command must be set by the caller.
func DefaultConfig() Config {
	return Config{
		DataDir:        "data/clickhouse",
		Database:       "interdict",
		MaxMemory:      4 << 30,
		MarkCache:      128 << 20,
		MaxConnections: 32,
		StartTimeout:   60 * time.Second,
		MaxBackoff:     5 * time.Second,
		Log:            slog.New(slog.DiscardHandler),
	}
}

// minMemory is below what the engine needs to merge parts at all.
const minMemory = 256 << 20

// Validate reports every field that is out of its bounds.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("embedded clickhouse: "+format, args...))
		}
	}
	check(c.DataDir != "", "data_dir must be set")
	check(isName(c.Database), "database %q must be letters, digits and underscores", c.Database)
	check(c.MaxMemory >= minMemory, "max_memory %d must be at least %d bytes", c.MaxMemory, minMemory)
	check(c.MarkCache > 0 && c.MarkCache <= c.MaxMemory, "mark_cache %d must be between 1 and max_memory", c.MarkCache)
	check(c.MaxConnections >= 1 && c.MaxConnections <= 1024, "max_connections %d must be between 1 and 1024", c.MaxConnections)
	check(c.StartTimeout > 0, "start_timeout %v must be positive", c.StartTimeout)
	check(c.MaxBackoff >= firstBackoff, "max_backoff %v must be at least %v", c.MaxBackoff, firstBackoff)
	check(len(c.Command) > 0, "no command to start the engine with")
	return errors.Join(errs...)
}
