package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// taxiiServer is a TAXII server of one API root. Its collections are listed by the
// test; all of them have the same objects.
type taxiiServer struct {
	list    string   // collections, as JSON
	ids     []string // objects
	dates   []time.Time
	perPage int
	next    func(at int) string // the token for what begins at an object; nil: no tokens
	dateless,
	backwards,
	unsorted bool
	fail  int // status of the page that is asked for as the failAt-th
	at    int
	asked []string // queries of pages
	typ   string
}

const (
	colA = "aaaaaaaa-1111-4111-8111-111111111111"
	colB = "bbbbbbbb-1111-4111-8111-111111111111"
)

func newTAXII(t *testing.T, objects int) (*taxiiServer, *httptest.Server) {
	m := &taxiiServer{perPage: 3, typ: taxiiType + ";version=2.1"}
	m.list = `[{"id":"` + colA + `","title":"indicators","can_read":true,"can_write":false},{"id":"` + colB + `","title":"drop box","can_read":false,"can_write":true}]`
	m.next = func(at int) string { return "from " + strconv.Itoa(at) + " & on" }
	m.add(objects, func(i int) time.Time { return now.Add(time.Duration(i) * time.Millisecond) })
	return m, serve(t, m.ServeHTTP)
}

func (m *taxiiServer) add(n int, date func(i int) time.Time) {
	for range n {
		i := len(m.ids)
		m.ids, m.dates = append(m.ids, fmt.Sprintf("indicator--%08d-0000-4000-8000-000000000000", i)), append(m.dates, date(i))
	}
}

