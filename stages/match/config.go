package match

import (
	"fmt"
	"time"
)

// Config shapes the index, and says for how long what it holds counts.
type Config struct {
	// FalsePositives is the share of absent values that the filter lets through
	// to the exact table; it costs time, never a false match. Default: 0.0001.
	FalsePositives float64 `yaml:"false_positives"`
	// Decay lowers the confidence of indicators that nobody has renewed.
	Decay Decay `yaml:"decay"`
}

// Decay is how the confidence of an indicator falls after its last change or
// sighting. The zero Decay lets nothing fall. What does not decay at all: benign
// lists and what is allowed, because time must not turn them into alarms, and
// indicators of feeds whose list is itself the assertion.
type Decay struct {
	// Curve of the fall: linear; slow, which keeps most until near the end; fast,
	// which loses most at the beginning. Default: linear.
	Curve Curve `yaml:"curve"`
	// Floor is the confidence, 0 to 100, below which a decayed indicator names
	// nothing any more. Default: 10.
	Floor uint8 `yaml:"floor"`
	// Addresses is the lifetime of ip, cidr and socket: when their confidence is
	// zero. Zero: no decay. Default: 2160h, 90 days.
	Addresses time.Duration `yaml:"addresses"`
	// Names is the lifetime of domain, url, url_prefix, email and sender. Zero: no
	// decay. Default: 4320h, 180 days.
	Names time.Duration `yaml:"names"`
	// Others is the lifetime of all other types, of which most are hashes: they mean
	// the same thing forever. Zero: no decay. Default: 0.
	Others time.Duration `yaml:"others"`
}

// Curve is a form of decay.
type Curve string

// Curves. With x from 0 to 1 over the lifetime, what is left of the confidence is
// 1-x, 1-x*x and 1-sqrt(x).
const (
	CurveLinear Curve = "linear"
	CurveSlow   Curve = "slow"
	CurveFast   Curve = "fast"
)

// DefaultConfig gives the defaults named in Config and Decay.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{FalsePositives: 1e-4, Decay: Decay{Curve: CurveLinear, Floor: 10, Addresses: 90 * day, Names: 180 * day}}
}

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	if !(c.FalsePositives >= 1e-6 && c.FalsePositives <= 0.1) { // not a number is refused, too
		return fmt.Errorf("match.false_positives: want 0.000001 to 0.1, not %v", c.FalsePositives)
	}
	d := c.Decay
	switch d.Curve {
	case CurveLinear, CurveSlow, CurveFast:
	default:
		return fmt.Errorf("match.decay.curve: want linear, slow or fast, not %q", d.Curve)
	}
	if d.Floor > 100 {
		return fmt.Errorf("match.decay.floor: want 0 to 100, not %d", d.Floor)
	}
	for _, l := range [...]struct {
		name string
		time time.Duration
	}{{"addresses", d.Addresses}, {"names", d.Names}, {"others", d.Others}} {
		if l.time < 0 || l.time > 0 && l.time < time.Hour {
			return fmt.Errorf("match.decay.%s: want 0 or at least 1h, not %s", l.name, l.time)
		}
	}
	return nil
}
