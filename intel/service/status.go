package service

import (
	"context"
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
	Last       Report         `json:"last"` // of the last commit
	Matched    *Count         `json:"matched,omitempty"`
}

// Status gives the state of every feed that is configured or in the library. An
// error is that of the library or of Ports.Matched; the rest is given all the same.
func (s *Service) Status(ctx context.Context) (Status, error) {
	stored, err := s.ports.Library.Feeds()
	var matched map[string]Count
	if s.ports.Matched != nil && err == nil {
		matched, err = s.ports.Matched(ctx)
	}
	out := Status{PublishLag: s.lag().Seconds()}
	s.publishing.mu.Lock()
	if s.publishing.err != nil {
		out.PublishError = cut(s.publishing.err.Error())
	}
	s.publishing.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	add := func(name string, e *entry, x *Stored) {
		f := FeedStatus{Name: name, Running: e.running, LastPull: e.pulled, LastGood: e.good, LastNews: e.news, Failures: e.fails,
			Error: e.err, Skipped: e.skipped, Last: e.last}
		if e.feed != nil {
			f.Tenant, f.Transport, f.Configured = e.feed.Tenant, e.feed.Transport, true
		}
		if e.pulls() {
			f.Due = e.due
		}
		if e.silent {
			f.Silent = e.since()
		}
		if x != nil {
			f.Last.Indicators, f.Last.Expired = x.Indicators, x.Expired
			if e.feed == nil {
				f.Tenant, f.Transport, f.Configured = x.Tenant, x.Transport, x.Transport == fact.TransportUpload
			}
		}
		if m, ok := matched[name]; ok {
			f.Matched = &m
		}
		out.Feeds = append(out.Feeds, f)
	}
	in := map[string]bool{}
	for i := range stored {
		x := &stored[i]
		in[x.Name] = true
		e := s.feeds[x.Name]
		if e == nil { // imported by hand since the start
			e = &entry{}
			e.restore(x)
		}
		add(x.Name, e, x)
	}
	for name, e := range s.feeds {
		if !in[name] && e.feed != nil {
			add(name, e, nil)
		}
	}
	slices.SortFunc(out.Feeds, func(a, b FeedStatus) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}
