package service

import (
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/upload"
)

// Config of the service.
type Config struct {
	// Feeds are what is pulled, and whose settings uploads get.
	Feeds []fact.Feed `yaml:"-"`
	// Tick is how often files are looked at. Default: 5s.
	Tick time.Duration `yaml:"tick"`
	// Parallel is how many feeds are pulled at one time. Default: 2.
	Parallel int `yaml:"parallel"`
	// PullTimeout bounds one pull, with parsing and commit. Default: 3h.
	PullTimeout time.Duration `yaml:"pull_timeout"`
	// BackoffMin and BackoffMax bound the wait after a failed pull, which doubles
	// with each. Defaults: 1m, 6h.
	BackoffMin time.Duration `yaml:"backoff_min"`
	BackoffMax time.Duration `yaml:"backoff_max"`
	// WholeEvery is how often a feed that tells only of changes, and cannot tell
	// of all of them, is pulled whole, if it has changed. Default: 24h.
	WholeEvery time.Duration `yaml:"whole_every"`
	// PublishEvery is the least time between two publications. Default: 250ms.
	PublishEvery time.Duration `yaml:"publish_every"`
	// Upload is the upload API.
	Upload upload.Config `yaml:"-"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	return Config{Tick: 5 * time.Second, Parallel: 2, PullTimeout: 3 * time.Hour, BackoffMin: time.Minute, BackoffMax: 6 * time.Hour,
		WholeEvery:   24 * time.Hour,
		PublishEvery: 250 * time.Millisecond, Upload: upload.DefaultConfig()}
}

// Validate reports settings that cannot work. It completes feeds (fact.Feed.Validate).
func (c *Config) Validate() error {
	switch {
	case c.Tick <= 0 || c.Parallel < 1 || c.PullTimeout <= 0 || c.PublishEvery <= 0 || c.WholeEvery <= 0:
		return errors.New("feeds: tick, parallel, pull_timeout, whole_every and publish_every must be positive")
	case c.BackoffMin <= 0 || c.BackoffMax < c.BackoffMin:
		return errors.New("feeds: backoff_min must be positive and not more than backoff_max")
	}
	seen := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		if err := f.Validate(); err != nil {
			return err
		}
		if f.Name == library.Analyst {
			return fmt.Errorf("feed name %q is that of what analysts add themselves", f.Name)
		}
		if seen[f.Name] {
			return fmt.Errorf("feed %s is configured twice", f.Name)
		}
		seen[f.Name] = true
	}
	return c.Upload.Validate()
}
