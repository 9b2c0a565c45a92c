package service

import (
	"fmt"
	"net/url"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// entry is what the service knows of a feed: the library's word, until the first
// pull of this process.
type entry struct {
	feed    *fact.Feed // nil: not configured
	sent    bool       // it is filled by uploads or imports
	place   string     // where it was got
	running bool

	tenant    string         // as stored
	transport fact.Transport // likewise

	due     schema.Millis // next pull
	read    schema.Millis // last pull of this process that asked the fetcher, rather than looked at files
	first   schema.Millis // when the feed was first pulled or known
	pulled  schema.Millis
	good    schema.Millis
	news    schema.Millis // last pull or upload that changed anything
	told    schema.Millis // last pull that the library was told of, by whomever
	retry   schema.Millis // of files that cannot be used and stay as they are: next try
	print   string        // of the files as they were when they were pulled last
	took    time.Duration // of the last pull
	fails   int           // in a row
	err     string        // of the last pull
	silent  bool          // the alarm is on
	whole   time.Time     // last try to pull all there is, where that is not the rule
	last    Report        // of the last commit
	totals  Report        // sums of this process
	origin  string        // of the last commit
	skipped []string      // parts that the last pull could not have
	broken  []string      // files that cannot be used
	waiting string        // for what a feed of files waits
	damaged []string      // files of the library
	stored  bool          // the library had it at the last look
}

// restore takes over what the library knows.
func (e *entry) restore(x *Stored) {
	e.sent = x.Transport == fact.TransportUpload
	e.place, e.due, e.pulled, e.good, e.news, e.fails, e.err = x.Place, x.Due, x.Pulled, x.Good, x.Changed, x.Failures, x.Error
	e.told, e.last, e.origin, e.broken, e.waiting = x.Pulled, x.Last, x.Origin, x.Broken, x.Waiting
	e.first = x.First
	e.tenant, e.transport, e.damaged, e.stored = x.Tenant, x.Transport, x.Damaged, true
	e.last.Indicators, e.last.Expired = x.Indicators, x.Expired
}

// fed reports a feed that something fills.
func (e *entry) fed() bool { return e.feed != nil || e.sent }

// pulls reports a feed that is got by the service, rather than sent to it.
func (e *entry) pulls() bool { return e.feed != nil && e.feed.Transport != fact.TransportUpload }

// watched reports a feed that is looked at every tick.
func (e *entry) watched() bool { return e.feed != nil && e.feed.Transport == fact.TransportFile }

// since gives the time from which the feed has brought nothing new. For one that
// never brought anything, that is when it was first pulled or known.
func (e *entry) since() schema.Millis {
	if e.news > 0 {
		return e.news
	}
	return e.first
}

// quietAt gives the time at which the feed counts as silent, if nothing comes
// before; zero: never.
func (e *entry) quietAt() schema.Millis {
	if e.feed == nil || e.feed.Silence <= 0 {
		return 0
	}
	return e.since() + millis(e.feed.Silence)
}

func millis(d time.Duration) schema.Millis { return schema.Millis(d.Milliseconds()) }

// place names where a feed is got, without what may be secret. A feed that is got
// elsewhere than before is due.
func place(f *fact.Feed) string {
	u, err := url.Parse(f.URL)
	if err != nil || f.URL == "" {
		u = &url.URL{}
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return fmt.Sprintf("%s %q %q %q %s", f.Transport, u.String(), f.File, f.Collection, f.Format)
}

// adopt fits what is known to the configured feed.
func (e *entry) adopt(f *fact.Feed, now schema.Millis) {
	if e.feed = f; e.first == 0 || e.first > now {
		e.first = now
	}
	moved := e.place != place(f)
	e.place = place(f)
	every := millis(f.Every)
	switch {
	case moved || e.watched():
		e.due = now
		if moved {
			e.fails, e.err = 0, ""
		}
	case e.due > now && e.fails == 0: // the interval may have become shorter, or the clock been set back
		e.due = min(e.due, now+every, max(now, e.pulled+every))
	}
	e.bound(now)
	if at := e.quietAt(); at != 0 && e.pulled >= at { // it was so before this process; that has been said
		e.silent = true
	}
}

// maxWait is longer than any back-off and any wait that a server asks for.
const maxWait = 48 * time.Hour

// bound brings a pull nearer that lies farther ahead than anything would have put
// it: the clock has been set back.
func (e *entry) bound(now schema.Millis) {
	every := millis(e.feed.Every)
	if e.due > now+max(every+every/10, millis(maxWait)) {
		e.due = now + every
	}
}

// next gives the time of the pull after one that began at a time and ended with
// an error, or nil. Files are looked at before.
func (s *Service) next(e *entry, began, ended time.Time, err error) time.Time {
	if err == nil { // a little chance keeps feeds of one server apart
		return later(began.Add(e.feed.Every+time.Duration(s.ports.Chance()*float64(e.feed.Every)/20)), ended)
	}
	wait := s.cfg.BackoffMin
	for range e.fails - 1 {
		if wait *= 2; wait >= s.cfg.BackoffMax {
			break
		}
	}
	if s.ports.Permanent(err) {
		wait = max(wait, e.feed.Every)
	}
	wait = min(wait, s.cfg.BackoffMax)
	due := ended.Add(wait - time.Duration(s.ports.Chance()*float64(wait)/5))
	if at, ok := s.ports.RetryAt(err); ok {
		due = later(due, at)
	}
	return due
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
