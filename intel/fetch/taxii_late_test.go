package fetch

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// clockedServer is one collection of a TAXII server that has a clock, and objects
// that are not seen from the moment on that their date says.
type clockedServer struct {
	clock   time.Time
	objects []clocked
	perPage int
	tokens  bool
	said    func(time.Time) time.Time // what the headers make of a date
	stored  func(time.Time) time.Time // what added_after is compared with
	cut     int                       // which page asked for from now on breaks off; 0: none does
	at      int                       // behind so many bytes, or their rest by its length
	asked   int
}

type clocked struct {
	id         string
	date, seen time.Time
}

func (m *clockedServer) add(date, seen time.Time) {
	m.objects = append(m.objects, clocked{fmt.Sprintf("indicator--%08d-0000-4000-8000-000000000000", len(m.objects)), date, seen})
}

func (m *clockedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", taxiiType+";version=2.1")
	w.Header().Set("Date", m.clock.UTC().Format(http.TimeFormat))
	switch r.URL.Path {
	case "/":
		io.WriteString(w, `{"title":"root"}`)
		return
	case "/collections/":
		io.WriteString(w, `{"collections":[{"id":"`+colA+`"}]}`)
		return
	}
	q := r.URL.Query()
	after, err := time.Parse(added, q.Get("added_after"))
	if err != nil && q.Get("added_after") != "" { // some servers know this form only
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var hits []clocked
	for _, o := range m.objects {
		if !o.seen.After(m.clock) && m.stored(o.date).After(after) {
			hits = append(hits, o)
		}
	}
	slices.SortStableFunc(hits, func(a, b clocked) int { return m.stored(a.date).Compare(m.stored(b.date)) })
	begin, _ := strconv.Atoi(q.Get("next"))
	hits = hits[min(begin, len(hits)):]
	n := min(len(hits), m.perPage)
	out := map[string]any{"more": n < len(hits)}
	var objects []any
	for _, o := range hits[:n] {
		objects = append(objects, map[string]any{"type": "indicator", "id": o.id, "modified": "2026-01-01T00:00:00.000Z"})
	}
	if n > 0 {
		out["objects"] = objects
		w.Header().Set("X-TAXII-Date-Added-First", m.said(hits[0].date).Format(added))
		w.Header().Set("X-TAXII-Date-Added-Last", m.said(hits[n-1].date).Format(added))
	}
	if m.tokens && n < len(hits) {
		out["next"] = strconv.Itoa(begin + n)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if m.asked++; m.asked == m.cut {
		text = text[:m.at%len(text)]
	}
	w.Write(text)
}

// servers are ways of a server with dates.
func servers() map[string]func(*clockedServer) {
	exact := func(t time.Time) time.Time { return t }
	second := func(t time.Time) time.Time { return t.Truncate(time.Second) }
	milli := func(t time.Time) time.Time { return t.Truncate(time.Millisecond) }
	up := func(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }
	return map[string]func(*clockedServer){
		"exact":                          func(m *clockedServer) { m.said, m.stored = exact, exact },
		"headers to the second":          func(m *clockedServer) { m.said, m.stored = second, exact },
		"headers to the second, upwards": func(m *clockedServer) { m.said, m.stored = up, exact },
		"headers to the millisecond":     func(m *clockedServer) { m.said, m.stored = milli, exact },
		"everything to the second":       func(m *clockedServer) { m.said, m.stored = second, second },
		"filter to the second":           func(m *clockedServer) { m.said, m.stored = exact, second },
		"everything to the second, up":   func(m *clockedServer) { m.said, m.stored = up, up },
		"everything to the nearest milli": func(m *clockedServer) {
			m.said = func(t time.Time) time.Time { return t.Round(time.Millisecond) }
			m.stored = m.said
		},
	}
}

// late runs a server with objects that come while it is pulled, and gives how often
// each was had and the pulls that brought something though nothing was new.
func late(t *testing.T, m *clockedServer, random *rand.Rand, step time.Duration, cuts bool, date func() (date, seen time.Time)) (have map[string]int, idle int) {
	t.Helper()
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return m.clock }}), taxiiFeed(s.URL+"/", colA)
	have = map[string]int{}
	var state []byte
	known := map[string]bool{}
	for round := range 12 {
		if round < 9 { // the last rounds bring nothing
			for range random.IntN(9) {
				m.add(date())
			}
		}
		m.cut = 0
		if cuts && round < 9 {
			m.asked, m.cut, m.at = 0, 1+random.IntN(4), random.IntN(10_000)
		}
		fresh := false
		for _, o := range m.objects {
			if !o.seen.After(m.clock) && !known[o.id] {
				known[o.id], fresh = true, true
			}
		}
		g := &got{}
		r, err := c.Pull(t.Context(), f, state, func(p fact.Part, body io.Reader) error { return g.yield(p, body) })
		if err != nil && m.cut == 0 {
			t.Fatal(err)
		}
		if len(r.State) > 0 {
			state = r.State
		}
		stixIDs(t, have, g)
		if round > 9 && !fresh && (err != nil || len(g.parts) > 0) {
			idle++
		}
		m.clock = m.clock.Add(step)
	}
	return have, idle
}

