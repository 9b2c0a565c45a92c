package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/interdict/interdict/intel/fact"
)

// attributeID gives the UUID of a made-up attribute.
func attributeID(n int) string { return fmt.Sprintf("5f0a1c1e-0000-4000-9000-%012d", n) }

// attributedServer is a MISP feed of events with attributes, by their numbers.
type attributedServer struct {
	events map[string][]int
	stamps map[string]int
	broken map[string]bool
}

func (m *attributedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "manifest.json" {
		entries := map[string]any{}
		for id := range m.events {
			entries[id] = map[string]any{"timestamp": fmt.Sprint(m.stamps[id])}
		}
		json.NewEncoder(w).Encode(entries)
		return
	}
	id := strings.TrimSuffix(name, ".json")
	if m.broken[id] {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var alone, grouped []string
	for _, n := range m.events[id] {
		text := fmt.Sprintf(`{"uuid":%q,"type":"domain","value":"bad%d.example","ShadowAttribute":[{"uuid":%q}]}`, attributeID(n), n, event3)
		if n%2 == 0 {
			alone = append(alone, text)
		} else {
			grouped = append(grouped, text)
		}
	}
	fmt.Fprintf(w, `{"Event":{"uuid":%q,"Orgc":{"uuid":%q},"Attribute":[%s],"Object":[{"uuid":%q,"Attribute":[%s]}]}}`,
		id, event3, strings.Join(alone, ","), event3, strings.Join(grouped, ","))
}

// removed lists the numbers of the attributes that a pull takes back, each time it does.
func removed(t *testing.T, g *got) (list []int) {
	t.Helper()
	for i, p := range g.parts {
		if p.Name != "removal" {
			continue
		}
		var text struct {
			Response struct {
				Attribute []struct{ UUID, Type, Value, Timestamp string }
			}
		}
		if err := json.Unmarshal([]byte(g.texts[i]), &text); err != nil || p.Format != fact.FormatMISP {
			t.Fatal(err, p)
		}
		for _, a := range text.Response.Attribute {
			var n int
			if _, err := fmt.Sscanf(a.UUID, "5f0a1c1e-0000-4000-9000-%d", &n); err != nil || a.Type+a.Value != "" || a.Timestamp != fmt.Sprint(now.Add(24*time.Hour).Unix()) {
				t.Errorf("%+v: %v", a, err)
			}
			list = append(list, n)
		}
	}
	return list
}

// TestMISPRemoval wants what an event no longer has to be taken back by the next pull,
// which gets the changed events only, unless another event has it.
func TestMISPRemoval(t *testing.T) {
	m := &attributedServer{events: map[string][]int{event1: {1, 2, 3}, event2: {4, 5}}, stamps: map[string]int{event1: 1, event2: 1}}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return now }}), feed(fact.TransportMISP, s.URL)
	var state []byte
	for _, x := range []struct {
		name    string
		do      func()
		parts   string
		removed []int
	}{
		{"first", func() {}, event1 + " " + event2, nil},
		{"same", func() {}, "", nil},
		{"one of an object", func() { m.stamps[event1]++; m.events[event1] = []int{1, 2} }, event1 + " removal", []int{3}},
		{"one of none", func() { m.stamps[event1]++; m.events[event1] = []int{1} }, event1 + " removal", []int{2}},
		{"more", func() { m.stamps[event1]++; m.events[event1] = []int{1, 2} }, event1, nil},
		{"an event", func() { delete(m.events, event2) }, "removal", []int{4, 5}},
		{"an event again as it was", func() { m.events[event2] = []int{4, 5} }, event2, nil},
		{"to another event", func() {
			m.stamps[event1]++
			m.stamps[event2]++
			m.events[event1], m.events[event2] = []int{1, 2, 4}, []int{5}
		}, event2 + " " + event1, nil},
		{"all of one", func() { m.stamps[event2]++; m.events[event2] = nil }, event2 + " removal", []int{5}},
	} {
		x.do()
		r, g := mustPull(t, c, f, state)
		state = r.State
		if g.names() != x.parts || !slices.Equal(removed(t, g), x.removed) {
			t.Errorf("%s: the parts %s take back %v, want %s and %v", x.name, g.names(), removed(t, g), x.parts, x.removed)
		}
	}
}

