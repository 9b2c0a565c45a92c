package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// Config is how feeds are got. Durations and counts that are zero have the default.
type Config struct {
	UserAgent string           // default: interdict-intel
	Proxy     string           // URL of an http proxy for every request; default: none, whatever the environment says
	Now       func() time.Time // default: time.Now

	Connect time.Duration // to connect, and again for the TLS handshake; default: 15s
	Header  time.Duration // from the request to the response's header; default: 60s
	Idle    time.Duration // for each KiB of a body, or less if it ends; default: 60s
	Total   time.Duration // of a whole pull, with what the caller does in it; default: 2h

	Overlap time.Duration // how long after its date an object of TAXII may come to be seen; default: 10m

	PageSize int   // objects asked for in a TAXII page; default: 1000
	MaxPages int   // TAXII pages of one pull; default: 100,000
	MaxIndex int64 // unpacked bytes of a MISP manifest, which is held in memory; default: 64 MiB
	MaxFiles int   // files of a folder or glob; default: 10,000
}

// Client pulls feeds. It keeps no state between pulls, and may be used by several
// goroutines at once.
type Client struct {
	cfg   Config
	proxy *url.URL

	// Tests put their own here: what is not public, and who resolves names.
	special  func(netip.Addr) string
	resolver *net.Resolver
}

// Result is what became of a pull.
type Result struct {
	Mode        fact.Mode // what the parts mean for earlier ones
	NotModified bool      // nothing new: nothing was yielded
	Bytes       int64     // unpacked bytes of the parts

	// State is for the next pull of this feed: opaque, to be kept with the facts.
	// It is also set with an error. For mode Update it then counts what was
	// yielded without error; who throws those parts away must keep the State from
	// before. For Replace it is then the State from before.
	State []byte

	// Full says that the pull began from nothing, as a first one does, also in mode
	// Update: what pulls before it brought does not count any more.
	Full bool
	// Whole says, for mode Update, that each part is all there is of its name:
	// what an earlier part of the same name said and this one does not is gone. Parts
	// "removal" take back at once what is remembered of it, which is not all: a full
	// pull brings the rest in order.
	Whole bool
	// Gone are names of earlier parts that the feed no longer has: what they said
	// is gone, likewise.
	Gone []string
	// Skipped are parts that could not be had while the others could, each with
	// the reason, at most 100. They are tried again at the next pull.
	Skipped []string
	// Broken are files of several that alone could not be read, or that yield called a
	// BadPart, with why. Some of their bytes may have been yielded. Mode is Update then,
	// so that what they said before can stay.
	Broken map[string]error
	// Waiting says, of a feed of files that never had any, that none is there yet. It is
	// NotModified then.
	Waiting string
}

// Yield takes one part. The body must not be used after it returns.
type Yield = func(part fact.Part, body io.Reader) error

// New makes a client. It fails if Config.Proxy is no URL of a proxy.
func New(cfg Config) (*Client, error) {
	c := &Client{special: special, resolver: &net.Resolver{}}
	if cfg.Proxy != "" {
		u, err := url.Parse(cfg.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" {
			return nil, errors.New("the proxy is not a URL like http://host:port") // the URL may hold a password
		}
		c.proxy = u
	}
	orText(&cfg.UserAgent, "interdict-intel")
	orTime(&cfg.Connect, 15*time.Second)
	orTime(&cfg.Header, 60*time.Second)
	orTime(&cfg.Idle, 60*time.Second)
	orTime(&cfg.Total, 2*time.Hour)
	orTime(&cfg.Overlap, 10*time.Minute)
	orCount(&cfg.PageSize, 1000)
	orCount(&cfg.MaxPages, 100_000)
	orCount(&cfg.MaxIndex, 64<<20)
	orCount(&cfg.MaxFiles, 10_000)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c.cfg = cfg
	return c, nil
}

func orText(v *string, or string) {
	if *v == "" {
		*v = or
	}
}

func orTime(v *time.Duration, or time.Duration) {
	if *v <= 0 {
		*v = or
	}
}

func orCount[N int | int64](v *N, or N) {
	if *v <= 0 {
		*v = or
	}
}

// Pull gets what is new of a feed since the pull that gave state; nil, or a state
// of another place, gets all. It calls yield for each part in turn and reads no
// part ahead. An error of yield ends the pull and is wrapped in Pull's. Who reads a
// feed otherwise than before, by another mapping say, passes nil to get it all again.
//
// RetryAt tells from an error when the server wants to be asked again, Permanent
// whether asking again is of no use before somebody changes something.
func (c *Client) Pull(ctx context.Context, f *fact.Feed, state []byte, yield Yield) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Total, fmt.Errorf("the pull took longer than %v", c.cfg.Total))
	defer cancel()
	old, known := decodeState(state, place(f))
	most := f.MaxBytes
	if most <= 0 {
		most = fact.DefaultFeed().MaxBytes
	}
	p := &pull{c: c, f: f, yield: yield, room: newBudget(most, "max_bytes"), old: old, next: old}
	p.result.Full = !known
	var err error
	switch f.Transport {
	case fact.TransportFile:
		err = p.file(ctx)
	case fact.TransportHTTP, fact.TransportTAXII, fact.TransportMISP:
		err = p.remote(ctx)
	default:
		err = permanent(fmt.Errorf("transport %q is not pulled", f.Transport))
	}
	if err != nil {
		err = fmt.Errorf("feed %s: %w", f.Name, err)
		p.result.NotModified = false
	}
	p.result.Bytes = p.room.used
	if err == nil || known || p.progress {
		p.result.State = p.next.encode()
	}
	return p.result, err
}

// pull is one pull under way.
type pull struct {
	c        *Client
	f        *fact.Feed
	yield    Yield
	old      state
	next     state // becomes Result.State; changed only by what counts also if the pull fails
	progress bool  // next knows more than old, also if the pull fails
	room     *budget
	result   Result
}

// remote gets a feed from a server.
func (p *pull) remote(ctx context.Context) error {
	u, err := feedURL(p.f.URL)
	if err != nil {
		return permanent(err)
	}
	s, err := p.c.session(p.f, u)
	if err != nil {
		return permanent(err)
	}
	defer s.close()
	switch p.f.Transport {
	case fact.TransportTAXII:
		err = p.taxii(ctx, s)
	case fact.TransportMISP:
		err = p.misp(ctx, s)
	default:
		err = p.http(ctx, s)
	}
	for i, text := range p.result.Skipped {
		p.result.Skipped[i] = s.creds.hide(text)
	}
	return s.creds.conceal(err)
}

// skip notes a part that could not be had.
func (p *pull) skip(name string, why error) {
	if len(p.result.Skipped) < 100 {
		p.result.Skipped = append(p.result.Skipped, fmt.Sprintf("%s: %v", name, why))
	}
}
