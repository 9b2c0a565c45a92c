package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/zeebo/xxh3"
)

const (
	taxiiType = "application/taxii+json"
	// peeked is how much of a page is looked at before it is handed on, to see
	// whether it has anything; in bytes.
	peeked = 32 << 10
)

// added is the form of a time that every server must understand.
const added = "2006-01-02T15:04:05.000000Z"

// parseAdded reads a date a server gave, to the nanosecond.
func parseAdded(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || len(text) > 64 {
		return time.Time{}, errors.New("is no date")
	}
	return t.UTC(), nil
}

// taxii pulls the objects that were added to a collection since the last pull.
//
// The cursor is the date that the server says it added the last object at. It moves
// past a date only when it is certain that all objects of that date were had: at the
// end of the pages. Of a pull that ends early the next one begins just before the
// last date seen, since a page may end between two objects of the same date. Some
// objects are then had twice, none never.
func (p *pull) taxii(ctx context.Context, s *session) error {
	p.result.Mode = fact.Update
	col, err := s.collection(ctx, p.f.Collection)
	if err != nil {
		return err
	}
	if at := hashed(col.objects.String()); at != p.old.Collection {
		p.next.Collection, p.next.After = at, ""
		p.result.Full = true
	}
	pages := pages{p: p, s: s, objects: col.objects, after: p.next.After, from: p.next.After, seen: map[string]bool{}}
	p.result.Full = p.result.Full || pages.after == ""
	err = pages.all(ctx)
	p.result.NotModified = err == nil && pages.yielded == 0
	if err != nil {
		return fmt.Errorf("collection %s: %w", s.short(col.Title), err)
	}
	return nil
}

// pages is the state of one pull from a collection.
type pages struct {
	p       *pull
	s       *session
	objects *url.URL
	after   string // added_after of the requests
	next    string
	seen    map[string]bool // hashes of every "next" with the page it came on

	from      string    // added_after of the first request
	first     time.Time // date of the first object
	last      time.Time // newest date had
	lastText  string
	unordered bool // dates went back: an early end must not move the cursor
	yielded   int
}

func (g *pages) all(ctx context.Context) error {
	for n := 1; ; n++ {
		if n > g.p.c.cfg.MaxPages {
			return permanent(fmt.Errorf("more than %d pages", g.p.c.cfg.MaxPages))
		}
		env, sum, header, err := g.page(ctx, n)
		if err != nil {
			return fmt.Errorf("page %d: %w", n, err)
		}
		before := g.last
		if err := g.advance(header); err != nil {
			return fmt.Errorf("page %d: %w", n, err)
		}
		if !env.more {
			if later(g.lastText, g.p.next.After) {
				g.p.next.After, g.p.progress = g.lastText, true
			}
			return nil
		}
		if err := g.turn(env, sum, before); err != nil {
			return permanent(fmt.Errorf("page %d: %w", n, err))
		}
	}
}

// advance notes the dates of a page that was taken whole.
func (g *pages) advance(h http.Header) error {
	text := h.Get("X-TAXII-Date-Added-Last")
	if text == "" {
		return nil
	}
	last, err := parseAdded(text)
	if err != nil {
		return permanent(fmt.Errorf("X-TAXII-Date-Added-Last %.64q %w", text, err))
	}
	first, err := parseAdded(h.Get("X-TAXII-Date-Added-First"))
	if err != nil {
		first = last
	}
	if g.last.IsZero() {
		g.first = first
	}
	// Where dates turn the pages, a page begins again at the end of the one before.
	if last.Before(first) || last.Before(g.last) || first.Before(g.last) && g.next != "" {
		g.unordered = true
	}
	if last.Before(first) {
		last, text = first, h.Get("X-TAXII-Date-Added-First")
	}
	if last.After(g.last) {
		g.last, g.lastText = last, text
	}
	switch safe := justBefore(g.last); {
	case g.unordered: // what was had cannot be told from what was not
		g.p.next.After = g.from
	case g.last.After(g.first) && later(safe, g.p.next.After): // dates were seen to rise
		g.p.next.After, g.p.progress = safe, true
	}
	return nil
}

