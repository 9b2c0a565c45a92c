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
	// with each; files are read sooner where they have changed. Defaults: 1m, 6h.
	BackoffMin time.Duration `yaml:"backoff_min"`
	BackoffMax time.Duration `yaml:"backoff_max"`
	// WholeEvery is how often a feed that tells only of changes, and cannot tell
	// of all of them, is pulled whole, if it has changed. Default: 24h.
	WholeEvery time.Duration `yaml:"whole_every"`
	// PublishEvery is the least time between two publications. Default: 250ms.
	PublishEvery time.Duration `yaml:"publish_every"`
	// Upload is the upload API.
	Upload upload.Config `yaml:"-"`
	// UploadDir is the folder of the journal of uploads. What waits there is folded into
	// the library also where the API is off. Empty: none, and no API.
	UploadDir string `yaml:"-"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	return Config{Tick: 5 * time.Second, Parallel: 2, PullTimeout: 3 * time.Hour, BackoffMin: time.Minute, BackoffMax: 6 * time.Hour,
		WholeEvery:   24 * time.Hour,
		PublishEvery: 250 * time.Millisecond, Upload: upload.DefaultConfig()}
}

// Validate reports settings that cannot work. It completes feeds (fact.Feed.Validate).
func (c *Config) Validate() error {
	var bad []error
	check := func(ok bool, text string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf(text, args...))
		}
	}
	for _, x := range [...]struct {
		key  string
		span time.Duration
	}{{"tick", c.Tick}, {"pull_timeout", c.PullTimeout}, {"whole_every", c.WholeEvery}, {"publish_every", c.PublishEvery}, {"backoff_min", c.BackoffMin}} {
		check(x.span > 0, "pull: %s: must be positive, not %v", x.key, x.span)
	}
	check(c.Parallel > 0, "pull: parallel: must be positive, not %d", c.Parallel)
	check(c.BackoffMax >= c.BackoffMin, "pull: backoff_max: %v is less than backoff_min, %v", c.BackoffMax, c.BackoffMin)
	seen := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		bad = append(bad, fact.Under(fmt.Sprintf("feeds[%d]: ", i), f.Validate()))
		check(f.Name != library.Analyst, "feeds[%d]: name: %q is that of what analysts add themselves: take another", i, f.Name)
		check(!seen[f.Name], "feeds[%d]: name: feed %s is configured twice", i, f.Name)
		seen[f.Name] = true
	}
	bad = append(bad, c.Upload.Validate(), c.Upload.ValidateFeeds(c.Feeds))
	return errors.Join(bad...)
}