// TestTAXIILate wants each object to be had that comes at the date of the last one
// that was had, or that is seen only some time after its date, whatever the server
// makes of dates.
func TestTAXIILate(t *testing.T) {
	for name, way := range servers() {
		for _, tokens := range []bool{true, false} {
			for _, cuts := range []bool{false, true} {
				for seed := range uint64(4) {
					random := rand.New(rand.NewPCG(seed, 7))
					m := &clockedServer{clock: now.Add(123456789), perPage: 1 + random.IntN(5), tokens: tokens}
					way(m)
					if !tokens {
						m.perPage = 200 // dates that are rounded turn no pages within a second
					}
					step := []time.Duration{time.Millisecond, 700 * time.Millisecond, 90 * time.Second, time.Hour}[seed%4]
					have, idle := late(t, m, random, step, cuts, func() (date, seen time.Time) {
						switch random.IntN(4) {
						case 0: // at the very instant of another
							if len(m.objects) > 0 {
								if last := m.objects[len(m.objects)-1].date; m.clock.Sub(last) < time.Minute {
									return last, m.clock
								}
							}
							return m.clock, m.clock
						case 1: // by a machine whose clock is behind
							return m.clock.Add(-time.Duration(random.IntN(200)) * time.Second), m.clock
						case 2: // by one whose clock is ahead
							return m.clock.Add(time.Duration(random.IntN(200)) * time.Second), m.clock
						}
						return m.clock, m.clock.Add(time.Duration(random.IntN(200_000)) * time.Millisecond) // seen late
					})
					missing := 0
					for _, o := range m.objects {
						if have[o.id] == 0 && !o.seen.After(m.clock.Add(-step)) {
							missing++
						}
					}
					if missing > 0 {
						t.Errorf("%s, tokens %v, cuts %v, seed %d: %d of %d objects are missing", name, tokens, cuts, seed, missing, len(m.objects))
					}
					if idle > 0 {
						t.Errorf("%s, tokens %v, cuts %v, seed %d: %d pulls bring again what was had", name, tokens, cuts, seed, idle)
					}
				}
			}
		}
	}
}

