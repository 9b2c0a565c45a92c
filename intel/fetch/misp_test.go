package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

// Made-up events, in the order of their ids.
const (
	event1 = "11111111-1111-4111-8111-111111111111"
	event2 = "22222222-2222-4222-8222-222222222222"
	event3 = "33333333-3333-4333-8333-333333333333"
)

// mispServer is a folder of a MISP feed.
type mispServer struct {
	events map[string]string // uuid -> timestamp
	broken map[string]int    // uuid -> status
	asked  []string
	etags  bool
}

func (m *mispServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/feed/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	m.asked = append(m.asked, name)
	if name == "manifest.json" {
		entries := map[string]any{}
		for id, t := range m.events {
			entries[id] = map[string]any{"timestamp": t, "info": "made up", "Orgc": map[string]string{"name": "acme"}, "Tag": []any{}}
		}
		text, _ := json.Marshal(entries)
		if m.etags {
			tag := fmt.Sprintf(`"%s"`, hashed(string(text)))
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.Write(text)
		return
	}
	id := strings.TrimSuffix(name, ".json")
	if status := m.broken[id]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if t, ok := m.events[id]; ok {
		io.WriteString(w, id[:1]+"@"+t)
		return
	}
	http.NotFound(w, r)
}

func TestMISP(t *testing.T) {
	m := &mispServer{events: map[string]string{event1: "300", event2: "100", event3: "200"}}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{}), feed(fact.TransportMISP, s.URL+"/feed")
	r, g := mustPull(t, c, f, nil)
	if r.Mode != fact.Update || !r.Full || !r.Whole || len(r.Gone) > 0 {
		t.Errorf("%+v", r)
	}
	if g.text() != "2@100|3@200|1@300" || g.names() != event2+" "+event3+" "+event1 || g.parts[0].Format != fact.FormatMISP {
		t.Errorf("%q %v", g.text(), g.parts)
	}
	m.asked = nil
	if r, _ := mustPull(t, c, f, r.State); !r.NotModified || len(m.asked) != 1 {
		t.Errorf("%+v after asking for %q", r, m.asked)
	}
	m.events[event3] = "400"
	delete(m.events, event1)
	r, g = mustPull(t, c, f, r.State)
	if g.text() != "3@400" || !slices.Equal(r.Gone, []string{event1}) || r.Full {
		t.Errorf("%q, %+v", g.text(), r)
	}
	m.events[event3] = "150" // back: it is another all the same
	m.etags = true
	f2 := *f
	f2.URL = s.URL + "/feed"
	if r, g = mustPull(t, c, &f2, r.State); g.text() != "3@150" || len(r.Gone) > 0 {
		t.Errorf("%q, %+v", g.text(), r)
	}
	m.asked = nil
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified || len(m.asked) != 1 {
		t.Errorf("%+v after asking for %q", r, m.asked)
	}
	// Only an event that goes.
	delete(m.events, event2)
	if r, g = mustPull(t, c, f, r.State); r.NotModified || len(g.parts) > 0 || !slices.Equal(r.Gone, []string{event2}) {
		t.Errorf("%q, %+v", g.text(), r)
	}
	f.URL = s.URL + "/feed/manifest.json" // the manifest's own URL is as good, and another place
	if r, g = mustPull(t, c, f, r.State); g.text() != "3@150" || !r.Full {
		t.Errorf("%q, %+v", g.text(), r)
	}
}

// TestMISPInterrupted wants what was had to be kept, and only that.
func TestMISPInterrupted(t *testing.T) {
	m := &mispServer{events: map[string]string{event1: "300", event2: "100", event3: "200"}, broken: map[string]int{event3: 503}, etags: true}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{}), feed(fact.TransportMISP, s.URL+"/feed/")
	g := &got{}
	r, err := c.Pull(t.Context(), f, nil, g.yield)
	wantError(t, err, event3+".json", "503")
	if g.text() != "2@100" || r.State == nil || r.NotModified {
		t.Errorf("%q %+v", g.text(), r)
	}
	m.broken = nil
	mine := errors.New("the disk is full")
	r, err = c.Pull(t.Context(), f, r.State, func(p fact.Part, _ io.Reader) error {
		if p.Name == event1 {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) {
		t.Fatal(err)
	}
	r, g = mustPull(t, c, f, r.State)
	if g.text() != "1@300" {
		t.Errorf("got %q", g.text())
	}
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified {
		t.Errorf("%+v", r)
	}
}

// TestMISPAbsent wants an event that is not there to hold up no other.
func TestMISPAbsent(t *testing.T) {
	m := &mispServer{events: map[string]string{event1: "300", event2: "100"}, broken: map[string]int{event2: 404}, etags: true}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{}), feed(fact.TransportMISP, s.URL+"/feed/")
	r, g := mustPull(t, c, f, nil)
	if g.text() != "1@300" || len(r.Skipped) != 1 || !strings.HasPrefix(r.Skipped[0], event2+": ") {
		t.Errorf("%q %+v", g.text(), r)
	}
	r, g = mustPull(t, c, f, r.State)
	if !r.NotModified || len(r.Skipped) != 1 {
		t.Errorf("%q %+v", g.text(), r)
	}
	m.broken = nil
	if _, g = mustPull(t, c, f, r.State); g.text() != "2@100" {
		t.Errorf("got %q", g.text())
	}
	m.broken = map[string]int{event1: 404, event2: 410}
	failPull(t, c, f, nil, "none of the 2 events of the manifest is there")
}

func TestMISPFails(t *testing.T) {
	s := serve(t, http.NotFound)
	c, f := client(t, Config{MaxIndex: 1000}), feed(fact.TransportMISP, s.URL)
	for text, want := range map[string]string{
		"":                                       "EOF",
		"<html>":                                 "invalid character",
		`"x"`:                                    "no object of events",
		`[{}]`:                                   "no object of events",
		`{"../../etc/passwd":{"timestamp":"1"}}`: "no UUID",
		`{"` + event1 + `":{"timestamp":"1"}`:    "EOF",
		`{"` + event1 + `":{"timestamp":"soon"}}`: "no number of seconds",
		`{"` + event1 + `":{"timestamp":null}}`:   "no timestamp",
		`{"` + event1 + `":{}}`:                   "no timestamp",
		`{"` + event1 + `":[]}`:                   "cannot unmarshal",
		`{} {}`:                                   "behind the manifest",
		`{"` + strings.Repeat("x", 2000) + `":1}`: "more than the largest manifest, 1000 bytes",
	} {
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
		failPull(t, c, f, nil, "/manifest.json", want)
	}
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "[]") })
	if r, _ := mustPull(t, c, f, nil); !r.NotModified {
		t.Errorf("an empty manifest: %+v", r)
	}
}

func FuzzManifest(f *testing.F) {
	for _, text := range []string{`{}`, `[]`, `{"` + event1 + `":{"timestamp":"1700000000","info":"x"},"` + event2 + `":{"timestamp":5}}`,
		`{"` + event1 + `":{"timestamp":`, `{"x":{}}`, "\x00", `{} x`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := decodeManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Errorf("%q is no JSON and was taken", text)
		}
		for id := range events {
			if !isUUID(id) || strings.ContainsAny(id, "/.\\%") {
				t.Errorf("%q would become a path", id)
			}
		}
	})
}