// turn finds out how to ask for the next page.
func (g *pages) turn(env *envelope, sum string, before time.Time) error {
	if env.next != "" {
		// Where the server keeps the place, the token may stay the same while the
		// pages go on. The same one on the same page is a circle.
		key := hashed(env.next + "\n" + sum)
		if g.seen[key] {
			return errors.New("the server gives the same page and \"next\" again: its pages go round in a circle")
		}
		g.seen[key] = true
		g.next = env.next
		return nil
	}
	// Without a token the dates turn the pages.
	if g.lastText == "" {
		return errors.New("the server has more, and says neither by \"next\" nor by X-TAXII-Date-Added-Last where it is")
	}
	g.next = ""
	switch {
	case g.last.After(before):
		g.after = justBefore(g.last)
	case g.after != g.lastText: // a whole page of one date
		g.after = g.lastText
	default:
		return errors.New("the server has more, but its pages do not go on")
	}
	return nil
}

func justBefore(t time.Time) string { return t.Add(-time.Microsecond).Format(added) }

// later reports whether a date is behind another, which may be empty.
func later(a, b string) bool {
	x, err := parseAdded(a)
	if err != nil {
		return false
	}
	y, err := parseAdded(b)
	return err != nil || x.After(y)
}

// page gets one page and hands it on, unless it has no objects. It gives the hash
// of its text.
func (g *pages) page(ctx context.Context, n int) (_ *envelope, sum string, _ http.Header, _ error) {
	u := *g.objects
	q := u.Query()
	q.Set("limit", strconv.Itoa(g.p.c.cfg.PageSize))
	if g.after != "" {
		q.Set("added_after", g.after)
	}
	if g.next != "" {
		q.Set("next", g.next)
	}
	u.RawQuery = q.Encode()
	a, err := g.s.askTAXII(ctx, &u)
	if err != nil {
		return nil, "", nil, err
	}
	b, end, err := a.text(g.p.c.cfg.Idle, g.p.room)
	defer end()
	if err != nil {
		return nil, "", nil, err
	}
	env := &envelope{}
	ahead := bufio.NewReaderSize(b.r, peeked)
	start, err := ahead.Peek(peeked)
	text := xxh3.New()
	b.r = io.TeeReader(io.TeeReader(ahead, env), text)
	if err == io.EOF {
		small := &envelope{}
		if _, err := small.Write(start); err != nil {
			return nil, "", nil, permanent(err)
		}
		if small.objects == 0 {
			if err := small.whole(); err != nil {
				return nil, "", nil, err
			}
			return small, hashed(string(start)), a.Header, nil
		}
	}
	g.yielded++
	if err := g.p.part(fact.Part{Name: fmt.Sprintf("page %d", n), Format: fact.FormatSTIX}, b); err != nil {
		return nil, "", nil, err
	}
	if err := env.whole(); err != nil {
		return nil, "", nil, err
	}
	return env, fmt.Sprintf("%x", text.Sum(nil)), a.Header, nil
}

// askTAXII gets a resource of a TAXII server.
func (s *session) askTAXII(ctx context.Context, u *url.URL) (*answer, error) {
	header := http.Header{}
	header.Set("Accept", taxiiType+";version=2.1")
	a, err := s.ask(ctx, u, header)
	if err != nil {
		return nil, err
	}
	if a.StatusCode != http.StatusOK {
		text := why(a.StatusCode)
		if a.StatusCode == http.StatusNotAcceptable {
			text = "the server does not speak TAXII 2.1, and no other version is supported"
		}
		if !s.isOwn(u) && a.StatusCode == http.StatusUnauthorized {
			text = "credentials are sent to " + s.origin.Host + " only: give the url of this API root"
		}
		return nil, a.refuse(s, u, text)
	}
	given := a.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(given)
	switch version := params["version"]; {
	case strings.HasPrefix(kind, "application/vnd.oasis."), kind == taxiiType && version != "" && version != "2.1":
		a.drop()
		return nil, permanent(fmt.Errorf("%s: the server answers in %.80q: only TAXII 2.1 is supported", show(u), given))
	case err != nil || kind != taxiiType && kind != "application/json" && kind != "application/stix+json":
		return nil, a.refuse(s, u, fmt.Sprintf("of type %.80q: want %s;version=2.1", given, taxiiType))
	}
	return a, nil
}
