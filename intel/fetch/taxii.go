package fetch

import (
	"bytes"
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

const taxiiType = "application/taxii+json"

const (
	// peeked is how much of a page is looked at before it is handed on, to see
	// whether it has anything; held the same where it may all be known. In bytes.
	peeked = 32 << 10
	held   = 8 << 20
)

// taxii pulls the objects that were added to a collection since the last pull.
//
// The cursor is the date that the server says it added the last object at. TAXII gives
// what was added after it, so by itself it would leave out for ever what comes to be
// seen later with that date or an earlier one: of one batch that a page was cut from,
// within a second or millisecond to which the server cuts or rounds its dates, from a
// machine of the server's whose clock is behind, or out of a transaction or a search
// index that shows things late. So the cursor also stays Config.Overlap behind the
// time at which the pull began, by our clock or the server's (Date), whichever is
// behind: by then all older dates are taken for seen. A step of a microsecond would
// help with the first of these only, and a window before the last date would be read
// at each pull for ever, large as it may be; this one is empty if nothing was added
// just before a pull. It also keeps a date in the future from hiding all that is added
// until then. What is seen later than that after its date is missed, as where a server
// keeps dates of another's or of a clock that is far behind: ten minutes is more than
// transactions, indexes and clocks that are set need, and little enough to be had twice.
//
// Objects that come again so are known by the hash of their text, of which the state
// keeps the last maxHad. A page of nothing else is not handed on; one that has
// something new is, with all it has, since objects of a page refer to each other. Of
// what does come twice, nobody is the worse: it is the same version of the same id.
//
// The cursor moves past a date only when it is certain that all objects of that date
// were had: at the end of the pages. Of a pull that ends early the next one begins
// before the second of the last date seen, since a page may end between two objects of
// the same date. Some objects are then had twice, none never.
func (p *pull) taxii(ctx context.Context, s *session) error {
	p.result.Mode = fact.Update
	col, err := s.collection(ctx, p.f.Collection)
	if err != nil {
		return err
	}
	if at := hashed(col.objects.String()); at != p.old.Collection {
		p.next.Collection, p.next.After, p.next.Had = at, "", nil
		p.result.Full = true
	}
	pages := pages{p: p, s: s, objects: col.objects, began: p.c.cfg.Now(), seen: map[string]bool{}}
	if from, err := parseAdded(p.next.After); err == nil && from.After(pages.began) { // states of earlier versions may have such
		p.next.After = dateText(pages.safe(from))
	}
	pages.after, pages.from = p.next.After, p.next.After
	p.result.Full = p.result.Full || pages.after == ""
	old := decodeHad(p.next.Had)
	if !p.result.Full { // a full pull has everything, whatever was had before
		pages.known = old.known()
	}
	err = pages.all(ctx)
	p.result.NotModified = err == nil && pages.yielded == 0
	if err != nil {
		old.add(pages.had...)
		p.next.Had = old.encode()
		return fmt.Errorf("collection %s: %w", s.short(col.Title), err)
	}
	p.next.Had = pages.had.encode()
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

	began     time.Time // when the pages were asked for, by the slower clock
	from      string    // added_after of the first request
	first     time.Time // date of the first object
	last      time.Time // newest date had
	unordered bool      // dates went back: an early end must not move the cursor
	yielded   int

	known map[uint64]bool // hashes of objects that were had by earlier pulls
	had   recent          // of this one's
	ahead bytes.Buffer    // the beginning of a page
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
		g.advance(header)
		if !env.more {
			g.reach(g.last)
			return nil
		}
		if err := g.turn(env, sum); err != nil {
			return permanent(fmt.Errorf("page %d: %w", n, err))
		}
	}
}

// advance notes the dates of a page that was taken whole.
func (g *pages) advance(h http.Header) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil && date.Before(g.began) {
		g.began = date
	}
	last, err := parseAdded(h.Get("X-TAXII-Date-Added-Last"))
	if err != nil {
		return
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
		last = first
	}
	if last.After(g.last) {
		g.last = last
	}
	switch {
	case g.unordered: // what was had cannot be told from what was not
		g.p.next.After = g.from
	case g.last.After(g.first): // dates were seen to rise
		g.reach(wellBefore(g.last))
	}
}

// safe gives the date up to which all objects were certainly seen, if those up to t
// were had.
func (g *pages) safe(t time.Time) time.Time {
	if settled := g.began.Add(-g.p.c.cfg.Overlap).Truncate(time.Microsecond); settled.Before(t) {
		return settled
	}
	return t
}

// reach moves the cursor to a date up to which all was had, as far as is safe.
func (g *pages) reach(t time.Time) {
	if t = g.safe(t); t.IsZero() {
		return
	}
	if old, err := parseAdded(g.p.next.After); err != nil || t.After(old) {
		g.p.next.After, g.p.progress = dateText(t), true
	}
}

// turn finds out how to ask for the next page.
func (g *pages) turn(env *envelope, sum string) error {
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
	if g.last.IsZero() {
		return errors.New("the server has more, and says neither by \"next\" nor by X-TAXII-Date-Added-Last where it is")
	}
	g.next = ""
	old, err := parseAdded(g.after)
	for i, t := range []time.Time{wellBefore(g.last), justBefore(g.last), g.last} {
		if err == nil && !t.After(old) {
			continue // it would bring the same page again
		}
		g.after = dateText(t)
		if i == 2 { // a whole page of one date
			g.p.skip("date "+g.after, errors.New("the server gives no \"next\": what its page had no room for cannot be had"))
		}
		return nil
	}
	return errors.New("the server has more, but its pages do not go on")
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
	var sums recent // of this page: they count when it was taken
	fresh := 0
	env := &envelope{object: func(sum uint64) {
		sums.add(sum)
		if !g.known[sum] {
			fresh++
		}
	}}
	most := int64(peeked)
	if len(g.known) > 0 {
		most = held
	}
	g.ahead.Reset()
	got, err := g.ahead.ReadFrom(io.LimitReader(b.r, most))
	if err != nil {
		return nil, "", nil, b.explain(err)
	}
	text := xxh3.New()
	watch := io.MultiWriter(env, text)
	if _, err := watch.Write(g.ahead.Bytes()); err != nil {
		return nil, "", nil, permanent(err)
	}
	b.r = io.MultiReader(bytes.NewReader(g.ahead.Bytes()), io.TeeReader(b.r, watch))
	if got == most || fresh > 0 {
		g.yielded++
		err = g.p.part(fact.Part{Name: fmt.Sprintf("page %d", n), Format: fact.FormatSTIX}, b)
	} else { // it counts against the bound of the pull all the same
		_, err = io.Copy(io.Discard, b)
	}
	if err != nil {
		return nil, "", nil, err
	}
	if err := env.whole(); err != nil {
		return nil, "", nil, err
	}
	g.had.add(sums...)
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
