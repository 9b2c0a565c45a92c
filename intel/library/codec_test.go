package library

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

func fullFact() stored {
	return stored{End: revoked, First: 1, Seen: 2, Ended: 3, Changed: 8, Aside: "rule x", Effect: ended, Said: fact.Said{Version: 4, Revoked: true,
		Indicator: schema.Indicator{ID: "indicator--0f0e0d0c-0b0a-4908-8706-050403020100", Feed: "acme", Tenant: "t", Type: schema.ObservableURL, Value: "http://bad.example/x",
			Exact: true, Listed: true, Verdict: schema.VerdictSuspicious, Severity: schema.SeverityHigh, Wish: schema.WishBlock, Confidence: 100, Rank: 255,
			TLP: schema.TLPAmberStrict, ValidFrom: 5, ValidUntil: -6, Fresh: 7, Labels: []string{"a", ""},
			Threats: []schema.Threat{{Kind: schema.ThreatMalware, ID: "malware--1", Name: "Foo"}, {}}}}}
}

// TestCodec writes a fact with a value in every field and reads it back.
func TestCodec(t *testing.T) {
	f := fullFact()
	for v := reflect.ValueOf(f.Indicator); ; {
		for n := range v.NumField() {
			if v.Field(n).IsZero() {
				t.Errorf("the test's indicator has no %s", v.Type().Field(n).Name)
			}
		}
		break
	}
	for _, id := range []string{f.ID, "indicator--000102030405060708090a0b0c0d0e0f", "indicator--0F0E0D0C-0b0a-4908-8706-050403020100", "x", "indicator--"} {
		f.ID = id
		key := appendKey(nil, f.Type, f.Value, f.ID)
		got, ok := decodeStored("acme", key, appendStored(nil, &f))
		if !ok || !reflect.DeepEqual(got, f) {
			t.Errorf("%s: %v, %+v", id, ok, got)
		}
		i, a, ok := decodeCurrent("acme", key, appendCurrent(nil, &f.Indicator, expired))
		if !ok || a != expired || !reflect.DeepEqual(i, f.Indicator) {
			t.Errorf("%s: %v, %v, %+v", id, ok, a, i)
		}
	}
}

func FuzzStored(f *testing.F) {
	full := fullFact()
	f.Add(appendKey(nil, full.Type, full.Value, full.ID), appendStored(nil, &full))
	f.Add(appendKey(nil, 0, "", "x"), appendStored(nil, &stored{}))
	f.Fuzz(func(t *testing.T, key, payload []byte) {
		s, ok := decodeStored("acme", key, payload)
		if !ok {
			return
		}
		key2, again := appendKey(nil, s.Type, s.Value, s.ID), appendStored(nil, &s)
		if !bytes.Equal(key, key2) && len(key2) != len(key) {
			if t2, v2, id2, ok := splitKey(key2); !ok || t2 != s.Type || v2 != s.Value || id2 != s.ID {
				t.Fatalf("key %q becomes %q", key, key2)
			}
		}
		if !bytes.Equal(again, payload) {
			t.Fatalf("read %x, written %x", payload, again)
		}
	})
}

func FuzzCurrent(f *testing.F) {
	full := fullFact()
	f.Add(appendCurrent(nil, &full.Indicator, counts))
	key := appendKey(nil, full.Type, full.Value, full.ID)
	f.Fuzz(func(t *testing.T, payload []byte) {
		i, a, ok := decodeCurrent("acme", key, payload)
		if ok && !bytes.Equal(appendCurrent(nil, &i, a), payload) {
			t.Fatalf("read %x, written %x", payload, appendCurrent(nil, &i, a))
		}
	})
}

func FuzzState(f *testing.F) {
	raw, err := json.Marshal(&state{Feed: "acme", Current: 3})
	if err != nil {
		f.Fatal(err)
	}
	text, err := seal(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(raw))
	f.Fuzz(func(t *testing.T, text []byte) {
		sealed, err := seal(text) // so that the sum does not keep everything out
		if err != nil {
			sealed = text
		}
		for _, text := range [][]byte{text, sealed} {
			if st, err := decodeState(text); (st == nil) == (err == nil) {
				t.Fatal("neither a state nor an error, or both")
			}
		}
	})
}

func FuzzThing(f *testing.F) {
	f.Add([]byte("omalware--1"), []byte(`{"seen":"2026-01-01T00:00:00Z","object":{"id":"malware--1"}}`))
	f.Add([]byte("sx"), []byte(`{"sighting":{"id":"x"}}`))
	f.Fuzz(func(t *testing.T, key, payload []byte) {
		if got, ok := decodeThing(key, payload); ok {
			got.version() // has one of the three
			newGraphBuilder(4).add(&got)
		}
	})
}

func FuzzJournal(f *testing.F) {
	o := Override{Type: schema.ObservableDomain, Value: "bad.example", Confidence: ptr(uint8(0))}
	o.ID = o.id()
	one, err := sealLine(&journalEntry{Seq: 1, Set: &o})
	if err != nil {
		f.Fatal(err)
	}
	two, err := sealLine(&journalEntry{Seq: 2, Drop: o.ID})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(one, two...))
	f.Add(one[:len(one)-1])
	f.Add(append(bytes.Clone(one[17:]), two[17:]...))
	f.Add([]byte(`{"base":3}` + "\n" + `{"seq":3,"sight":{"type":"ip","value":"192.0.2.1","last":"2026-01-01T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 17 || text[16] != ' ' { // entries without their sums
			var sealed []byte
			for line := range bytes.SplitSeq(text, []byte{'\n'}) {
				sealed = append(fmt.Appendf(sealed, "%016x ", xxh3.Hash(line)), append(line, '\n')...)
			}
			text = sealed
		}
		over, whole, err := decodeJournal(text, 0)
		if err == nil && (whole > len(text) || whole > 0 && text[whole-1] != '\n') {
			t.Fatalf("%d of %d bytes are whole", whole, len(text))
		}
		if err == nil {
			over.apply(schema.Indicator{Type: schema.ObservableDomain, Value: "bad.example"}, counts)
			over.own()
		}
	})
}

func FuzzVersion(f *testing.F) {
	f.Add("acme:1,beta:2;7")
	f.Add(";7")
	f.Fuzz(func(t *testing.T, text string) {
		gens, journal, err := Version(text).parse()
		if err == nil && makeVersion(gens, journal) != Version(text) {
			t.Fatalf("%q is read as %v, %d", text, gens, journal)
		}
	})
}