// TestMISPRemovalInterrupted wants a removal that could not be told of to be told of
// by the next pull.
func TestMISPRemovalInterrupted(t *testing.T) {
	mine := errors.New("the disk is full")
	for _, k := range []struct {
		name  string
		fails string // event of the server's, or part of ours
	}{{"the server", event2}, {"the caller", "removal"}, {"the caller in the event", event1}} {
		m := &attributedServer{events: map[string][]int{event1: {1, 2}, event2: {3}, event3: {4}}, stamps: map[string]int{event1: 1, event2: 2, event3: 1}}
		s := serve(t, m.ServeHTTP)
		c, f := client(t, Config{Now: func() time.Time { return now }}), feed(fact.TransportMISP, s.URL)
		r, _ := mustPull(t, c, f, nil)
		m.events[event1], m.stamps[event1], m.stamps[event2] = []int{1}, 3, 4
		delete(m.events, event3)
		m.broken = map[string]bool{k.fails: true}
		r, err := c.Pull(t.Context(), f, r.State, func(p fact.Part, _ io.Reader) error {
			if p.Name == k.fails {
				return mine
			}
			return nil
		})
		if err == nil {
			t.Fatalf("%s: no error", k.name)
		}
		m.broken = nil
		r, g := mustPull(t, c, f, r.State)
		if !slices.Equal(removed(t, g), []int{2, 4}) || !slices.Equal(r.Gone, []string{event3}) {
			t.Errorf("%s: %s takes back %v, gone are %v", k.name, g.names(), removed(t, g), r.Gone)
		}
	}
}

// TestMISPRemovalOfMost wants a folder that has suddenly lost most of what it had not
// to be believed at once.
func TestMISPRemovalOfMost(t *testing.T) {
	var many []int
	for n := range 200 {
		many = append(many, n)
	}
	for _, k := range []struct {
		shrink uint8
		left   int
		want   int
	}{{90, 15, 0}, {90, 20, 180}, {0, 0, 200}, {100, 0, 200}, {50, 99, 0}} {
		m := &attributedServer{events: map[string][]int{event1: many[:100], event2: many[100:]}, stamps: map[string]int{event1: 1, event2: 1}}
		s := serve(t, m.ServeHTTP)
		c, f := client(t, Config{Now: func() time.Time { return now }}), feed(fact.TransportMISP, s.URL)
		f.MaxShrink = k.shrink
		r, _ := mustPull(t, c, f, nil)
		delete(m.events, event2)
		m.events[event1], m.stamps[event1] = many[:k.left], 2
		r, g := mustPull(t, c, f, r.State)
		if n := len(removed(t, g)); n != k.want || (len(r.Skipped) > 0) != (k.want == 0) || !r.Whole || !slices.Equal(r.Gone, []string{event2}) {
			t.Errorf("%+v: %d are taken back, %+v", k, n, r.Skipped)
		}
	}
}

// TestMISPOldState wants a state of an earlier version, which knows no attributes, to
// be gone on from.
func TestMISPOldState(t *testing.T) {
	m := &attributedServer{events: map[string][]int{event1: {1, 2}, event2: {3}}, stamps: map[string]int{event1: 1, event2: 1}}
	s := serve(t, m.ServeHTTP)
	c, f := client(t, Config{Now: func() time.Time { return now }}), feed(fact.TransportMISP, s.URL)
	old := fmt.Sprintf(`{"v":1,"place":%q,"events":{%q:1,%q:1}}`, place(f), event1, event2)
	m.events[event1], m.stamps[event1] = []int{1}, 2
	r, g := mustPull(t, c, f, []byte(old))
	if g.names() != event1 || r.Full || !r.Whole {
		t.Errorf("%s: %+v", g.names(), r)
	}
	m.events[event1], m.stamps[event1] = nil, 3
	if _, g = mustPull(t, c, f, r.State); !slices.Equal(removed(t, g), []int{1}) {
		t.Errorf("%s takes back %v", g.names(), removed(t, g))
	}
}

