package schema_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// printed are the nouns that commands print, with every field set.
func printed() map[string]any {
	all := map[string]any{"match": &sampleAlert().Matches[0], "reject": &schema.Reject{Raw: 1, Doc: 2, Reason: schema.ReasonTooDeep,
		Detail: "depth 10000", Bytes: []byte("[[\xff")}}
	for _, n := range nouns() {
		switch n.name {
		case "Incident", "Member", "Link", "Path", "Decision", "Lease", "Action", "ActionResult", "LedgerEvent", "Asset", "Indicator", "Control":
			all[strings.ToLower(n.name)] = n.sample
		}
	}
	return all
}

func TestJSONGolden(t *testing.T) {
	for name, v := range printed() {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, filepath.Join("json", name+".json"), append(b, '\n'))
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for name, v := range printed() {
		if name == "reject" { // has the index of a record in a batch, which is for no one outside
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := json.Unmarshal(b, got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, v)
		}
		// By value as by pointer: an interface or a slice element must not lose the methods.
		if byValue, err := json.Marshal(reflect.ValueOf(v).Elem().Interface()); err != nil || !bytes.Equal(byValue, b) {
			t.Errorf("%s by value: %s, %v", name, byValue, err)
		}
	}
}

// TestJSONZeroTimes: what is not known is left out, not written as 1970.
func TestJSONZeroTimes(t *testing.T) {
	for name, v := range printed() {
		zero := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		b, err := json.Marshal(zero)
		if err != nil || bytes.Contains(b, []byte("1970")) || bytes.Contains(b, []byte("00000000")) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
}

func TestMillisText(t *testing.T) {
	const m = schema.Millis(1_795_300_000_120)
	if got, want := m.String(), "2026-11-21T22:26:40.120Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := schema.FromTime(m.Time()); got != m {
		t.Errorf("got %d, want %d", got, m)
	}
	if got := schema.Millis(0).String(); got != "-" {
		t.Errorf("got %s for no time", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := schema.Millis(rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "m")) // years 1 to 9999
		b, err := json.Marshal(m)
		var got schema.Millis
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil || got != m {
			t.Fatalf("%d: %s reads back as %d, %v", m, b, got, err)
		}
	})
	var got schema.Millis
	if err := json.Unmarshal([]byte(`"yesterday"`), &got); err == nil {
		t.Errorf("%q read as %v", "yesterday", got)
	}
}
