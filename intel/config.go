package intel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
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

// Validate reports every setting that cannot work, each by its key, and completes feeds.
func (c *Config) Validate() error {
	pull := c.Pull
	pull.Feeds, pull.Upload = c.Feeds, c.Upload // the elements are these
	r := c.Retro
	r.Dir = "retro" // it is below the data folder
	bad := []error{fact.Under("intel.", pull.Validate()), fact.Under("intel.", c.Library.Validate()), fact.Under("intel.publish: ", c.Publish.Validate()),
		fact.Under("intel.follow: ", c.Follow.Validate()), fact.Under("intel.snapshots: ", c.Snapshots.validate()), fact.Under("intel.", r.Validate())}
	if _, err := fetch.New(fetch.Config{Proxy: c.Proxy}); err != nil {
		bad = append(bad, fmt.Errorf("intel.proxy: %w", err))
	}
	if c.RetroAfter < 0 || c.RetroAfter > c.Retro.Retention {
		bad = append(bad, fmt.Errorf("intel.retro_after: %v: want 0 to retro.retention, %v", c.RetroAfter, c.Retro.Retention))
	}
	return errors.Join(bad...)
}

// hasty is less than an alert takes through a loaded hop 1.
const hasty = 5 * time.Second

// Doubts gives what is most likely not meant though it works, each by its key, of a
// configuration that is valid.
func (c *Config) Doubts() []error {
	var list []error
	say := func(text string, args ...any) { list = append(list, fmt.Errorf("intel."+text, args...)) }
	known, places := map[string]*fact.Feed{library.Analyst: nil}, map[string]string{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		known[f.Name] = f
		for _, err := range f.Doubts() {
			say("feeds[%d]: %w", i, err)
		}
		if f.Transport == fact.TransportUpload {
			continue
		}
		place := f.URL + "\x00" + f.File + "\x00" + f.Collection
		if other, ok := places[place]; ok {
			say("feeds[%d]: feed %s is got from where feed %s is: each indicator is there twice", i, f.Name, other)
		}
		places[place] = f.Name
	}
	for _, cl := range c.Upload.Clients {
		for _, s := range cl.Sources {
			if name, err := upload.FeedName(s); err == nil && known[name] == nil {
				known[name] = &fact.Feed{Name: name, Tenant: cl.Tenant}
			}
		}
	}
	for i, r := range c.Library.Rules {
		for _, name := range r.When.Feeds {
			f, ok := known[name]
			switch {
			case !ok:
				say("library.rules[%d]: when.feeds: no feed %s is configured%s: the rule is about nothing unless one is imported under that name", i, name, nearest(name, known))
			case r.Edit.TLP != nil && r.Edit.TLP.Bound() && f != nil && f.Tenant == "":
				say("library.rules[%d]: edit.tlp: %s on feed %s, which has no tenant: its indicators go on matching every tenant's alerts; give the feed a tenant", i, *r.Edit.TLP, name)
			}
		}
	}
	if c.Publish.SnapshotEvery != c.Follow.SnapshotEvery {
		say("follow.snapshot_every: %v, and publish.snapshot_every is %v: it should be the same", c.Follow.SnapshotEvery, c.Publish.SnapshotEvery)
	}
	if c.RetroAfter < hasty {
		say("retro_after: %v is less than an alert may take through hop 1: alerts of that time are missed; the default is 1m", c.RetroAfter)
	}
	return list
}

// nearest suggests the feed that may be meant: one that differs in case or in what
// stands between words.
func nearest(name string, known map[string]*fact.Feed) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(s))
	}
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if plain(k) == plain(name) {
			return fmt.Sprintf(" (%s is)", k)
		}
	}
	return ""
}
