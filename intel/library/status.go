package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Status is what is known of a feed. It holds no secrets.
type Status struct {
	Feed       string          `json:"feed"`
	Config     Summary         `json:"config"`
	Generation uint64          `json:"generation"` // of its indicators
	FirstPull  schema.Millis   `json:"first_pull,omitzero"`
	LastPull   schema.Millis   `json:"last_pull,omitzero"`
	LastGood   schema.Millis   `json:"last_success,omitzero"`
	LastChange schema.Millis   `json:"last_change,omitzero"`
	NextDue    schema.Millis   `json:"next_due,omitzero"`
	LastError  string          `json:"last_error,omitzero"`
	Errors     int             `json:"errors,omitzero"`       // in a row
	Silent     schema.Millis   `json:"silent_since,omitzero"` // last change, or first pull, where it lies longer back than the feed's silence
	Standing   Standing        `json:"standing"`
	LastReport Report          `json:"last_report"`
	Damaged    []Damage        `json:"damaged,omitempty"` // what somebody has found damaged; if it is the state itself, nothing else is known
	Fetch      json.RawMessage `json:"-"`                 // what the fetcher keeps
	silence    time.Duration
}

// SilentAt reports whether a feed has brought nothing new for longer than it may.
func (s *Status) SilentAt(now time.Time) bool {
	return s.silence > 0 && schema.FromTime(now) > s.News()+spanMillis(s.silence)
}

// News gives the last time that the feed brought anything new. Of one that never did
// that is when it was pulled first.
func (s *Status) News() schema.Millis { return max(s.LastChange, s.FirstPull) }

// Status tells of one feed; ErrUnknownFeed if it was never tried.
func (l *Library) Status(feed string) (Status, error) {
	if _, err := l.state(feed); errors.Is(err, ErrUnknownFeed) {
		return Status{}, err
	}
	st, list, err := l.damaged(feed)
	if err != nil {
		return Status{}, err
	}
	if st.Removed {
		return Status{}, fmt.Errorf("feed %s: %w", feed, ErrUnknownFeed)
	}
	s := st.status()
	s.Damaged = list
	return s, nil
}

func (st *state) status() Status {
	s := Status{Feed: st.Feed, Config: st.Summary, Generation: st.Current, FirstPull: st.First, LastPull: st.Pulled, LastGood: st.Good, LastChange: st.Changed,
		NextDue: st.Due, LastError: st.Error, Errors: st.Errors, Standing: st.Standing, LastReport: st.Report, Fetch: st.Fetch}
	if d, err := time.ParseDuration(st.Summary.Silence); err == nil && d > 0 {
		s.silence = d
		if s.SilentAt(st.Pulled.Time()) {
			s.Silent = max(1, s.News())
		}
	}
	return s
}

