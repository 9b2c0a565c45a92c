package fetch

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"
)

func TestEnvelope(t *testing.T) {
	long := strings.Repeat("x", longestNext)
	for _, c := range []struct {
		text string
		want envelope
		err  error
	}{
		{text: `{}`},
		{text: " {\n} \n"},
		{text: `{"more":true,"next":"a\"}b"}`, want: envelope{more: true, next: `a"}b`}},
		{text: `{"objects":[{"more":true,"next":"x"},{}],"more":false}`, want: envelope{objects: 2}},
		{text: `{"objects":[{"a":{"b":[{}]}}, 1, "{", [{}]],"next":"n"}`, want: envelope{objects: 1, next: "n"}},
		{text: `{"\u006dore" : true , "ne\u0078t" : "\u00e9"}`, want: envelope{more: true, next: "é"}},
		{text: `{"more":null,"next":null}`},
		{text: `{"id":"more","x":{"more":true},"y":["next",{"next":"z"}]}`},
		{text: `{"` + strings.Repeat("more", 1000) + `":true}`},
		{text: `{"next":"` + long[2:] + `"}`, want: envelope{next: long[2:]}},
		{text: `{"next":"` + long + `"}`, err: errEnvelope},
		{text: `{"more":"yes"}`, err: errEnvelope},
		{text: `{"next":{"a":1}}`, err: errEnvelope},
		{text: `{"next":17}`, err: errEnvelope},
		{text: `{"objects":{}}`, err: errEnvelope},
		{text: `[{}]`, err: errEnvelope},
		{text: `<html>`, err: errEnvelope},
		{text: `{} {}`, err: errEnvelope},
		{text: `{}}`, err: errEnvelope},
		{text: `{} x`, err: errEnvelope},
		{text: ``, err: errCutPage},
		{text: `{"objects":[{`, err: errCutPage},
		{text: `{"objects":[]`, err: errCutPage},
		{text: `{"a":"}`, err: errCutPage},
		{text: `{"a":"\"}`, err: errCutPage},
	} {
		var sums [2][]uint64
		for i, step := range []int{len(c.text) + 1, 1} { // the cuts between writes must not matter
			e := &envelope{object: func(sum uint64) { sums[i] = append(sums[i], sum) }}
			var err error
			for rest := c.text; rest != "" && err == nil; rest = rest[min(step, len(rest)):] {
				_, err = e.Write([]byte(rest[:min(step, len(rest))]))
			}
			if err == nil {
				err = e.whole()
			}
			if !errors.Is(err, c.err) {
				t.Errorf("%.60q: %v, want %v", c.text, err, c.err)
			}
			if err == nil && (e.more != c.want.more || e.next != c.want.next || e.objects != c.want.objects) {
				t.Errorf("%.60q: more %v, next %q, %d objects", c.text, e.more, e.next, e.objects)
			}
		}
		if !slices.Equal(sums[0], sums[1]) || c.err == nil && len(sums[0]) != c.want.objects {
			t.Errorf("%.60q: hashes %x, byte by byte %x", c.text, sums[0], sums[1])
		}
	}
}

// BenchmarkEnvelope is the price of watching a page go by.
func BenchmarkEnvelope(b *testing.B) {
	page := []byte(`{"objects":[` + strings.Repeat(`{"type":"indicator","id":"indicator--a0000000-0000-4000-8000-000000000001","pattern":"[domain-name:value = 'bad.example']"},`, 10_000) + `{}],"more":true,"next":"x"}`)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		e := &envelope{object: func(uint64) {}}
		if _, err := e.Write(page); err != nil || e.whole() != nil {
			b.Fatal(err)
		}
	}
}

// FuzzEnvelope compares with a reader of JSON that keeps everything.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{`{}`, `{"more":true,"next":"x","objects":[{"id":"a","more":false}]}`, `{"objects":[`, `{"next":"\ud800"}`,
		`[]`, `{"more":1}`, `{"a":"\\\""}`, `{"next":"","objects":[[{}],{}]}`, "\x00"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var sums []uint64
		e := &envelope{object: func(sum uint64) { sums = append(sums, sum) }}
		_, err := e.Write(text)
		if err == nil {
			err = e.whole()
		}
		if len(e.kept) > longestNext+1 {
			t.Errorf("%d bytes are kept", len(e.kept))
		}
		var all map[string]json.RawMessage
		if json.Unmarshal(text, &all) != nil {
			return // the parser behind refuses it
		}
		var more bool
		var next string
		var objects []json.RawMessage
		badMore := all["more"] != nil && json.Unmarshal(all["more"], &more) != nil
		badNext := all["next"] != nil && (json.Unmarshal(all["next"], &next) != nil || len(all["next"]) > longestNext)
		if err != nil {
			if !badMore && !badNext && all["objects"] == nil && !repeated(text) {
				t.Errorf("%q is refused: %v", text, err)
			}
			return
		}
		if repeated(text) || all == nil {
			return
		}
		if badMore || badNext || e.more != more || e.next != next {
			t.Errorf("%q: more %v and next %q, want %v and %q", text, e.more, e.next, more, next)
		}
		var want []uint64
		if json.Unmarshal(all["objects"], &objects) == nil {
			for _, o := range objects {
				if o[0] == '{' {
					want = append(want, xxh3.Hash(o))
				}
			}
		}
		if e.objects != len(want) || !slices.Equal(sums, want) {
			t.Errorf("%q: %d objects of hashes %x, want %x", text, e.objects, sums, want)
		}
	})
}

// repeated reports whether an object has a key twice, which readers of JSON may
// take either way.
func repeated(text []byte) bool {
	d := json.NewDecoder(strings.NewReader(string(text)))
	seen := map[string]bool{}
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return true // null
	}
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok || seen[key] {
			return true
		}
		seen[key] = true
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return true
		}
	}
	return false
}