func (m *taxiiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Accept") != "application/taxii+json;version=2.1" {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	w.Header().Set("Content-Type", m.typ)
	switch r.URL.Path {
	case "/taxii2/":
		fmt.Fprintf(w, `{"title":"acme","default":"/api1/","api_roots":["http://%s/api1/"]}`, r.Host)
	case "/api1/":
		io.WriteString(w, `{"title":"root","versions":["application/taxii+json;version=2.1"],"max_content_length":1000}`)
	case "/api1/collections/":
		io.WriteString(w, `{"collections":`+m.list+`}`)
	case "/api1/collections/" + colA + "/objects/", "/api1/collections/" + colB + "/objects/":
		m.page(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (m *taxiiServer) page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	m.asked = append(m.asked, r.URL.RawQuery)
	if m.fail != 0 && len(m.asked) == m.at {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(m.fail)
		return
	}
	var hits []int
	for i, d := range m.dates {
		after, err := parseAdded(q.Get("added_after"))
		if q.Get("added_after") == "" || err == nil && d.After(after) {
			hits = append(hits, i)
		}
	}
	if !m.unsorted {
		slices.SortStableFunc(hits, func(a, b int) int { return m.dates[a].Compare(m.dates[b]) })
	}
	if m.backwards {
		slices.Reverse(hits)
	}
	begin := 0
	if token := q.Get("next"); token != "" {
		fmt.Sscanf(token, "from %d", &begin)
	}
	hits = hits[min(begin, len(hits)):]
	limit, _ := strconv.Atoi(q.Get("limit"))
	n := min(len(hits), m.perPage, limit)
	out := map[string]any{}
	if n > 0 {
		var objects []any
		for _, i := range hits[:n] {
			objects = append(objects, map[string]any{"type": "indicator", "id": m.ids[i], "more": true, "next": "}\"\\", "x": []any{1, "]", map[string]any{}}})
		}
		out["objects"] = objects
		if !m.dateless {
			w.Header().Set("X-TAXII-Date-Added-First", m.dates[hits[0]].Format(added))
			w.Header().Set("X-TAXII-Date-Added-Last", m.dates[hits[n-1]].Format(added))
		}
	}
	if n < len(hits) {
		out["more"] = true
		if m.next != nil {
			out["next"] = m.next(begin + n)
		}
	}
	json.NewEncoder(w).Encode(out)
}

// stixIDs counts the ids of objects in the parts of a pull.
func stixIDs(t *testing.T, into map[string]int, g *got) {
	t.Helper()
	for _, text := range g.texts {
		var e struct {
			Objects []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		for _, o := range e.Objects {
			into[o.ID]++
		}
	}
}

// once wants each id exactly once.
func once(t *testing.T, g *got, ids []string) {
	t.Helper()
	have := map[string]int{}
	stixIDs(t, have, g)
	for _, id := range ids {
		if have[id] != 1 {
			t.Errorf("%s was had %d times", id, have[id])
		}
		delete(have, id)
	}
	for id := range have {
		t.Errorf("%s was had and is not there", id)
	}
}

func taxiiFeed(url, collection string) *fact.Feed {
	f := feed(fact.TransportTAXII, url)
	f.Collection = collection
	return f
}

func TestTAXII(t *testing.T) {
	m, s := newTAXII(t, 10)
	c := client(t, Config{PageSize: 5})
	for _, place := range []struct{ url, name string }{
		{"/taxii2/", colA}, {"/taxii2/", "indicators"}, {"/api1/", colA}, {"/api1", strings.ToUpper(colA)}, {"/api1/", "indicators"},
	} {
		if place.url == "/api1" { // a server that wants the slash says so
			continue
		}
		m.asked = nil
		f := taxiiFeed(s.URL+place.url, place.name)
		r, g := mustPull(t, c, f, nil)
		once(t, g, m.ids)
		if r.Mode != fact.Update || !r.Full || len(m.asked) != 4 || g.parts[3].Format != fact.FormatSTIX || g.parts[3].Name != "page 4" {
			t.Errorf("%v: %+v %v after %q", place, r, g.parts, m.asked)
		}
		if want := "limit=5&next=from+3+%26+on"; m.asked[1] != want {
			t.Errorf("asked for %q, want %q", m.asked[1], want)
		}
	}
	f := taxiiFeed(s.URL+"/taxii2/", "indicators")
	r, _ := mustPull(t, c, f, nil)
	m.asked = nil
	r, _ = mustPull(t, c, f, r.State)
	if !r.NotModified || r.Full || !slices.Equal(m.asked, []string{"added_after=2026-03-04T05%3A06%3A07.009000Z&limit=5"}) {
		t.Errorf("%+v after %q", r, m.asked)
	}
	before := len(m.ids)
	m.add(4, func(int) time.Time { return now.Add(time.Hour) })
	r, g := mustPull(t, c, f, r.State)
	once(t, g, m.ids[before:])
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified {
		t.Errorf("%+v", r)
	}
	// The title is given to another collection: that one begins from nothing.
	m.list = `[{"id":"` + colB + `","title":"indicators"}]`
	r, g = mustPull(t, c, f, r.State)
	once(t, g, m.ids)
	if !r.Full {
		t.Errorf("%+v", r)
	}
}

// TestTAXIIPages is about servers that turn pages in other ways.
func TestTAXIIPages(t *testing.T) {
	same := func(int) time.Time { return now }
	for _, k := range []struct {
		name   string
		change func(*taxiiServer)
		most   int    // times that an object may be had
		want   string // of the error
	}{
		{"no objects", func(m *taxiiServer) { m.ids, m.dates = nil, nil }, 1, ""},
		{"one date", func(m *taxiiServer) { m.ids, m.dates = nil, nil; m.add(10, same) }, 1, ""},
		{"no dates", func(m *taxiiServer) { m.dateless = true }, 1, ""},
		{"no tokens", func(m *taxiiServer) { m.next = nil }, 3, ""},
		{"no tokens and pages that end within a date", func(m *taxiiServer) {
			m.next, m.ids, m.dates = nil, nil, nil
			m.add(20, func(i int) time.Time { return now.Add(time.Duration(i/2) * time.Second) })
		}, 2, ""},
		{"no tokens and no dates", func(m *taxiiServer) { m.next, m.dateless = nil, true }, 0, "neither by"},
		{"no tokens and one object for ever", func(m *taxiiServer) { m.next, m.ids, m.dates = nil, nil, nil; m.add(1, same); m.perPage = 0 }, 0, "neither by"},
		{"tokens in a circle", func(m *taxiiServer) { m.next = func(at int) string { return "from " + strconv.Itoa(at%6) } }, 0, "round in a circle"},
		{"a token that leads to itself", func(m *taxiiServer) { m.next = func(int) string { return "from 3" } }, 0, "round in a circle"},
		{"more pages than bounded", func(m *taxiiServer) { m.perPage = 1; m.add(20, same) }, 0, "more than 12 pages"},
		{"backwards", func(m *taxiiServer) { m.backwards = true }, 1, ""},
		{"TAXII 2.0", func(m *taxiiServer) { m.typ = "application/vnd.oasis.taxii+json; version=2.0" }, 0, "only TAXII 2.1"},
		{"TAXII 2.2", func(m *taxiiServer) { m.typ = taxiiType + ";version=2.2" }, 0, "only TAXII 2.1"},
		{"HTML", func(m *taxiiServer) { m.typ = "text/html" }, 0, "text/html"},
		{"version not said", func(m *taxiiServer) { m.typ = taxiiType }, 1, ""},
		{"JSON", func(m *taxiiServer) { m.typ = "application/json; charset=utf-8" }, 1, ""},
		{"STIX", func(m *taxiiServer) { m.typ = "application/stix+json;version=2.1" }, 1, ""},
		{"two of a title", func(m *taxiiServer) { m.list = strings.ReplaceAll(m.list, "drop box", "indicators") }, 0, "2 collections have the title"},
		{"not to be read", func(m *taxiiServer) { m.list = strings.ReplaceAll(m.list, "true", "false") }, 0, "can_read is false"},
		{"not there", func(m *taxiiServer) { m.list = "[null]" }, 0, "no collection with the id or title"},
		{"no list", func(m *taxiiServer) { m.list = "7" }, 0, "no TAXII"},
		{"forbidden", func(m *taxiiServer) { m.fail, m.at = 403, 2 }, 0, "page 2"},
	} {
		t.Run(k.name, func(t *testing.T) {
			m, s := newTAXII(t, 10)
			k.change(m)
			f := taxiiFeed(s.URL+"/taxii2/", "indicators")
			c := client(t, Config{MaxPages: 12})
			if k.want != "" {
				_, err := failPull(t, c, f, nil, k.want)
				if !Permanent(err) {
					t.Errorf("%v is not permanent", err)
				}
				return
			}
			r, g := mustPull(t, c, f, nil)
			have := map[string]int{}
			stixIDs(t, have, g)
			for _, id := range m.ids {
				if have[id] < 1 || have[id] > k.most {
					t.Errorf("%s was had %d times", id, have[id])
				}
			}
			again, g := mustPull(t, c, f, r.State)
			if again.NotModified == m.dateless && len(m.ids) > 0 || again.Full != (m.dateless || len(m.ids) == 0) {
				t.Errorf("again: %+v %v", again, g.parts)
			}
		})
	}
}

// TestTAXIIInterrupted cuts a pull off at each page, by the server or by the caller,
// and wants the next one to bring what is missing, whatever the dates.
func TestTAXIIInterrupted(t *testing.T) {
	mine := errors.New("the disk is full")
	for name, date := range map[string]func(int) time.Time{
		"each its date":  func(i int) time.Time { return now.Add(time.Duration(i) * time.Minute) },
		"one date":       func(int) time.Time { return now },
		"dates of four":  func(i int) time.Time { return now.Add(time.Duration(i/4) * time.Second) },
		"dates of seven": func(i int) time.Time { return now.Add(time.Duration(i/7) * time.Microsecond) },
		"dates back":     func(i int) time.Time { return now.Add(-time.Duration(i) * time.Hour) },
	} {
		for _, backwards := range []bool{false, true} {
			for cut := 1; cut <= 7; cut++ {
				for _, server := range []bool{false, true} {
					m, s := newTAXII(t, 0)
					m.add(20, date)
					m.backwards = backwards
					c, f := client(t, Config{Now: func() time.Time { return now }}), taxiiFeed(s.URL+"/api1/", colA)
					g := &got{}
					if server {
						m.fail, m.at = 503, cut
					}
					r, err := c.Pull(t.Context(), f, nil, func(p fact.Part, body io.Reader) error {
						if !server && len(g.parts) == cut-1 {
							return mine
						}
						return g.yield(p, body)
					})
					if server {
						wantError(t, err, "503", fmt.Sprintf("page %d", cut))
						if at, _ := RetryAt(err); !at.Equal(now.Add(30 * time.Second)) {
							t.Errorf("again at %v", at)
						}
					} else if !errors.Is(err, mine) {
						t.Fatalf("%v", err)
					}
					m.fail = 0
					_, rest := mustPull(t, c, f, r.State)
					have := map[string]int{}
					stixIDs(t, have, g)
					stixIDs(t, have, rest)
					for _, id := range m.ids {
						if have[id] == 0 {
							t.Errorf("%s, backwards %v, cut at page %d by the server %v: %s is missing", name, backwards, cut, server, id)
						}
					}
					if name == "each its date" && !backwards && len(rest.texts) > 8-cut {
						t.Errorf("cut at page %d: %d more pages, it began anew", cut, len(rest.texts))
					}
				}
			}
		}
	}
}

// TestTAXIIUnsorted wants the cursor of a pull that is cut off to be given up once
// the dates were seen to go back.
func TestTAXIIUnsorted(t *testing.T) {
	for cut := 4; cut <= 5; cut++ {
		m, s := newTAXII(t, 0)
		m.unsorted, m.fail, m.at = true, 500, cut
		m.add(15, func(i int) time.Time { return now.Add(time.Duration(i%6-i/6*12) * time.Second) })
		c, f := client(t, Config{}), taxiiFeed(s.URL+"/api1/", colA)
		first := &got{}
		r, err := c.Pull(t.Context(), f, nil, first.yield)
		wantError(t, err, "500")
		m.fail = 0
		_, rest := mustPull(t, c, f, r.State)
		once(t, rest, m.ids)
	}
}

// TestTAXIIRoots is about discovery that names several API roots.
func TestTAXIIRoots(t *testing.T) {
	_, good := newTAXII(t, 2)
	answers := map[string]string{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType+";version=2.1")
		if text, ok := answers[r.URL.Path]; ok {
			io.WriteString(w, text)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	list := func(id, title string) string {
		return `{"collections":[{"id":"` + id + `","title":"` + title + `","can_read":true}]}`
	}
	discovery := func(roots ...string) string {
		text, _ := json.Marshal(map[string]any{"title": "acme", "api_roots": roots})
		return string(text)
	}
	f := taxiiFeed(s.URL+"/", "indicators")
	c := client(t, Config{})

	answers["/"], answers["/one/collections/"] = discovery("/one/", "/broken/", good.URL+"/api1/"), list(colB, "other")
	if _, g := mustPull(t, c, f, nil); len(g.texts) != 1 {
		t.Errorf("%d pages", len(g.texts))
	}
	answers["/one/collections/"] = list(colB, "indicators")
	failPull(t, c, f, nil, "2 collections have the title", colA, colB)
	f.Collection = "none"
	_, err := failPull(t, c, f, nil, `"none" is in none of the 2 API roots that answered`, "/broken/collections/: status 500")
	if Permanent(err) {
		t.Error("it is said to be permanent, and a server failed")
	}
	answers["/"] = discovery("ftp://bad.example/", "/one/")
	failPull(t, c, f, nil, "not usable", "want http or https")
	var many []string
	for i := range maxRoots + 1 {
		many = append(many, fmt.Sprintf("/r%d/", i))
	}
	answers["/"] = discovery(many...)
	failPull(t, c, f, nil, "33 API roots")
	answers["/"] = "{"
	failPull(t, c, f, nil, "no TAXII")
	answers["/"] = `{"x":"` + strings.Repeat("x", largestInfo) + `"}`
	failPull(t, c, f, nil, "the largest answer")
}

// TestTAXIICredentials wants them sent to the host of the feed's URL alone.
func TestTAXIICredentials(t *testing.T) {
	away := serveAt(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("another host is sent the token")
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType)
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"title":"acme","default":"%s/api/"}`, away.URL)
	})
	f := taxiiFeed(s.URL+"/taxii2/", colA)
	failPull(t, client(t, Config{}), f, nil, "status 401, the credentials are missing or wrong")
	f.Auth.TokenFile = write(t, t.TempDir(), "token", "t0ken")
	failPull(t, client(t, Config{}), f, nil, "credentials are sent to "+s.Listener.Addr().String()+" only")
}

func TestTAXIINotAcceptable(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotAcceptable) })
	failPull(t, client(t, Config{}), taxiiFeed(s.URL, "x"), nil, "does not speak TAXII 2.1")
}
