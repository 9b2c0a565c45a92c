package upload

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"unicode/utf8"
)

// FuzzBody compares the decoder with a decoding of the whole text at once.
func FuzzBody(f *testing.F) {
	text, err := os.ReadFile("testdata/requests.json")
	if err != nil {
		f.Fatal(err)
	}
	var cases []struct{ Body string }
	if err := json.Unmarshal(text, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		if len(c.Body) < 8<<10 {
			f.Add([]byte(c.Body))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode(text)
		if err != nil {
			return
		}
		if len(r.objects) < 1 || len(r.objects) > maxObjects || r.source == "" {
			t.Fatalf("%d objects of %q passed", len(r.objects), r.source)
		}
		var all struct {
			SourceSystem string
			StixObjects  []json.RawMessage
		}
		if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &all); err != nil {
			t.Fatalf("passed, and is no JSON: %v", err)
		}
		if all.SourceSystem != r.source || len(all.StixObjects) != len(r.objects) {
			t.Fatalf("read %q and %d objects, want %q and %d", r.source, len(r.objects), all.SourceSystem, len(all.StixObjects))
		}
		for i, o := range r.objects {
			if !bytes.Equal(o, all.StixObjects[i]) {
				t.Fatalf("object %d is %q, want %q", i, o, all.StixObjects[i])
			}
		}
	})
}

// FuzzObject wants what passes to have what the contract requires, and what does
// not to be told why, in text that can be sent.
func FuzzObject(f *testing.F) {
	f.Add([]byte(indicator(1, "[domain-name:value = 'bad.example']")))
	f.Add([]byte(`{"type":"relationship","id":"relationship--00000000-0000-4000-8000-000000000001","confidence":1e2}`))
	f.Add([]byte(`{"type":null,"confidence":1e400,"labels":[1],"created":"\u0000"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) {
			return // the decoder of the body lets none through
		}
		faults := inspect(raw)
		if len(faults) > maxMessages {
			t.Fatalf("%d faults of one object", len(faults))
		}
		for _, m := range faults {
			if !utf8.ValidString(m) || len(m) > 400 {
				t.Fatalf("fault %q", m)
			}
		}
		if len(faults) > 0 {
			return
		}
		var o map[string]any
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"type", "id", "created", "modified"} {
			if s, _ := o[name].(string); s == "" {
				t.Fatalf("passed without %s", name)
			}
		}
	})
}
