package service

import (
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Status is how the feeds are.
type Status struct {
	Feeds        []FeedStatus `json:"feeds"`           // by name
	PublishLag   float64      `json:"publish_lag"`     // seconds that the oldest unpublished commit has waited
	PublishError string       `json:"error,omitempty"` // of the last publication
}

// FeedStatus is how one feed is.
type FeedStatus struct {
	Name       string         `json:"feed"`
	Tenant     string         `json:"tenant,omitempty"`
	Transport  fact.Transport `json:"transport,omitempty"`
	Configured bool           `json:"configured"` // false: it is in the library and nothing pulls it or may upload to it
	Running    bool           `json:"running"`
	Due        schema.Millis  `json:"due,omitzero"`
	LastPull   schema.Millis  `json:"last_pull,omitzero"`
	LastGood   schema.Millis  `json:"last_good,omitzero"`
	LastNews   schema.Millis  `json:"last_news,omitzero"` // last pull or upload that changed anything
	Silent     schema.Millis  `json:"silent,omitzero"`    // nothing new since; zero: not silent
	Failures   int            `json:"failures"`           // in a row
	Error      string         `json:"error,omitempty"`
	Skipped    []string       `json:"skipped,omitempty"`
	Waiting    string         `json:"waiting,omitzero"`  // for what a feed of files waits that never had any
	Broken     []string       `json:"broken,omitempty"`  // files of a folder that cannot be used, and why: what they said before stays in force
	Last       Report         `json:"last"`              // of the last commit
	Origin     string         `json:"origin,omitzero"`   // likewise: who or what made it
	Damaged    []string       `json:"damaged,omitempty"` // files of the library that cannot be read, and why: what was said before stays in force
}

// Status gives the state of every feed that is configured or in the library. An
// error is that of the library; the rest is given all the same.
func (s *Service) Status() (Status, error) {
	err := s.follow(true)
	out := Status{PublishLag: s.lag().Seconds()}
	s.publishing.mu.Lock()
	if s.publishing.err != nil {
		out.PublishError = cut(s.publishing.err.Error())
	}
	s.publishing.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.feeds {
		if e.feed == nil && !e.stored && e.fails == 0 {
			continue // nothing is known of it
		}
		f := FeedStatus{Name: name, Tenant: e.tenant, Transport: e.transport, Configured: e.fed(), Running: e.running, LastPull: e.pulled, LastGood: e.good, LastNews: e.news,
			Failures: e.fails, Error: e.err, Skipped: e.skipped, Waiting: e.waiting, Broken: e.broken, Last: e.last, Origin: e.origin, Damaged: e.damaged}
		if e.feed != nil {
			f.Tenant, f.Transport = e.feed.Tenant, e.feed.Transport
		}
		if e.pulls() {
			f.Due = e.due
		}
		if e.silent {
			f.Silent = e.since()
		}
		out.Feeds = append(out.Feeds, f)
	}
	slices.SortFunc(out.Feeds, func(a, b FeedStatus) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}
