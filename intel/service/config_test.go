package service

import (
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

func TestConfig(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*Config)
		want   string // part of the error; empty: none
	}{
		{"as it is", func(*Config) {}, ""},
		{"no tick", func(c *Config) { c.Tick = 0 }, "must be positive"},
		{"no pulls", func(c *Config) { c.Parallel = 0 }, "must be positive"},
		{"no time", func(c *Config) { c.PullTimeout = 0 }, "must be positive"},
		{"never whole", func(c *Config) { c.WholeEvery = 0 }, "must be positive"},
		{"no rest", func(c *Config) { c.PublishEvery = -1 }, "must be positive"},
		{"no back-off", func(c *Config) { c.BackoffMin = 0 }, "backoff_min"},
		{"back-off the wrong way", func(c *Config) { c.BackoffMax = time.Second }, "backoff_min"},
		{"a feed twice", func(c *Config) { c.Feeds = append(c.Feeds, httpFeed("a", nil)) }, "feed a is configured twice"},
		{"a feed that cannot be", func(c *Config) { c.Feeds = append(c.Feeds, httpFeed("b", func(f *fact.Feed) { f.URL = "" })) }, "feed b"},
		{"analysts' own", func(c *Config) { c.Feeds = append(c.Feeds, httpFeed("analyst", nil)) }, "what analysts add"},
		{"uploads for anybody", func(c *Config) { c.Upload.Listen = ":9000" }, "upload:"},
	} {
		c := DefaultConfig()
		c.Feeds = []fact.Feed{httpFeed("a", nil)}
		x.change(&c)
		err := c.Validate()
		switch {
		case x.want == "" && err != nil:
			t.Errorf("%s: %v", x.name, err)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%s: error %v, want one with %q", x.name, err, x.want)
		}
	}
}
