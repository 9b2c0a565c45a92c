package schema_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// TestCloneOutlivesItsBuffer wipes the bytes a decoded alert aliases, which are
// all of its strings, and looks whether the clone still reads the same. A string
// that Clone forgets shows here, since the sample sets every field.
func TestCloneOutlivesItsBuffer(t *testing.T) {
	wire := append(sampleAlert().AppendWire(nil), bytes.Join(unknownFields(), nil)...)
	pristine := bytes.Clone(wire)
	var a schema.Alert
	if err := a.DecodeWire(wire); err != nil {
		t.Fatal(err)
	}
	c := a.Clone()
	for i := range wire {
		wire[i] = '#'
	}
	a.Entities[0], a.Techniques[0], a.Matches[0] = schema.Entity{}, schema.Technique{}, schema.Match{}
	if got := c.AppendWire(nil); !bytes.Equal(got, pristine) {
		t.Errorf("the clone changed with its source:\n%+v", c)
	}
}

func TestCloneEquals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawMessage(t, nouns()[0]).(*schema.Alert)
		a.Incident, a.Standing = schema.IncidentID{1}, schema.StandingRevision
		if c := a.Clone(); !reflect.DeepEqual(&c, a) {
			t.Fatalf("got %+v\nwant %+v", c, *a)
		}
	})
}

// TestBatchReuse fills a batch, resets it and takes an alert: nothing of the
// former shows, and its memory is used again.
func TestBatchReuse(t *testing.T) {
	var b schema.Batch
	fill := func() {
		for range 3 {
			a := b.NextAlert()
			if err := a.DecodeWire(sampleAlert().AppendWire(nil)); err != nil {
				t.Fatal(err)
			}
			a.Unknown = []byte("newer")
			a.Incident, a.Standing = schema.IncidentID{1}, schema.StandingDuplicate
		}
	}
	v := reflect.ValueOf(&b).Elem()
	for i := range v.NumField() { // one zero element in every list, a number in every number
		switch f := v.Field(i); f.Kind() {
		case reflect.Slice:
			f.Set(reflect.Append(f, reflect.Zero(f.Type().Elem())))
		case reflect.Int64:
			f.SetInt(1)
		case reflect.Uint64:
			f.SetUint(1)
		}
	}
	fill()
	b.Reset()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Slice && f.Len() > 0 || f.Kind() != reflect.Slice && !f.IsZero() {
			t.Errorf("Reset leaves %s", v.Type().Field(i).Name)
		}
		if f.Kind() == reflect.Slice && f.Cap() == 0 {
			t.Errorf("Reset gives away the memory of %s", v.Type().Field(i).Name)
		}
	}
	a := b.NextAlert()
	if len(a.Entities)+len(a.Techniques)+len(a.Matches) > 0 {
		t.Errorf("stale elements: %+v", a)
	}
	rest := *a
	rest.Entities, rest.Techniques, rest.Matches = nil, nil, nil
	if !reflect.DeepEqual(rest, schema.Alert{}) {
		t.Errorf("stale fields: %+v", rest)
	}
	b.DropLastAlert()
	if len(b.Alerts) != 0 {
		t.Errorf("%d alerts after taking back the only one", len(b.Alerts))
	}
	sample := sampleAlert()
	sample.Matches[0].Threats = nil // as in TestHotPathDoesNotAllocate
	wire := sample.AppendWire(nil)
	b.Reset()
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		for range 3 {
			if err := b.NextAlert().DecodeWire(wire); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("a reused batch allocates %v times", n)
	}
}

// TestMergeRevisionsCommutes: whatever the order revisions arrive in, the alert
// they make is the same.
func TestMergeRevisionsCommutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		revs := make([]schema.Alert, rapid.IntRange(1, 4).Draw(t, "revisions"))
		for i := range revs {
			revs[i] = *drawMessage(t, nouns()[0]).(*schema.Alert)
			revs[i].Content = uint64(i)<<44 | uint64(i) // revisions differ in content
		}
		order := rapid.Permutation(revs).Draw(t, "order")
		want := schema.MergeRevisions(append([]schema.Alert(nil), revs...))
		got := schema.MergeRevisions(order)
		if !bytes.Equal(got.AppendWire(nil), want.AppendWire(nil)) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	})
}

// TestMergeRevisionsMatches: the newest revision says what a match is worth; another
// value of the same indicator is another match; a port that only an older one says is
// kept.
func TestMergeRevisionsMatches(t *testing.T) {
	m := schema.Match{Type: schema.ObservableDomain, Value: "bad.example", Indicator: "indicator--1", Feed: "misp", Verdict: schema.VerdictMalicious}
	doubted, parent := m, m
	doubted.Demoted, parent.Value = "on a list", "example"
	ip := schema.Entity{Type: schema.EntityIP, Key: "192.0.2.1"}
	old := schema.Alert{Updated: 1, Entities: []schema.Entity{ip}, Matches: []schema.Match{m, parent}}
	old.Entities[0].Port = 443
	newer := schema.Alert{Updated: 2, Entities: []schema.Entity{ip}, Matches: []schema.Match{doubted}}
	got := schema.MergeRevisions([]schema.Alert{old, newer})
	if len(got.Matches) != 2 || got.Matches[0].Counts() || !got.Matches[1].Counts() || len(got.Entities) != 1 || got.Entities[0].Port != 443 {
		t.Errorf("matches %+v, entities %+v", got.Matches, got.Entities)
	}
	if newer.Entities[0].Port != 0 {
		t.Error("the revision itself was changed")
	}
}

// TestMergeRevisionsOfMany: revisions that say ever more are merged in a moment, and
// into an alert that can be written and read again.
func TestMergeRevisionsOfMany(t *testing.T) {
	revs := make([]schema.Alert, 40)
	for r := range revs {
		a := &revs[r]
		a.ID, a.Updated, a.Content = schema.AlertID{1}, schema.Millis(r+1), uint64(r)
		for k := range schema.MaxElements {
			name := fmt.Sprintf("192.0.2.1#%d.%d", r, k)
			a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityURL, Key: name})
			a.Matches = append(a.Matches, schema.Match{Entity: uint16(k), Value: name})
			a.Techniques = append(a.Techniques, schema.Technique{ID: name})
		}
		a.Entities[1] = schema.Entity{Type: schema.EntityIP, Key: "192.0.2.1"}
	}
	revs[3].Entities[1].Port = 443
	newest := revs[len(revs)-1]
	start := time.Now()
	got := schema.MergeRevisions(revs)
	if took := time.Since(start); took > 30*time.Second { // comparing each with each takes minutes
		t.Errorf("it took %s", took)
	}
	if len(got.Entities) != schema.MaxElements || len(got.Matches) != schema.MaxElements || len(got.Techniques) != schema.MaxElements {
		t.Fatalf("%d entities, %d matches, %d techniques", len(got.Entities), len(got.Matches), len(got.Techniques))
	}
	for k := range got.Matches {
		if e := got.Entities[got.Matches[k].Entity]; k != 1 && e.Key != got.Matches[k].Value {
			t.Fatalf("match %d is of %s", k, e.Key)
		}
	}
	if got.Entities[0] != newest.Entities[0] || got.Entities[1].Port != 443 {
		t.Errorf("%+v", got.Entities[:2])
	}
	var back schema.Alert
	if err := back.DecodeWire(got.AppendWire(nil)); err != nil {
		t.Error(err)
	}
}
