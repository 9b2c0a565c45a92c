package retro

import (
	"fmt"
	"time"
)

// Config is where and how much is remembered, and how fast it is asked.
type Config struct {
	// Dir is the folder of the filters. It must belong to one process.
	Dir string `yaml:"-"`
	// Retention is how far back alerts are found. Default: 720h, 30 days.
	Retention time.Duration `yaml:"retention"`
	// FalsePositives is the share of hours that are asked in vain for a value they
	// did not see. Default: 0.0001.
	FalsePositives float64 `yaml:"false_positives"`
	// Memory bounds, in bytes, the filters that are kept loaded. Default: 128 MiB.
	Memory int64 `yaml:"memory"`
	// Pending is how many observations may wait in the journal before they are
	// folded into filters. Default: 1,000,000, some 60 MB of memory.
	Pending int `yaml:"pending"`
	// QueriesPerSecond bounds the questions to the store. Default: 5.
	QueriesPerSecond float64 `yaml:"queries_per_second"`
	// Rows is how many entities one question may give before it is asked in
	// parts. Default: 10,000.
	Rows int `yaml:"rows"`
	// Most is how many entities one value may name before it is given up. Default:
	// 100,000.
	Most int `yaml:"most"`
}

// DefaultConfig gives the defaults named in Config. Dir has none.
func DefaultConfig() Config {
	return Config{Retention: 720 * time.Hour, FalsePositives: 1e-4, Memory: 128 << 20, Pending: 1_000_000, QueriesPerSecond: 5, Rows: 10_000, Most: 100_000}
}

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Dir == "":
		return fmt.Errorf("retro.dir: must be set")
	case c.Retention < time.Hour || c.Retention > 366*24*time.Hour:
		return fmt.Errorf("retro.retention: want 1h to 8784h, not %s", c.Retention)
	case !(c.FalsePositives >= 1e-6 && c.FalsePositives <= 0.05): // not a number is refused, too
		return fmt.Errorf("retro.false_positives: want 0.000001 to 0.05, not %v", c.FalsePositives)
	case c.Memory < 1<<20:
		return fmt.Errorf("retro.memory: want at least 1 MiB, not %d", c.Memory)
	case c.Pending < 1000:
		return fmt.Errorf("retro.pending: want at least 1000, not %d", c.Pending)
	case !(c.QueriesPerSecond > 0 && c.QueriesPerSecond <= 1000):
		return fmt.Errorf("retro.queries_per_second: want more than 0, at most 1000, not %v", c.QueriesPerSecond)
	case c.Rows < 10:
		return fmt.Errorf("retro.rows: want at least 10, not %d", c.Rows)
	case c.Most < c.Rows:
		return fmt.Errorf("retro.most: want at least retro.rows, %d, not %d", c.Rows, c.Most)
	}
	return nil
}
