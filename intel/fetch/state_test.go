package fetch

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

func TestState(t *testing.T) {
	of := place(feed(fact.TransportHTTP, "https://bad.example/list"))
	s := state{Version: stateVersion, Place: of, ETag: `"x"`, Modified: "Mon, 02 Mar 2026 10:00:00 GMT", After: "2026-03-04T05:06:07Z", Collection: "c",
		Files: map[string]mark{"a": {Size: 1, Time: 2, Inode: 3, Hash: "h", Fresh: true}}, Events: map[string]int64{event1: 5}, Members: map[string][]byte{event1: []byte("0123456789abcdef")}, Had: []byte("01234567")}
	if again, known := decodeState(s.encode(), of); !known || !reflect.DeepEqual(again, s) {
		t.Errorf("%+v came back as %+v", s, again)
	}
	fresh := state{Version: stateVersion, Place: of}
	for _, text := range []string{
		"", "{", "null", "[]", "7", `{"v":2,"place":"` + of + `"}`, `{"v":1,"place":"other"}`, `{"v":1,"place":"` + of + `","events":[]}`,
		`{"v":1,"place":"` + of + `","after":"yesterday"}`,
	} {
		if have, known := decodeState([]byte(text), of); known || !reflect.DeepEqual(have, fresh) {
			t.Errorf("%s: %+v", text, have)
		}
	}
	// What would not survive as a header is dropped.
	have, _ := decodeState([]byte(`{"v":1,"place":"`+of+`","etag":"a\r\nX: y","modified":"`+strings.Repeat("x", 2000)+`"}`), of)
	if have.ETag != "" || have.Modified != "" {
		t.Errorf("%+v", have)
	}
	// So is what cannot be a list of hashes or UUIDs, or is of no use.
	for _, text := range []string{`"after":"2026-03-04T05:06:07Z","had":"AAAA"`, `"had":"AAAAAAAAAAA="`, `"members":{"` + event1 + `":"AAAA"}`} {
		have, known := decodeState([]byte(`{"v":1,"place":"`+of+`",`+text+`}`), of)
		if !known || have.Had != nil || have.Members != nil {
			t.Errorf("%s: %v %+v", text, known, have)
		}
	}
}

func TestPlace(t *testing.T) {
	seen := map[string]int{}
	for i, f := range []*fact.Feed{
		{Transport: "http", URL: "a"}, {Transport: "misp", URL: "a"}, {Transport: "file", File: "a"}, {Transport: "http", URL: "ab"},
		{Transport: "taxii", URL: "a", Collection: "b"}, {Transport: "taxii", URL: "a b"}, {Transport: "taxii", URL: "a", Collection: "c"},
		{Transport: "taxii", URL: "a", File: "b"},
	} {
		if j, ok := seen[place(f)]; ok {
			t.Errorf("feeds %d and %d are one place", i, j)
		}
		seen[place(f)] = i
	}
}

func FuzzState(f *testing.F) {
	of := place(feed(fact.TransportHTTP, "https://bad.example/list"))
	f.Add([]byte(`{"v":1,"place":"` + of + `","etag":"\"x\"","after":"2026-03-04T05:06:07Z","events":{"a":1},"files":{"x":{"size":1}}}`))
	f.Add([]byte(`{"v":1,"place":"` + of + `","after":"9999-12-31T23:59:60Z"}`))
	f.Add([]byte(`{"v":1,"place":"` + of + `","after":"2026-03-04T05:06:07Z","had":"AAAAAAAAAAA=","members":{"a":"AAAAAAAAAAAAAAAAAAAAAA=="}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, known := decodeState(text, of)
		if s.Place != of || s.Version != stateVersion {
			t.Errorf("%q gives %+v", text, s)
		}
		if !known && !reflect.DeepEqual(s, state{Version: stateVersion, Place: of}) {
			t.Errorf("%q is not known and gives %+v", text, s)
		}
		if strings.ContainsAny(s.ETag+s.Modified, "\r\n\x00") {
			t.Errorf("%q would break a header", text)
		}
		if again, known2 := decodeState(s.encode(), of); !known2 || again.After != s.After || again.ETag != s.ETag || len(again.Events) != len(s.Events) ||
			!bytes.Equal(again.Had, s.Had) || len(again.Members) != len(s.Members) {
			t.Errorf("%+v came back as %+v", s, again)
		}
	})
}