// TestTAXIICutAnywhere breaks a page off behind each of its bytes and wants the next pull
// to bring what is missing.
func TestTAXIICutAnywhere(t *testing.T) {
	m := &clockedServer{clock: now, perPage: 3, tokens: true}
	servers()["headers to the second"](m)
	for i := range 8 {
		date := now.Add(time.Duration(i/2) * 700 * time.Millisecond)
		m.add(date, date)
	}
	m.clock = now.Add(time.Hour)
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return m.clock }}), taxiiFeed(s.URL+"/", colA)
	for page := 1; page <= 3; page++ {
		for m.at = range 200 {
			m.asked, m.cut = 0, page
			g := &got{}
			r, err := c.Pull(t.Context(), f, nil, g.yield)
			if err == nil {
				t.Fatalf("page %d cut at %d is taken", page, m.at)
			}
			m.cut = 0
			_, rest := mustPull(t, c, f, r.State)
			have := map[string]int{}
			stixIDs(t, have, g)
			stixIDs(t, have, rest)
			if len(have) != len(m.objects) {
				t.Errorf("page %d cut at %d: %d objects were had, want %d", page, m.at, len(have), len(m.objects))
			}
		}
	}
}

// TestTAXIIDates is about servers whose headers hold no date, or one in words: what
// they have is had all the same, and whole where no cursor can be kept.
func TestTAXIIDates(t *testing.T) {
	for date, full := range map[string]bool{
		"2026-03-04T05:06:07.000009Z":                                    false,
		"2026-03-04T06:06:07.123456789+01:00":                            false,
		"Wed Mar 04 2026 05:06:07 GMT+0000 (Coordinated Universal Time)": false,
		"undefined":                   true,
		"20260-03-04T05:06:07Z":       true,
		strings.Repeat("2026", 1<<10): true,
	} {
		text := `{"objects":[{"type":"indicator","id":"indicator--1"}]}`
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", taxiiType+";version=2.1")
			switch r.URL.Path {
			case "/":
				io.WriteString(w, `{"title":"root"}`)
			case "/collections/":
				io.WriteString(w, `{"collections":[{"id":"`+colA+`"}]}`)
			default:
				w.Header().Set("X-TAXII-Date-Added-First", date)
				w.Header().Set("X-TAXII-Date-Added-Last", date)
				io.WriteString(w, text)
			}
		})
		c, f := client(t, Config{}), taxiiFeed(s.URL+"/", colA)
		r, _ := mustPull(t, c, f, nil)
		if r, _ = mustPull(t, c, f, r.State); r.Full != full || r.NotModified == full {
			t.Errorf("%.80s: %+v", date, r)
		}
		text = `{"objects":[{"type":"indicator","id":"indicator--1"},{"type":"indicator","id":"indicator--2"}]}`
		if _, g := mustPull(t, c, f, r.State); g.text() != text {
			t.Errorf("%.80s: %q", date, g.text())
		}
	}
}

// TestTAXIIFuture wants one date far ahead, of an object or of a state of an earlier
// version, not to hide what is added later.
func TestTAXIIFuture(t *testing.T) {
	m := &clockedServer{clock: now, perPage: 3}
	servers()["exact"](m)
	m.add(now.AddDate(70, 0, 0), now)
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return m.clock }}), taxiiFeed(s.URL+"/", colA)
	r, _ := mustPull(t, c, f, nil)
	have := map[string]int{}
	for _, state := range [][]byte{r.State, []byte(`{"v":1,"place":"` + place(f) + `","collection":"` + hashed(s.URL+"/collections/"+colA+"/objects/") + `","after":"2096-03-04T05:06:07Z"}`)} {
		m.clock = m.clock.Add(time.Hour)
		m.add(m.clock, m.clock)
		r, g := mustPull(t, c, f, state)
		stixIDs(t, have, g)
		if r.Full {
			t.Error("the state was not read")
		}
	}
	if have[m.objects[1].id] == 0 || have[m.objects[2].id] == 0 {
		t.Errorf("had %v", have)
	}
}

