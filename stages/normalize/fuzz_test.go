package normalize

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// FuzzScan holds the scanner against encoding/json: what the scanner takes is
// valid JSON; what it turns down as not JSON is not; and what it turns down
// for another reason does break that rule.
func FuzzScan(f *testing.F) {
	for _, s := range []string{eveA, `[1,2.5e-3,null,true,false,"a\u00e9\ud83d\ude00"]`, `{"a":{"a":[]},"b":{}}`, `{"a":1,"\u0061":2}`, "\"\xff\"",
		`"\ud800"`, `{"a":01}`, `[1 2]`, `-`, ` 1 `, `{"a"`, strings.Repeat("[", 40), `{"evidence":{"roles":"source"}}`, `"` + strings.Repeat("x", 300) + `"`} {
		f.Add([]byte(s))
	}
	cfg := Default()
	cfg.MaxString, cfg.MaxKeys, cfg.MaxDocument = 256, 50, 4096
	n, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	s := n.scanners[0]
	f.Fuzz(func(t *testing.T, data []byte) {
		p := s.scan(data, 0)
		valid := json.Valid(data)
		switch {
		case p == scanDone && skipSpace(data, s.pos) == len(data):
			if !valid || !utf8.Valid(data) || hasDuplicates(data) {
				t.Fatalf("took %q", data)
			}
		case p == scanDone: // there is more
			if !json.Valid(data[:s.pos]) {
				t.Fatalf("took %q of %q", data[:s.pos], data)
			}
		case p == scanList:
			if data[s.pos] != '[' {
				t.Fatalf("list at %d of %q", s.pos, data)
			}
		case s.fault.reason == schema.ReasonInvalidJSON && valid:
			t.Fatalf("%q is JSON: %+v", data, s.fault)
		case s.fault.reason == schema.ReasonDuplicateKey && valid && !hasDuplicates(data):
			t.Fatalf("%q has no key twice: %+v", data, s.fault)
		case s.fault.reason == schema.ReasonInvalidUTF8 && valid && utf8.Valid(data) && !bytes.Contains(data, []byte(`\u`)):
			t.Fatalf("%q is UTF-8: %+v", data, s.fault)
		case s.fault.reason == schema.ReasonTooDeep && bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) <= cfg.MaxDepth,
			s.fault.reason == schema.ReasonTooManyKeys && bytes.Count(data, []byte(":")) <= cfg.MaxKeys,
			s.fault.reason == schema.ReasonTooLarge && len(data) <= cfg.MaxString:
			t.Fatalf("%q is within limits: %+v", data, s.fault)
		}
	})
}

// hasDuplicates reports whether any object of valid JSON has a key twice.
func hasDuplicates(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	type object struct {
		keys  map[string]bool
		isKey bool
	}
	var stack []*object // nil for an array
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		top := func() *object {
			if len(stack) == 0 {
				return nil
			}
			return stack[len(stack)-1]
		}
		o := top()
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				if o != nil {
					o.isKey = true
				}
				stack = append(stack, &object{keys: map[string]bool{}, isKey: true})
			case '[':
				if o != nil {
					o.isKey = true
				}
				stack = append(stack, nil)
			default:
				stack = stack[:len(stack)-1]
			}
			continue
		case string:
			if o != nil && o.isKey {
				if o.keys[v] {
					return true
				}
				o.keys[v], o.isKey = true, false
				continue
			}
		}
		if o != nil {
			o.isKey = true
		}
	}
}

// FuzzProcess feeds whole records: nothing panics, every document is accounted
// for once, the input is not modified, and the same input gives the same output
// twice.
func FuzzProcess(f *testing.F) {
	for _, file := range cases(f) {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, false)
		f.Add([]byte(gz(string(raw))), false)
		f.Add([]byte(zst(string(raw))), false)
		f.Add([]byte(`{"detail":`+string(raw)+`}`), false)
		f.Add([]byte(`{"records":[`+string(raw)+`]}`), false)
	}
	f.Add([]byte("uuid,published,eventType\n1,2,3\n"), true)
	cfg := Default()
	cfg.MaxInflated, cfg.MaxDocuments = 1<<20, 1000
	n, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, isCSV bool) {
		src := testSource()
		if isCSV {
			src.Formats = []string{CSV}
		}
		before := bytes.Clone(data)
		var last string
		for range 2 {
			b := &schema.Batch{Raw: []schema.Raw{{Source: src, Value: data, Time: ingested}}}
			if err := n.Process(context.Background(), b); err != nil {
				t.Fatal(err)
			}
			if err := checkBatch(b); err != nil {
				t.Fatalf("%v: %q", err, data)
			}
			for i := range b.Alerts {
				for _, e := range b.Alerts[i].Entities {
					if !utf8.ValidString(e.Key) || !utf8.ValidString(e.Name) {
						t.Fatalf("entity is not UTF-8: %q %q", e.Key, e.Name)
					}
				}
			}
			got := dump(b)
			if last != "" && got != last {
				t.Fatalf("first\n%s\nthen\n%s", last, got)
			}
			last = got
		}
		if !bytes.Equal(before, data) {
			t.Fatal("input was modified")
		}
	})
}

