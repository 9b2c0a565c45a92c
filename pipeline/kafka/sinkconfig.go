package kafka

import (
	"errors"
	"time"
)

// SinkConfig says how a Sink cuts ranges and how hard it may press the store.
type SinkConfig struct {
	// Rows in a partition's buffer make a range due. Default: 10000.
	Rows int `yaml:"rows"`
	// Bytes in a partition's buffer make a range due; no range is larger, unless
	// a single record is. Default: 33554432.
	Bytes int64 `yaml:"bytes"`
	// Linger makes a range due this long after its first record arrived. Default: 1s.
	Linger time.Duration `yaml:"linger"`
	// InsertsPerSecond is the budget of this process in blocks per second, over
	// all partitions and tables. While it is used up, ranges wait and grow.
	// Within any t seconds at most InsertsPerSecond * (t+1) blocks are written,
	// and those of the inserts then under way. Default: 20.
	InsertsPerSecond float64 `yaml:"inserts_per_second"`
	// Concurrency is how many ranges are being inserted at one time. Default: 4.
	Concurrency int `yaml:"concurrency"`
	// InsertTimeout bounds one attempt. It counts from the moment the intent was
	// sent to the group and must be shorter than the session timeout: when
	// another member takes the partition over, no insert of this one is
	// still running. Default: 20s.
	InsertTimeout time.Duration `yaml:"insert_timeout"`
	// RevokeTimeout bounds how long a partition is held back in a rebalance, and
	// the end of Run, to finish the insert under way. It must be shorter than a
	// minute, the rebalance timeout. Default: 10s.
	RevokeTimeout time.Duration `yaml:"revoke_timeout"`
}

// DefaultSinkConfig gives the defaults named in SinkConfig.
func DefaultSinkConfig() SinkConfig {
	return SinkConfig{
		Rows: 10000, Bytes: 32 << 20, Linger: time.Second, InsertsPerSecond: 20, Concurrency: 4,
		InsertTimeout: 20 * time.Second, RevokeTimeout: 10 * time.Second,
	}
}

// Validate reports every setting that cannot work.
func (c SinkConfig) Validate() error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("sink: "+what))
		}
	}
	check(c.Rows > 0, "rows: must be at least 1")
	check(c.Bytes > 0, "bytes: must be at least 1")
	check(c.Linger > 0, "linger: must be positive")
	check(c.InsertsPerSecond > 0, "inserts_per_second: must be positive")
	check(c.Concurrency > 0, "concurrency: must be at least 1")
	check(c.InsertTimeout > 0, "insert_timeout: must be positive")
	check(c.RevokeTimeout > 0 && c.RevokeTimeout < rebalanceTimeout, "revoke_timeout: must be positive and shorter than a minute")
	return errors.Join(errs...)
}

// rebalanceTimeout is how long the group waits for members to give partitions up.
const rebalanceTimeout = time.Minute