// TestMembershipBound wants what is remembered to stay within its bound, at the cost of
// what changed longest ago.
func TestMembershipBound(t *testing.T) {
	third := make([]byte, maxMembers/3*uuidBytes)
	m := newMembership(nil, []string{"a", "b", "c", "d"})
	for _, id := range []string{"a", "b", "c"} {
		m.set(id, third)
	}
	if len(m.of) != 3 {
		t.Errorf("%v", slices.Sorted(maps.Keys(m.of)))
	}
	m.set("d", third)
	m.set("c", nil)
	if have := slices.Sorted(maps.Keys(m.of)); !slices.Equal(have, []string{"b", "d"}) || m.total != 2*len(third) {
		t.Errorf("%v, %d bytes", have, m.total)
	}
	m.set("e", make([]byte, 2*maxMembers*uuidBytes))
	if len(m.of["d"]) != 0 {
		t.Error("nothing was forgotten")
	}
}

// FuzzMembers compares with a reader of JSON that keeps everything.
func FuzzMembers(f *testing.F) {
	one := `"uuid":"` + event1 + `"`
	for _, text := range []string{
		`{"Event":{` + one + `,"Attribute":[{` + one + `,"value":"a\"b"},{"uuid":"x"}],"Object":[{"Attribute":[{"x":[{` + one + `}],"uuid":"` + strings.ToUpper(event2) + `"}]}]}}`,
		`{"response":[{"Event":{"Attribute":[{` + one + `}]}}]}`, `[[{` + one + `}]]`, `{"Attribute":{` + one + `}}`, `{"Attribute":[[{` + one + `}]]}`,
		`{"Attribute":[{"a":{"uuid":1},` + one + `}]}`, `{"Attribute":"[{`, `]]]]{"Attribute":[{` + one, strings.Repeat("[", 40) + `{"Attribute":[{` + one,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, split members
		m.Write(text)
		for i := range text { // the cuts between writes must not matter
			split.Write(text[i : i+1])
		}
		if !bytes.Equal(m.uuids, split.uuids) || len(m.kept) > 64 {
			t.Errorf("%q: %x, and %x byte by byte", text, m.uuids, split.uuids)
		}
		var all any
		if bytes.ContainsRune(text, '\\') || json.Unmarshal(text, &all) != nil {
			return
		}
		have, want := map[string]bool{}, map[string]bool{}
		each(m.uuids, func(u [uuidBytes]byte) { have[uuid.UUID(u).String()] = true })
		attributes(all, 1, want)
		for id := range want {
			if !have[id] { // of a name that comes twice a reader keeps the last only
				t.Errorf("%q: %s is missing", text, id)
			}
		}
	})
}

// attributes finds the UUIDs of attributes in a document.
func attributes(in any, depth int, into map[string]bool) {
	if depth > deepest-2 {
		return
	}
	switch v := in.(type) {
	case []any:
		for _, e := range v {
			attributes(e, depth+1, into)
		}
	case map[string]any:
		for name, e := range v {
			attributes(e, depth+1, into)
			list, _ := e.([]any)
			for _, a := range list {
				if a, ok := a.(map[string]any); ok && name == "Attribute" {
					if id, ok := a["uuid"].(string); ok && isUUID(id) {
						into[strings.ToLower(id)] = true
					}
				}
			}
		}
	}
}

// BenchmarkMembers is the price of watching an event go by.
func BenchmarkMembers(b *testing.B) {
	event := []byte(`{"Event":{"Attribute":[` + strings.Repeat(`{"uuid":"`+event1+`","type":"domain","category":"Network activity","value":"bad.example","to_ids":true},`, 10_000) + `{}]}}`)
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		var m members
		if m.Write(event); len(m.uuids) != 10_000*uuidBytes {
			b.Fatal(len(m.uuids))
		}
	}
}