// TestTAXIIManyAtOnce wants more objects of one date than are remembered to be had
// all the same, and once they lie back no more.
func TestTAXIIManyAtOnce(t *testing.T) {
	m := &clockedServer{clock: now, perPage: 4000, tokens: true}
	servers()["exact"](m)
	for range maxHad + 2000 {
		m.add(now, now)
	}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return m.clock }}), taxiiFeed(s.URL+"/", colA)
	r, _ := mustPull(t, c, f, nil)
	m.add(now, now) // the very instant
	have := map[string]int{}
	m.clock = now.Add(time.Hour)
	r, g := mustPull(t, c, f, r.State)
	stixIDs(t, have, g)
	if have[m.objects[maxHad+2000].id] != 1 || len(g.parts) != 2 { // of four pages the first, in part forgotten, and the last
		t.Errorf("%d pages", len(g.parts))
	}
	if len(r.State) > 20*maxHad {
		t.Errorf("the state has %d bytes", len(r.State))
	}
	before := m.asked
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified || m.asked != before+1 {
		t.Errorf("%+v after %d pages", r, m.asked-before)
	}
}

// TestTAXIILargePage wants a page that is larger than what is held to be handed on,
// though all of it was had.
func TestTAXIILargePage(t *testing.T) {
	page := `{"objects":[{"id":"indicator--1","x":"` + strings.Repeat("x", held) + `"}]}`
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType)
		switch r.URL.Path {
		case "/":
			io.WriteString(w, `{"title":"root"}`)
		case "/collections/":
			io.WriteString(w, `{"collections":[{"id":"`+colA+`"}]}`)
		default:
			w.Header().Set("X-TAXII-Date-Added-Last", now.Format(added))
			io.WriteString(w, page)
		}
	})
	c, f := client(t, Config{Now: func() time.Time { return now }}), taxiiFeed(s.URL+"/", colA)
	r, g := mustPull(t, c, f, nil)
	if g.text() != page {
		t.Errorf("%d bytes", len(g.text()))
	}
	if r, g = mustPull(t, c, f, r.State); g.text() != page || r.Full {
		t.Errorf("%d bytes, full %v", len(g.text()), r.Full)
	}
}

// TestTAXIIKnownPagesCount wants pages of nothing new to be bounded as all others are: a
// server could go on with them for ever.
func TestTAXIIKnownPagesCount(t *testing.T) {
	pages, asked := 1, 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType)
		switch r.URL.Path {
		case "/":
			io.WriteString(w, `{"title":"root"}`)
		case "/collections/":
			io.WriteString(w, `{"collections":[{"id":"`+colA+`"}]}`)
		default:
			asked++
			w.Header().Set("X-TAXII-Date-Added-Last", now.Format(added))
			fmt.Fprintf(w, `{"more":%t,"next":"%d","objects":[{"id":"indicator--1","x":"%s"}]}`, asked < pages, asked, strings.Repeat("x", 1<<10))
		}
	})
	c, f := client(t, Config{Now: func() time.Time { return now }}), taxiiFeed(s.URL+"/", colA)
	f.MaxBytes = 10 << 10
	r, _ := mustPull(t, c, f, nil)
	asked, pages = 0, 1000
	_, err := c.Pull(t.Context(), f, r.State, new(got).yield)
	if err == nil || !strings.Contains(err.Error(), "10240 bytes") || asked > 11 {
		t.Errorf("%d pages of nothing new were had, error %v", asked, err)
	}
}

// TestTAXIIRestOfDate wants it to be told that more has one date than a page of a
// server without tokens can hold: there is no way to ask for the rest.
func TestTAXIIRestOfDate(t *testing.T) {
	m, s := newTAXII(t, 0)
	m.next = nil
	m.add(4, func(int) time.Time { return now })
	m.add(2, func(int) time.Time { return now.Add(time.Hour) })
	r, g := mustPull(t, client(t, Config{}), taxiiFeed(s.URL+"/api1/", colA), nil)
	have := map[string]int{}
	stixIDs(t, have, g)
	if len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0], now.Format(added)) || len(have) != 5 {
		t.Errorf("%d objects, %q", len(have), r.Skipped)
	}
}
