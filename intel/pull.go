package intel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/schema"
)

// Taken counts what a pull has taken so far.
type Taken struct {
	Facts   uint64
	Refused uint64
}

// counting tells now and then how many facts have passed to a sink.
type counting struct {
	fact.Sink
	n    Taken
	tell func(Taken)
}

func (c *counting) Said(line int, s fact.Said) error {
	c.n.Facts++
	if c.n.Facts&1023 == 0 {
		c.tell(c.n)
	}
	return c.Sink.Said(line, s)
}

func (c *counting) Refuse(r fact.Refusal) error {
	c.n.Refused++
	if c.n.Refused&1023 == 0 {
		c.tell(c.n)
	}
	return c.Sink.Refuse(r)
}

// Take reads one text as a feed into the library, in one import that replaces what
// the feed had. tell may be nil.
func Take(ctx context.Context, l *library.Library, f *fact.Feed, origin string, in io.Reader, now time.Time, tell func(Taken)) (rep library.Report, err error) {
	if tell == nil {
		tell = func(Taken) {}
	}
	im, err := l.Begin(ctx, f, origin, fact.Replace, now)
	if err != nil {
		return rep, err
	}
	sink := &counting{Sink: im, tell: tell}
	if err := parse.Read(ctx, in, f, fact.Part{Name: origin, Format: f.Format}, schema.FromTime(now), sink); err != nil {
		return rep, errors.Join(fmt.Errorf("reading %s: %w", origin, err), im.Abort())
	}
	tell(sink.n)
	return im.Commit(nil)
}

// NotModified is the origin in the report of a pull that found the feed as it was.
const NotModified = "not modified"

// Once is how PullOnce pulls.
type Once struct {
	// Tell is told now and then what has been taken. It may be nil.
	Tell func(Taken)
	// Shrink takes the whole feed, however much it has lost: see fact.Feed.MaxShrink.
	Shrink bool
}

// Pulled is what PullOnce did. Of a feed that has not changed the report is empty but
// for what it holds, and its Origin is NotModified.
type Pulled struct {
	library.Report
	Broken  []string // files of a folder that cannot be used, and why
	Waiting string   // for what a feed of files waits that never had any; there is no report then
}

// PullOnce pulls one feed now, whatever its schedule says, and books it.
func PullOnce(ctx context.Context, l *library.Library, cfg Config, f fact.Feed, how Once) (done Pulled, err error) {
	ports, err := portsOf(cfg, l)
	if err != nil {
		return done, err
	}
	if tell := how.Tell; tell != nil {
		var n Taken // over all parts
		ports.Parse = func(ctx context.Context, in io.Reader, f *fact.Feed, part fact.Part, now schema.Millis, out fact.Sink) error {
			sink := &counting{Sink: out, n: n, tell: tell}
			defer func() { n = sink.n }()
			return parse.Read(ctx, in, f, part, now, sink)
		}
	}
	cfg.Pull.Feeds = []fact.Feed{f}
	s, err := service.New(cfg.Pull, ports, slog.New(slog.DiscardHandler))
	if err != nil {
		return done, err
	}
	pull := s.PullOnce
	if how.Shrink {
		pull = s.PullShrunk
	}
	_, res, err := pull(ctx, f.Name)
	if err != nil {
		return done, err
	}
	done.Broken, done.Waiting = service.BrokenTexts(res.Broken), res.Waiting
	st, err := l.Status(f.Name)
	done.Report = st.LastReport
	return done, err
}

// portsOf wires a service to the real parts. What it commits is published by nobody.
func portsOf(cfg Config, l *library.Library) (service.Ports, error) {
	client, err := fetch.New(fetch.Config{Proxy: cfg.Proxy})
	if err != nil {
		return service.Ports{}, fmt.Errorf("intel.proxy: %w", err)
	}
	return service.Ports{Fetch: reread{client}, Parse: parse.Read, Library: service.Folder{Library: l}, Publish: nobody{}, RetryAt: fetch.RetryAt, Permanent: fetch.Permanent,
		Now: time.Now, Chance: rand.Float64}, nil
}

// nobody is told of changes where there is no one to tell: workers look at the library.
type nobody struct{}

func (nobody) Publish(context.Context) error { return nil }
