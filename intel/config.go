package intel

import (
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/intel/upload"
)

// Config is everything threat intelligence can be told.
type Config struct {
	// Feeds are what is pulled.
	Feeds []fact.Feed `yaml:"feeds"`
	// Pull is how feeds are pulled.
	Pull service.Config `yaml:"pull"`
	// Proxy is the http proxy of every pull, http://host:port. The addresses that
	// feeds lead to are then the proxy's to guard. Default: none.
	Proxy string `yaml:"proxy"`
	// Upload is the API that others send STIX objects to.
	Upload upload.Config `yaml:"upload"`
	// Library is the life cycle of indicators: ingestion rules, what is kept for how long.
	Library library.Config `yaml:"library"`
	// Publish is when workers get deltas and when snapshots.
	Publish distribute.PublisherConfig `yaml:"publish"`
	// Snapshots is how workers get the snapshots that are published.
	Snapshots Snapshots `yaml:"snapshots"`
	// Follow is how workers take what is published.
	Follow distribute.FollowerConfig `yaml:"follow"`
	// Retro is how far back alerts are asked about new indicators.
	Retro retro.Config `yaml:"retro"`
	// RetroAfter is how long new indicators wait until alerts of the past are asked
	// about them. It must be longer than an alert takes through hop 1 and workers take
	// to get new indicators, or alerts fall between the two. Default: 1m.
	RetroAfter time.Duration `yaml:"retro_after"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	return Config{Pull: service.DefaultConfig(), Upload: upload.DefaultConfig(), Library: library.DefaultConfig(), Publish: distribute.DefaultPublisherConfig(),
		Follow: distribute.DefaultFollowerConfig(), Retro: retro.DefaultConfig(), RetroAfter: time.Minute}
}

// Validate reports every setting that cannot work, and completes feeds.
func (c *Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		if err := f.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("intel.feeds[%d]: %w", i, err))
		}
		if seen[f.Name] {
			errs = append(errs, fmt.Errorf("intel.feeds[%d]: feed %s is configured twice", i, f.Name))
		}
		seen[f.Name] = true
	}
	wrap := func(section string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("intel.%s: %w", section, err))
		}
	}
	wrap("pull", c.Pull.Validate())
	wrap("upload", c.Upload.Validate())
	wrap("library", c.Library.Validate())
	wrap("publish", c.Publish.Validate())
	wrap("follow", c.Follow.Validate())
	wrap("snapshots", c.Snapshots.validate())
	r := c.Retro
	r.Dir = "retro" // it is below the data folder
	wrap("retro", r.Validate())
	if c.RetroAfter < 0 {
		errs = append(errs, errors.New("intel.retro_after: must not be negative"))
	}
	return errors.Join(errs...)
}
