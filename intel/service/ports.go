package service

import (
	"context"
	"io"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/schema"
)

// Fetcher gets what is new of a feed since the pull that gave state, and calls
// yield for each part of it. It is fetch.Client.
type Fetcher interface {
	Pull(ctx context.Context, f *fact.Feed, state []byte, yield fetch.Yield) (fetch.Result, error)
	// Look looks at the files of a feed of transport file without reading them, beside
	// the state that a pull gave.
	Look(f *fact.Feed, state []byte) fetch.Seen
}

// Parser makes facts of the bytes of one part. It is parse.Read.
type Parser func(ctx context.Context, in io.Reader, f *fact.Feed, part fact.Part, now schema.Millis, out fact.Sink) error

// Library keeps facts and how pulls went. Its methods may be called at the same
// time for different feeds; Commit of an Import is called one at a time.
type Library interface {
	// Feeds lists what is stored, in order of name.
	Feeds() ([]Stored, error)
	// Stamp gives another number when Feeds may say something else than before,
	// whoever is the cause. It is cheap.
	Stamp() (uint64, error)
	// State gives what the last pull of a feed left for the next (JSON), and
	// whether anything of the feed is stored. Of a feed that is damaged it makes the
	// next pull one of the whole feed.
	State(feed string) (state []byte, known bool, err error)
	// Begin starts to take facts of a feed. The import must be ended by Commit or Abort.
	Begin(ctx context.Context, f *fact.Feed, origin string, mode fact.Mode, now time.Time) (Import, error)
	// NotModified books a pull that brought nothing, with the state for the next.
	// What follows from the time alone is derived anew.
	NotModified(ctx context.Context, f *fact.Feed, now time.Time, state []byte) error
	// Refresh derives a feed that nothing pulls anew, where time, rules, settings or
	// analysts may have made something else of what is stored, and reports whether.
	Refresh(ctx context.Context, f *fact.Feed, now time.Time) (changed bool, err error)
	// Expire takes back what analysts set until a time that has come, and tells how many
	// overrides that were.
	Expire(ctx context.Context, now time.Time) (int, error)
	// Failed books a pull that failed and is made again at a time.
	Failed(ctx context.Context, f *fact.Feed, why error, again, now time.Time) error
}

// Import takes the facts of one pull. Nothing of it counts before Commit.
type Import interface {
	fact.Sink
	// Watch has every refusal told to f, those of the library itself too.
	Watch(f func(fact.Refusal))
	// Keep has what was refused before stay listed where stands says so.
	Keep(stands func(fact.Refusal) bool)
	// Commit makes what was taken, and the state for the next pull, count; when
	// it returns without error both are on disk.
	Commit(state []byte) (Report, error)
	// Abort throws away what was taken. After Commit it does nothing.
	Abort() error
}

// Stored is a feed as it is in the library.
type Stored struct {
	Name       string
	Tenant     string
	Transport  fact.Transport
	Place      string // where it is got: see place
	Last       Report // of the last commit
	Origin     string // of the last commit or pull: who or what made it, for people
	Indicators int    // that count
	Expired    int    // that ended and are still kept

	First, Pulled, Good, Changed, Due schema.Millis // times of pulls; zero: none
	Failures                          int           // in a row
	Error                             string
	Broken                            []string // files of a folder that cannot be used, and why
	Waiting                           string   // for what a feed of files waits that never had any
	Damaged                           []string // files that cannot be read, and why; nothing else may be known then
}

// Report is what a commit changed, in indicators.
type Report struct {
	Indicators int `json:"indicators"` // that count now
	Added      int `json:"added"`
	Changed    int `json:"changed"`
	Removed    int `json:"removed"` // revoked, or no longer in the feed
	Expired    int `json:"expired"` // ended by time
	Refused    int `json:"refused"` // parts of the feed that were not taken

	Read int `json:"-"` // indicators that were taken from the pull
}

// news reports whether the commit brought anything.
func (r Report) news() bool { return r.Added+r.Changed+r.Removed > 0 }

// Publisher hands what the library holds on to those who match. It may be called
// without need.
type Publisher interface {
	Publish(ctx context.Context) error
}

// Ports are what a service works with. All but Trial and Failpoint are required.
type Ports struct {
	Fetch   Fetcher
	Parse   Parser
	Library Library
	Publish Publisher

	// Trial is a library with the settings of the real one, in which nothing is ever
	// committed: uploads are tried there before they are accepted. nil: none are taken.
	Trial Library
	// Failpoint is told before and after each step of the journal of uploads; nil: none.
	Failpoint func(string)

	// RetryAt tells from an error of Fetch when the server wants to be asked
	// again, Permanent that asking soon is of no use: fetch.RetryAt and
	// fetch.Permanent.
	RetryAt   func(error) (time.Time, bool)
	Permanent func(error) bool

	// Now is the time, Chance a number in [0, 1): where retries fall in a spread.
	Now    func() time.Time
	Chance func() float64
}
