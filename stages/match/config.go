package match

import "fmt"

// Config shapes the index.
type Config struct {
	// FalsePositives is the share of absent values that the filter lets through
	// to the exact table; it costs time, never a false match. Default: 0.0001.
	FalsePositives float64 `yaml:"false_positives"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config { return Config{FalsePositives: 1e-4} }

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	if c.FalsePositives < 1e-6 || c.FalsePositives > 0.1 {
		return fmt.Errorf("match.false_positives: want 0.000001 to 0.1, not %v", c.FalsePositives)
	}
	return nil
}