// TestKeyOrder: the order of keys, spaces and needless escapes change nothing
// but the content's hash.
func TestKeyOrder(t *testing.T) {
	n := newNormalizer(t, nil)
	for _, file := range cases(t) {
		if !strings.HasSuffix(file, ".json") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := comparable(run(t, n, testSource(), ingested, raw))
		rapid.Check(t, func(r *rapid.T) {
			seed := rapid.Uint64().Draw(r, "seed")
			shuffled := shuffle(raw, rand.New(rand.NewPCG(seed, 1)))
			if got := comparable(run(t, n, testSource(), ingested, shuffled)); !reflect.DeepEqual(got, want) {
				r.Fatalf("%s: %s\ngot  %+v\nwant %+v", file, shuffled, got, want)
			}
		})
	}
}

// comparable clones alerts without what depends on the bytes of the document.
func comparable(b *schema.Batch) (alerts []schema.Alert) {
	for i := range b.Alerts {
		a := b.Alerts[i].Clone()
		a.Raw, a.Content = nil, 0
		if a.Format == "suricata_eve" {
			a.ID, a.VendorID = schema.AlertID{}, ""
		}
		slices.SortFunc(a.Entities, func(x, y schema.Entity) int { return strings.Compare(x.Ref().String(), y.Ref().String()) })
		alerts = append(alerts, a)
	}
	return alerts
}

// TestOddValues puts values of other kinds where formats expect theirs: nothing
// panics, and all is accounted for.
func TestOddValues(t *testing.T) {
	n := newNormalizer(t, nil)
	odd := []string{"null", "0", "-1", "1e999", "1.5", "true", `""`, `" "`, `"unknown"`, `"::"`, `"\u0000"`, `"\\"`, `"@"`, `"a@"`, `"://"`, `"C:"`, `"T1"`, `"."`,
		`{}`, `[]`, `[[]]`, `[{}]`, `{"id":1}`, `["x",{"value":"y"}]`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`, "99999999999999999999", `"level="`, `"é"`}
	for _, file := range cases(t) {
		if !strings.HasSuffix(file, ".json") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(r *rapid.T) {
			rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 2))
			one := 1 + rapid.IntRange(0, 60).Draw(r, "one in")
			run(t, n, testSource(), ingested, rewrite(raw, rnd, func() string {
				if rnd.IntN(one) != 0 {
					return ""
				}
				return odd[rnd.IntN(len(odd))]
			}))
		})
	}
}

// shuffle writes JSON again with its keys in another order.
func shuffle(raw []byte, rnd *rand.Rand) []byte {
	return rewrite(raw, rnd, func() string { return "" })
}

// rewrite shuffles, and puts what other gives, if anything, for a value.
func rewrite(raw []byte, rnd *rand.Rand, other func() string) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	var w bytes.Buffer
	var write func(v any)
	scalar := func(v any) {
		text, _ := json.Marshal(v)
		if s, ok := v.(string); ok && s != "" && s[0] < utf8.RuneSelf && rnd.IntN(4) == 0 {
			text, _ = json.Marshal(s[1:])
			const hex = "0123456789ABCDEF"
			text = append([]byte(`"\u00`+string(hex[s[0]>>4])+string(hex[s[0]&15])), text[1:]...)
		}
		w.Write(text)
	}
	write = func(v any) {
		w.WriteString([]string{"", " ", "\n\t"}[rnd.IntN(3)])
		if text := other(); text != "" {
			w.WriteString(text)
			return
		}
		switch x := v.(type) {
		case map[string]any:
			keys := make([]string, 0, len(x))
			for k := range x {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			w.WriteByte('{')
			for i, k := range keys {
				if i > 0 {
					w.WriteByte(',')
				}
				scalar(k)
				w.WriteByte(':')
				write(x[k])
			}
			w.WriteByte('}')
		case []any:
			w.WriteByte('[')
			for i, e := range x {
				if i > 0 {
					w.WriteByte(',')
				}
				write(e)
			}
			w.WriteByte(']')
		default:
			scalar(v)
		}
	}
	write(v)
	return w.Bytes()
}
