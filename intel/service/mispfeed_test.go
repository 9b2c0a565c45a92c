package service

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// mispServer serves a MISP feed of one event, and of one more that never changes where
// the other is secret.
type mispServer struct {
	secret bool
	mu     sync.Mutex
	stamp  int
	values []string
	gets   int // of the event
}

const (
	eventID  = "5f0a1c1e-0000-4000-8000-000000000001"
	secretID = "5f0a1c1e-0000-4000-8000-000000000002"
)

func (m *mispServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var text string
	switch r.URL.Path {
	case "/feed/manifest.json":
		text = fmt.Sprintf(`{%q:{"info":"Acme","timestamp":"%d","date":"2026-01-01","threat_level_id":"2","analysis":"2"}}`, eventID, m.stamp)
		if m.secret {
			text = text[:len(text)-1] + fmt.Sprintf(`,%q:{"info":"Red","timestamp":"1767225600","date":"2026-01-01"}}`, secretID)
		}
	case "/feed/" + secretID + ".json":
		text = fmt.Sprintf(`{"Event":{"uuid":%q,"info":"Red","timestamp":"1767225600","date":"2026-01-01","Tag":[{"name":"tlp:red"}],"Attribute":[
{"uuid":"5f0a1c1e-0000-4000-9001-000000000001","type":"domain","category":"Network activity","value":"red.example","to_ids":true,"timestamp":"1767225600"}]}}`, secretID)
	case "/feed/" + eventID + ".json":
		m.gets++
		var list []string
		for _, v := range m.values {
			list = append(list, fmt.Sprintf(`{"uuid":"5f0a1c1e-0000-4000-9000-%012d","type":"domain","category":"Network activity","value":%q,"to_ids":true,"timestamp":"1767225600"}`, v[3]-'0', v))
		}
		text = fmt.Sprintf(`{"Event":{"uuid":%q,"info":"Acme","timestamp":"%d","date":"2026-01-01","Attribute":[%s]}}`, eventID, m.stamp, strings.Join(list, ","))
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	_, _ = w.Write([]byte(text))
}

// TestEndToEndMISP wants an attribute that was taken out of an event to go with the
// next pull, and the event to be had whole again once.
func TestEndToEndMISP(t *testing.T) {
	place := &mispServer{stamp: 1767225600, values: []string{"bad1.example", "bad2.example"}}
	server := httptest.NewServer(place)
	defer server.Close()
	f := fact.DefaultFeed()
	f.Name, f.URL, f.AllowPrivate, f.Transport = "misp", server.URL+"/feed/", true, fact.TransportMISP
	cfg, dir := DefaultConfig(), t.TempDir()
	cfg.Feeds = []fact.Feed{f}
	for _, x := range []struct {
		name  string
		whole time.Duration
		move  func()
		want  string
		gets  int
	}{
		{"first", time.Hour, func() {}, "bad1.example bad2.example", 1},
		{"same", time.Hour, func() {}, "bad1.example bad2.example", 1},
		{"changed", time.Hour, func() { place.stamp++; place.values = []string{"bad2.example", "bad3.example"} }, "bad2.example bad3.example", 2},
		{"not due", time.Hour, func() {}, "bad2.example bad3.example", 2},
		{"whole", time.Nanosecond, func() {}, "bad2.example bad3.example", 3},
		{"nothing owed", time.Nanosecond, func() {}, "bad2.example bad3.example", 3},
	} {
		x.move()
		cfg.WholeEvery = x.whole
		var log bytes.Buffer
		s, pub := onDisk(t, dir, cfg, &log)
		if _, _, err := s.PullOnce(t.Context(), "misp"); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		list, err := values(t.Context(), pub.lib)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(strings.Join(list, " "), "misp ", ""); got != x.want {
			t.Errorf("%s: %q count, want %q", x.name, got, x.want)
		}
		if place.gets != x.gets {
			t.Errorf("%s: the event was got %d times, want %d", x.name, place.gets, x.gets)
		}
	}
}

// TestRefusalsStand: what was refused of an event stays listed while the event is as it
// was, however often others are pulled, and goes with it.
func TestRefusalsStand(t *testing.T) {
	place := &mispServer{secret: true, stamp: 1767225600, values: []string{"bad1.example", "nonsense, sp@ce"}}
	server := httptest.NewServer(place)
	defer server.Close()
	f := fact.DefaultFeed()
	f.Name, f.URL, f.AllowPrivate, f.Transport = "misp", server.URL+"/feed/", true, fact.TransportMISP
	cfg, dir := DefaultConfig(), t.TempDir()
	cfg.Feeds = []fact.Feed{f}
	for _, x := range []struct {
		name string
		move func()
		want string
	}{
		{"first", func() {}, "nonsense, sp@ce|red.example"},
		{"not modified", func() {}, "nonsense, sp@ce|red.example"},
		{"the other was mended", func() { place.stamp++; place.values = []string{"bad1.example"} }, "red.example"},
		{"the other changed", func() { place.stamp++; place.values = []string{"bad1.example", "bad2.example"} }, "red.example"},
		{"the other is bad again", func() { place.stamp++; place.values = []string{"bad1.example", "more, n@nsense"} }, "more, n@nsense|red.example"},
		{"gone", func() { place.secret, place.stamp = false, place.stamp+1 }, "more, n@nsense"},
	} {
		x.move()
		var log bytes.Buffer
		s, pub := onDisk(t, dir, cfg, &log)
		if _, _, err := s.PullOnce(t.Context(), "misp"); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		var list []string
		total := 0
		if err := pub.lib.Refusals("misp", func(r fact.Refusal) error {
			if total++; !strings.HasPrefix(r.Value, "misp-event--") { // the event itself is as secret
				list = append(list, r.Value)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		st, err := pub.lib.Status("misp")
		if got := strings.Join(list, "|"); err != nil || got != x.want || st.LastReport.Refused != total || len(st.LastReport.Refusals) != total {
			t.Errorf("%s: refused are %q, want %q; %+v, %v", x.name, got, x.want, st.LastReport, err)
		}
	}
}
