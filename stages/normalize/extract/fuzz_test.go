package extract

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	segmentio "github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

// FuzzScan holds the scanner against encoding/json, segmentio and itself: what it
// takes is valid JSON; what it turns down as not JSON is not; what it turns down
// for another reason does break that rule; what it keeps is what the reference
// says; and what it has learned makes no difference.
//
// Where they differ, on purpose: the scanner alone turns down keys that appear
// twice, text that is not UTF-8, lone surrogates, and what is over the limits.
func FuzzScan(f *testing.F) {
	for _, s := range []string{base, `[1,2.5e-3,null,true,false,"a\u00e9\ud83d\ude00"]`, `{"a":{"a":[]},"b":{}}`, `{"a":1,"\u0061":2}`, "\"\xff\"",
		`"\ud800"`, `{"a":01}`, `[1 2]`, `-`, ` 1 `, `{"a"`, strings.Repeat("[", 40), `{"a":"{\"b\":\"[1,{\\\"c\\\":2}]\"}"}`, `{"b":[{"a":1},{"a":"{\"a\":1,\"a\":2}"}]}`,
		`"` + strings.Repeat("x", 300) + `"`, `{"a":{"x":9007199254740993},"id":1}`, `{"records":[{}]}`} {
		f.Add([]byte(s))
	}
	limits := &Limits{MaxDepth: 12, MaxKeys: 150, MaxString: 256, MaxDocument: 8192}
	paths := []string{"a", "*", "a.*", "a[].b", "a{}", "a{}.b", "a{}.b{}[].c", "*.a[]", "b[].a{}.a", "id", "title", "alert.severity", "evidence[].verdict"}
	old := wants(f, limits, paths...)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := old
		before := bytes.Clone(data)
		s.arena.Reset()
		p := s.Scan(data, 0)
		if !bytes.Equal(before, data) {
			t.Fatal("input was modified")
		}
		fresh := NewScanner(s.trie, limits, &arena.Arena{})
		if diff := same(s.Scanner, fresh, p, fresh.Scan(data, 0)); diff != "" {
			t.Fatalf("%q: %s", data, diff)
		}
		valid := json.Valid(data)
		switch {
		case p == Done:
			checkTape(t, s.Tape)
			doc := data[:s.Pos]
			if !strict(doc) || !segmentio.Valid(doc) {
				t.Fatalf("took %q", doc)
			}
			if rest := SkipSpace(data, s.Pos); rest == len(data) && !valid {
				t.Fatalf("took all of %q", data)
			}
			for _, path := range paths {
				// Text that is over the limits is a string to the scanner alone.
				if strings.Contains(path, "{") && (len(doc) > limits.MaxKeys || depth(doc) > limits.MaxDepth) {
					continue
				}
				if got, want := s.of(path), reference(path, doc); !slices.Equal(got, want) {
					t.Fatalf("%s in %q\ngot  %q\nwant %q", path, doc, got, want)
				}
			}
		case p == List:
			if data[s.Pos] != '[' {
				t.Fatalf("list at %d of %q", s.Pos, data)
			}
		case s.Fault.At < 0 || s.Fault.At > len(data) || s.Fault.What == "":
			t.Fatalf("%q: fault %+v", data, s.Fault)
		default:
			checkFault(t, data, valid, s.Fault, limits)
		}
	})
}

// checkFault wants the rule broken that a document was turned down for.
func checkFault(t *testing.T, data []byte, valid bool, f Fault, limits *Limits) {
	ok := true
	switch f.Reason {
	case schema.ReasonInvalidJSON:
		ok = !valid
	case schema.ReasonDuplicateKey:
		ok = !valid || hasDuplicates(data)
	case schema.ReasonInvalidUTF8:
		ok = !valid || !utf8.Valid(data) || hasLoneSurrogate(data)
	case schema.ReasonTooDeep:
		ok = depth(data) > limits.MaxDepth
	case schema.ReasonTooManyKeys:
		ok = bytes.Count(data, []byte(`"`))/2 > limits.MaxKeys
	case schema.ReasonTooLarge:
		ok = len(data) > limits.MaxString
	default:
		ok = false
	}
	if !ok {
		t.Fatalf("%q does not break the rule of %+v", data, f)
	}
}

// depth counts opening brackets: no less than the nesting, of texts as well.
func depth(data []byte) int {
	return bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{"))
}