// Feeds tells of every feed, in order of name.
func (l *Library) Feeds() ([]Status, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	var list []Status
	for _, name := range names {
		st, err := l.Status(name)
		if errors.Is(err, ErrUnknownFeed) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}

// NotModified books a pull that found the feed as it was; fetchState is kept for the
// next one if it is not nil. What follows from time or settings is derived anew where
// something is due: ends that have come, other rules, new overrides, and the end of
// what a feed that is read as a whole still has.
func (l *Library) NotModified(ctx context.Context, feed *fact.Feed, now time.Time, fetchState []byte) error {
	if fetchState != nil && !json.Valid(fetchState) {
		return fmt.Errorf("feed %s: the state for the next pull is no JSON", feed.Name)
	}
	st, err := l.book(ctx, feed, func(st *state) {
		at := schema.FromTime(now)
		st.Pulled, st.Good, st.Due, st.Error, st.Errors, st.Shrunk = at, at, at+spanMillis(feed.Every), "", 0, 0
		if fetchState != nil {
			st.Fetch = fetchState
		}
		if st.Facts > 0 {
			was := st.Report // what was refused of what is in force is as it was, too
			st.Report = Report{Feed: feed.Name, Origin: "not modified", Time: at, Generation: st.Current, Indicators: st.Standing.Indicators,
				Refused: was.Refused, Skipped: was.Skipped, Refusals: was.Refusals, File: was.File,
				Unchanged: st.Standing.Indicators, Types: st.Standing.Types, Aside: st.Standing.Aside,
				Objects: st.Standing.Objects, Relations: st.Standing.Relations, Sightings: st.Standing.Sightings}
		}
	})
	if err != nil || st.Facts == 0 {
		return err
	}
	due, err := l.due(st, feed, schema.FromTime(now))
	if err != nil || !due {
		return err
	}
	_, err = l.renew(ctx, feed, now, true)
	return err
}

// due reports whether deriving a feed anew may give something else.
func (l *Library) due(st *state, feed *fact.Feed, now schema.Millis) (bool, error) {
	over, err := l.overlay()
	if err != nil {
		return false, err
	}
	again := feed.ValidFor > 0 && st.Mode == fact.Replace && endAfter(st.Derived, feed.ValidFor) != endAfter(now, feed.ValidFor)
	if st.Current > 0 && intact(generationFile(l.feedDir(feed.Name), st.Current, "current")) != nil {
		return true, nil // it follows from the facts
	}
	return again || over.seq != st.Journal || st.Settings != l.settings(feed) || st.NextExpiry != 0 && st.NextExpiry <= now, nil
}

// Renew derives a feed's indicators anew from what is stored, without a pull: after a
// change of rules or of the feed's settings, or when ends have come.
func (l *Library) Renew(ctx context.Context, feed *fact.Feed, now time.Time) (Report, error) {
	return l.renew(ctx, feed, now, false)
}

// Refresh is Renew where it may give something else than what is in force, for feeds
// that nothing pulls. changed reports that it did.
func (l *Library) Refresh(ctx context.Context, feed *fact.Feed, now time.Time) (changed bool, err error) {
	st, err := l.state(feed.Name)
	if errors.Is(err, ErrUnknownFeed) {
		return false, nil
	}
	if err != nil || st.Facts == 0 {
		return false, err
	}
	due, err := l.due(st, feed, schema.FromTime(now))
	if err != nil || !due {
		return false, err
	}
	rep, err := l.renew(ctx, feed, now, false)
	return err == nil && rep.changes(), err
}

// renew derives a feed anew. still says that it has just been found as it was.
func (l *Library) renew(ctx context.Context, feed *fact.Feed, now time.Time, still bool) (Report, error) {
	im, err := l.Begin(ctx, feed, "renewal", fact.Update, now)
	if err != nil {
		return Report{}, err
	}
	if im.old == nil || im.old.Facts == 0 {
		return Report{}, errors.Join(fmt.Errorf("feed %s: %w", feed.Name, ErrUnknownFeed), im.Abort())
	}
	im.renew, im.still, im.mode = true, still, im.old.Mode
	return im.Commit(nil)
}

// Failed books a pull that failed. retryAt is when it is tried again.
func (l *Library) Failed(ctx context.Context, feed *fact.Feed, why error, retryAt, now time.Time) error {
	_, err := l.book(ctx, feed, func(st *state) {
		st.Pulled, st.Due = schema.FromTime(now), schema.FromTime(retryAt)
		st.Error, st.Errors = shorten(why.Error(), 1000), st.Errors+1
	})
	return err
}

// book changes the state of a feed.
func (l *Library) book(ctx context.Context, feed *fact.Feed, change func(*state)) (_ *state, err error) {
	if err := l.mayHave(feed); err != nil {
		return nil, err
	}
	lock, err := l.lock(ctx, feed.Name, "note about "+feed.Name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	st, err := l.state(feed.Name)
	if errors.Is(err, ErrUnknownFeed) {
		st, err = &state{Feed: feed.Name}, nil
	}
	if err != nil {
		return nil, err
	}
	if st.Removed { // it is tried again
		st.Removed = false
	}
	st.Summary = summary(feed)
	if change(st); st.First == 0 {
		st.First = st.Pulled
	}
	return st, l.writeState(st)
}

func shorten(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

// summary is what of a feed's configuration may be shown.
func summary(f *fact.Feed) Summary {
	s := Summary{Transport: f.Transport, File: f.File, Collection: f.Collection, Format: f.Format, Tenant: f.Tenant, Verdict: f.Verdict,
		Severity: f.Severity, Wish: f.Wish, Confidence: f.Confidence, Rank: f.Rank, TLP: f.TLP, Labels: f.Labels, Every: f.Every.String(), ValidFor: f.ValidFor.String(), Silence: f.Silence.String(),
		Types: f.Types, AllIDs: !f.IDsOnly}
	if f.CSV != fact.DefaultFeed().CSV {
		s.CSV = f.CSV
	}
	if u, err := url.Parse(f.URL); err == nil && f.URL != "" {
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		s.URL = u.String()
	}
	return s
}
