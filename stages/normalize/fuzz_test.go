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
	n, err := New(cfg, builtinFormats(f))
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
			b := &schema.Batch{Raw: []schema.Raw{{Source: src, Value: data, Time: CaseTime}}}
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
			got := Dump(b)
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
		want := comparable(run(t, n, testSource(), CaseTime, raw))
		rapid.Check(t, func(r *rapid.T) {
			seed := rapid.Uint64().Draw(r, "seed")
			shuffled := shuffle(raw, rand.New(rand.NewPCG(seed, 1)))
			if got := comparable(run(t, n, testSource(), CaseTime, shuffled)); !reflect.DeepEqual(got, want) {
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
		if len(a.VendorID) == 32 {
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
			run(t, n, testSource(), CaseTime, rewrite(raw, rnd, func() string {
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
