package match

import (
	"reflect"
	"testing"

	"github.com/interdict/interdict/schema"
)

func TestRecord(t *testing.T) {
	full := schema.Indicator{Feed: "feed", Tenant: "acme", Type: schema.ObservableURL, Value: "http://a.example/\x00", Exact: true, Listed: true,
		Verdict: schema.VerdictMalicious, Severity: schema.SeverityHigh, Wish: schema.WishBlock, Confidence: 100, Rank: 255, TLP: schema.TLPAmberStrict,
		ValidFrom: -5, ValidUntil: 1 << 60, Fresh: -1, Labels: []string{"", "c2"},
		Threats: []schema.Threat{{Kind: schema.ThreatActor, ID: "intrusion-set--1", Name: "Bad Bear"}, {}}}
	few := schema.Indicator{Feed: "feed", Type: schema.ObservableIP, Value: "203.0.113.7"}
	for _, want := range []schema.Indicator{full, few} {
		for _, id := range []string{"", "x", "indicator--01234567-89ab-cdef-0123-456789abcdef", "indicator--01234567-89AB-cdef-0123-456789abcdef",
			"indicator--01234567-89ab-cdef-0123-456789abcde", "indicator--01234567+89ab-cdef-0123-456789abcdef"} {
			want.ID = id
			b := appendRecord([]byte("before"), &want)[len("before"):]
			r, ok := parse(append(b, "behind"...))
			if !ok || len(r.whole) != len(b) || r.uuid != (id == "indicator--01234567-89ab-cdef-0123-456789abcdef") {
				t.Fatalf("id %q: %+v %v", id, r, ok)
			}
			got, ok := r.decode()
			if !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			for i := range b { // what was decoded keeps nothing of the record
				b[i] = '#'
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("with the record gone: %+v\nwant %+v", got, want)
			}
			b = appendRecord(nil, &want)
			for n := range b {
				if _, ok := parse(b[:n]); ok {
					t.Errorf("a record cut to %d of %d bytes was read", n, len(b))
				}
			}
		}
	}
}

// TestRecordIsContent changes every field by itself: each makes another record, and
// so another id of the index.
func TestRecordIsContent(t *testing.T) {
	v := reflect.TypeFor[schema.Indicator]()
	i := ind(schema.ObservableIP, "203.0.113.7")
	plain := string(appendRecord(nil, &i))
	for k := range v.NumField() {
		c := i
		switch f := reflect.ValueOf(&c).Elem().Field(k); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "1")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Uint8:
			f.SetUint(f.Uint() + 1)
		case reflect.Int64:
			f.SetInt(1)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		default:
			t.Fatalf("%s: a %s is not known here", v.Field(k).Name, f.Kind())
		}
		b := appendRecord(nil, &c)
		if string(b) == plain {
			t.Errorf("%s is not in the record", v.Field(k).Name)
		}
		r, ok := parse(b)
		if got, fine := r.decode(); !ok || !fine || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got %+v", v.Field(k).Name, got)
		}
	}
}

// FuzzRecord holds that no bytes crash the reader of records, that what it reads says
// of itself which value it is about, and that it comes back as it was.
func FuzzRecord(f *testing.F) {
	i := ind(schema.ObservableIP, "203.0.113.7")
	f.Add(appendRecord(nil, &i))
	i.Tenant, i.Fresh, i.Labels, i.Threats = "acme", 7, []string{"a", "b"}, []schema.Threat{{Kind: schema.ThreatActor, ID: "1", Name: "2"}}
	f.Add(appendRecord(nil, &i))
	f.Add([]byte{8, 1, 1, 1, 1, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parse(b)
		typ, value, headOK := head(b)
		if !ok {
			return
		}
		if !headOK || byte(typ) != r.small[0] || string(value) != string(r.value) {
			t.Fatalf("head and parse differ on %x", b)
		}
		got, ok := r.decode()
		if !ok {
			return
		}
		again, ok := parse(appendRecord(nil, &got))
		if !ok {
			t.Fatalf("%x: what was decoded makes no record", b)
		}
		if back, ok := again.decode(); !ok || !reflect.DeepEqual(got, back) {
			t.Fatalf("%x: %+v came back as %+v", b, got, back)
		}
	})
}
