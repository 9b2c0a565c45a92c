package extract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

// base is a document to put hostile members into.
const base = `{"src_ip":"192.0.2.1","alert":{"signature_id":1,"tags":["a","b"]},"x0":[{"a":1},{"a":2}]}`

func with(member string) string { return base[:len(base)-1] + "," + member + "}" }

// TestRules: each hostile document is turned down for its own reason, by a
// scanner that is new as by one that has learned the harmless form, and the
// documents after it are not touched.
func TestRules(t *testing.T) {
	old := wants(t, defaults(), "src_ip", "alert.tags[]", "x.*", "many[]", "x{}.y")
	f := func(name, doc string, want schema.Reason) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			for range 3 {
				if old.Scan([]byte(base), 0) != Done || old.String() != "src_ip=192.0.2.1 alert.tags[]=a alert.tags[]=b" {
					t.Fatalf("the harmless form gives %v, %+v", old, old.Fault)
				}
				fresh := wants(t, defaults(), "src_ip", "alert.tags[]", "x.*", "many[]", "x{}.y")
				for _, w := range []wanted{old, fresh} {
					p := w.Scan([]byte(doc), 0)
					if (p == Done) != (want == schema.ReasonNone) || w.Fault.Reason != want {
						t.Fatalf("%v %+v, want %v", p, w.Fault, want)
					}
				}
				if old.Fault != fresh.Fault || old.String() != fresh.String() || old.Pos != fresh.Pos && want == 0 {
					t.Fatalf("learned: %+v %v\nfresh: %+v %v", old.Fault, old, fresh.Fault, fresh)
				}
			}
		})
	}
	f("plain", base, schema.ReasonNone)
	f("duplicate key", with(`"src_ip":"192.0.2.9"`), schema.ReasonDuplicateKey)
	f("duplicate key at once", `{"src_ip":1,"src_ip":2}`, schema.ReasonDuplicateKey)
	f("duplicate of the second", `{"src_ip":1,"alert":{},"alert":{}}`, schema.ReasonDuplicateKey)
	f("duplicate key nobody wants", with(`"x":{"y":[{"q":1,"q":1}]}`), schema.ReasonDuplicateKey)
	f("duplicate key, escaped", with(`"src\u005fip":"192.0.2.9"`), schema.ReasonDuplicateKey)
	f("duplicate key, escaped first", `{"n\u0065w":1,"new":2}`, schema.ReasonDuplicateKey)
	f("duplicate key that must be escaped", `{"a\"b":1,"z":0,"a\u0022b":2}`, schema.ReasonDuplicateKey)
	f("duplicate key that is long", `{"`+strings.Repeat("k", 2*maxName)+`":1,"z":0,"`+strings.Repeat("k", 2*maxName)+`":2}`, schema.ReasonDuplicateKey)
	f("escaped quote in a key", `{"a\"b":1,"c":2}`, schema.ReasonNone)
	f("quote in a key", `{"a"b":1,"c":2}`, schema.ReasonInvalidJSON)
	f("same long key in different objects", `{"x":[{"`+strings.Repeat("k", 2*maxName)+`":1},{"`+strings.Repeat("k", 2*maxName)+`":1}]}`, schema.ReasonNone)
	f("duplicate empty key", with(`"x":{"":1,"":2}`), schema.ReasonDuplicateKey)
	f("duplicate of the first of 1,000", `{`+members(0, 1000)+`,"m0":1}`, schema.ReasonDuplicateKey)
	f("duplicate of the last of 1,000", `{`+members(0, 1000)+`,"m999":1}`, schema.ReasonDuplicateKey)
	f("1,000 keys", `{`+members(0, 1000)+`}`, schema.ReasonNone)
	f("duplicate in an array's second element", with(`"x":[{"a":1},{"a":1,"a":1}]`), schema.ReasonDuplicateKey)
	f("same key in different objects", with(`"x":[{"a":1},{"a":2,"b":{"a":3}}]`), schema.ReasonNone)
	f("same key in other case", with(`"SRC_IP":"192.0.2.9"`), schema.ReasonNone)
	f("invalid UTF-8 in a value", with("\"x\":\"\xff\""), schema.ReasonInvalidUTF8)
	f("invalid UTF-8 in a key", with("\"\xc3\x28\":1"), schema.ReasonInvalidUTF8)
	f("overlong UTF-8", with("\"x\":\"\xc0\xaf\""), schema.ReasonInvalidUTF8)
	f("surrogate in UTF-8", with("\"x\":\"\xed\xa0\x80\""), schema.ReasonInvalidUTF8)
	f("lone high surrogate", with(`"x":"\ud800"`), schema.ReasonInvalidUTF8)
	f("lone low surrogate", with(`"x":"\udc00"`), schema.ReasonInvalidUTF8)
	f("lone surrogate in a key", with(`"\udc00":1`), schema.ReasonInvalidUTF8)
	f("high surrogate before text", with(`"x":"\ud800abcdefgh"`), schema.ReasonInvalidUTF8)
	f("two high surrogates", with(`"x":"\ud800\ud800"`), schema.ReasonInvalidUTF8)
	f("surrogate pair", with(`"x":"\ud83d\ude00"`), schema.ReasonNone)
	f("NUL, escaped", with(`"x":"\u0000"`), schema.ReasonNone)
	f("NUL for a key", "{\x00:1}", schema.ReasonInvalidJSON)
	f("control character", with("\"x\":\"a\x01b\""), schema.ReasonInvalidJSON)
	f("control character in a key", with("\"x\n\":1"), schema.ReasonInvalidJSON)
	f("unknown escape", with(`"x":"\x41"`), schema.ReasonInvalidJSON)
	f("NaN", with(`"x":NaN`), schema.ReasonInvalidJSON)
	f("Infinity", with(`"x":-Infinity`), schema.ReasonInvalidJSON)
	f("leading zero", with(`"x":01`), schema.ReasonInvalidJSON)
	f("plus", with(`"x":+1`), schema.ReasonInvalidJSON)
	f("bare point", with(`"x":1.`), schema.ReasonInvalidJSON)
	f("bare exponent", with(`"x":1e`), schema.ReasonInvalidJSON)
	f("numbers", with(`"x":[0,-0,1.5e+10,-2E-3,123456789012345678901234567890]`), schema.ReasonNone)
	f("bad literals", with(`"x":nul`), schema.ReasonInvalidJSON)
	f("literal in capitals", with(`"x":True`), schema.ReasonInvalidJSON)
	f("literal that goes on", with(`"x":nulls`), schema.ReasonInvalidJSON)
	f("comma at the end", with(`"x":[1,]`), schema.ReasonInvalidJSON)
	f("comma at the end of an object", with(`"x":{"a":1,}`), schema.ReasonInvalidJSON)
	f("comma at the start", `{,}`, schema.ReasonInvalidJSON)
	f("no comma", `{"a":[1 2]}`, schema.ReasonInvalidJSON)
	f("no comma between members", `{"src_ip":1 "alert":2}`, schema.ReasonInvalidJSON)
	f("no colon", `{"src_ip" "b"}`, schema.ReasonInvalidJSON)
	f("two colons", `{"src_ip"::"b"}`, schema.ReasonInvalidJSON)
	f("no value", `{"src_ip":}`, schema.ReasonInvalidJSON)
	f("space around colons", "{\"src_ip\" :\t1 , \"alert\"\n:\r2}", schema.ReasonNone)
	f("brackets crossed", `{"a":[}]`, schema.ReasonInvalidJSON)
	f("single quotes", `{'a':1}`, schema.ReasonInvalidJSON)
	f("comment", `{"a":1/*x*/}`, schema.ReasonInvalidJSON)
	f("vertical tab", "{\v}", schema.ReasonInvalidJSON)
	f("depth 32", with(`"x":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)), schema.ReasonNone)
	f("depth 33", with(`"x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)), schema.ReasonTooDeep)
	f("depth 10,000", with(`"x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)), schema.ReasonTooDeep)
	f("depth 10,000 of objects", strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000), schema.ReasonTooDeep)
	f("string of 64 KiB", with(`"x":"`+strings.Repeat("x", 64<<10)+`"`), schema.ReasonNone)
	f("string of 64 KiB and 1", with(`"x":"`+strings.Repeat("x", 64<<10+1)+`"`), schema.ReasonTooLarge)
	f("string of 2 MiB", with(`"x":"`+strings.Repeat("x", 2<<20)+`"`), schema.ReasonTooLarge)
	f("key of 65 KiB", with(`"`+strings.Repeat("x", 65<<10)+`":1`), schema.ReasonTooLarge)
	f("number of 65 KiB", with(`"x":`+strings.Repeat("1", 65<<10)), schema.ReasonTooLarge)
	f("document of 2 MiB", with(`"x":[`+strings.Repeat("1,", 1<<20)+`1]`), schema.ReasonTooLarge)
	f("2,000 keys", `{`+members(0, 2000)+`}`, schema.ReasonNone)
	f("2,001 keys", `{`+members(0, 2001)+`}`, schema.ReasonTooManyKeys)
	f("2,001 keys in many objects", `{"x":[`+strings.Repeat(`{"src_ip":1},`, 2000)+`1]}`, schema.ReasonTooManyKeys)
	f("values without end", with(`"many":[`+strings.Repeat(`"a",`, maxValues)+`"b"]`), schema.ReasonTooLarge)
}

// members1 gives members with different names.
func members(from, to int) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(`"m%d":0`, i))
	}
	return strings.Join(all, ",")
}

// What is in a string keeps the rules, else it is a string; the document around
// it goes on as if nothing had been.
func TestTextRules(t *testing.T) {
	f := func(name, text string, isJSON bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := wants(t, defaults(), "t{}", "t{}.a", "t{}[].a", "after", "t{}.b{}.a", "t{}.l[]")
			doc := fmt.Sprintf(`{"t":%s,"after":"z"}`, encode(text))
			for range 2 {
				if w.Scan([]byte(doc), 0) != Done {
					t.Fatalf("%+v", w.Fault)
				}
				plain := len(w.Values) == 2 && w.Values[0].Kind == String && w.Values[0].Text == text
				if plain == isJSON {
					t.Fatalf("as a string: %v\n%.300v", plain, w)
				}
				if last := w.Values[len(w.Values)-1]; last.Text != "z" {
					t.Fatalf("last value is %+v", last)
				}
				checkTape(t, w.Tape)
			}
			if w.Scan([]byte(doc[:len(doc)-2]), 0) != Broken || w.Fault.Reason != schema.ReasonInvalidJSON {
				t.Fatalf("broken after it: %+v", w.Fault)
			}
		})
	}
	f("object", `{"a":1}`, true)
	f("array", `[{"a":1},{"a":2}]`, true)
	f("duplicate key", `{"a":1,"a":2}`, false)
	f("duplicate key after values", `{"a":1,"b":"{\"a\":1}","q":{"x":1,"x":2}}`, false)
	f("the document's keys again", `{"t":1,"after":1}`, true)
	f("two values", `{"a":1}{"a":2}`, false)
	f("cut", `{"a":1,"b":{"a":`, false)
	f("unknown escape", `{"a":"\x"}`, false)
	f("lone surrogate", `{"a":"\ud800"}`, false)
	f("brackets in text", `[INFO] {"a":1}`, false)
	f("depth 32 with the document", strings.Repeat("[", 31)+strings.Repeat("]", 31), true)
	f("depth 33 with the document", strings.Repeat("[", 32)+strings.Repeat("]", 32), false)
	f("2,000 keys with the document", `{`+members(0, 1998)+`}`, true)
	f("more keys than the document may have", `{`+members(0, 2000)+`}`, false)
	f("values without end", `{"l":[`+strings.Repeat(`1,`, maxValues)+`1]}`, false)
}

// The keys of a text count: with those of the document around it they are too
// many.
func TestTextKeysCount(t *testing.T) {
	w := wants(t, defaults(), "t{}.a")
	doc := fmt.Sprintf(`{"t":%s,"after":"z"}`, encode("{"+members(0, 1999)+"}"))
	if w.Scan([]byte(doc), 0) != Broken || w.Fault.Reason != schema.ReasonTooManyKeys {
		t.Errorf("fault is %+v", w.Fault)
	}
	// A text that was given up does not count: its keys are characters.
	doc = fmt.Sprintf(`{"t":%s,%s}`, encode("{"+members(0, 1500)+"]"), members(0, 1500))
	for range 2 {
		if w.Scan([]byte(doc), 0) != Done {
			t.Errorf("fault is %+v", w.Fault)
		}
	}
}

// Texts that are given up leave nothing behind, however many there are.
func TestTextsGivenUp(t *testing.T) {
	w := wants(t, defaults(), "t[]{}.a", "t[]{}.l[]")
	broken := string(encode("{" + members(0, 1500) + `,"l":[` + strings.Repeat("1,", maxValues/2) + "]}"))
	doc := `{"t":[` + strings.Repeat(broken+",", 12) + `{"a":1}]}`
	for range 2 {
		if w.Scan([]byte(doc), 0) != Done || w.String() != "t[]{}.a=1" {
			t.Fatalf("%+v %.200v", w.Fault, w)
		}
	}
}

// Text in text in text is read to a depth of maxNest, whatever paths want.
func TestTextNesting(t *testing.T) {
	const deep = 8
	text, path := `"x"`, "a"
	for range deep {
		text = fmt.Sprintf(`{"a":%s}`, text)
		text = string(encode(text))
		path = "a{}." + path
	}
	w := wants(t, &Limits{MaxDepth: 32, MaxKeys: 100, MaxString: 64 << 10, MaxDocument: 1 << 20}, path, strings.Repeat("a{}.", maxNest)+"a")
	for range 2 {
		if w.Scan([]byte(`{"a":`+text+`}`), 0) != Done {
			t.Fatalf("%+v", w.Fault)
		}
		if len(w.Values) != 1 || w.Values[0].Kind != String || !strings.HasPrefix(w.Values[0].Text, `{"a":"{`) {
			t.Errorf("kept %v", w)
		}
	}
}

// TestCut: a document that is cut anywhere is broken, and one that reaches over
// its limit is too large, wherever that falls; learned or not.
func TestCut(t *testing.T) {
	for _, c := range samples {
		doc := sample(t, c.name)
		w := wants(t, defaults(), c.paths...)
		if w.Scan(doc, 0) != Done {
			t.Fatal(w.Fault)
		}
		limits := *defaults()
		small := wants(t, &limits, c.paths...)
		if small.Scan(doc, 0) != Done {
			t.Fatal(small.Fault)
		}
		for n := range doc {
			if p := w.Scan(doc[:n:n], 0); p != Broken || w.Fault.Reason != schema.ReasonInvalidJSON {
				t.Fatalf("%s cut at %d: %v %+v", c.name, n, p, w.Fault)
			}
			limits.MaxDocument = n
			if p := small.Scan(doc, 0); p != Broken || small.Fault.Reason != schema.ReasonTooLarge {
				t.Fatalf("%s limited to %d: %v %+v", c.name, n, p, small.Fault)
			}
		}
	}
}

// TestLists: an array at the path of a list stops the scan, once it is known to
// hold documents.
func TestLists(t *testing.T) {
	w := wants(t, defaults(), "a", "b", "records[]")
	f := func(doc, list, want string) {
		t.Helper()
		for range 2 {
			p := w.Scan([]byte(doc), 0)
			if list != "" {
				if p != List || !strings.HasPrefix(doc[w.Pos:], list) {
					t.Fatalf("%s: %v at %d", doc, p, w.Pos)
				}
				p = w.Resume(w.Pos + len(list))
			}
			if p != Done || w.Pos != len(doc) || w.SawList != (list != "") || w.String() != want {
				t.Errorf("%s: %v %+v: %v", doc, p, w.Fault, w)
			}
		}
	}
	f(`{"a":1,"records":[{"a":2},{"a":3}],"b":4}`, `[{"a":2},{"a":3}]`, "a=1 b=4")
	f(`{"a":1,"records":[ ],"b":4}`, `[ ]`, "a=1 b=4")
	f(`{"records":[1,"x"],"b":4}`, "", "records[]=1 records[]=x b=4")
	f(`{"x":{"records":[{"a":2}]},"b":4}`, "", "b=4")
	tr, err := NewTrie([]string{"t{}"}) // a text is no list of documents
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Add("t{}[].a"); err != nil {
		t.Fatal(err)
	}
	if s := NewScanner(tr, defaults(), &arena.Arena{}); s.Scan([]byte(`{"t":"[{\"a\":1}]"}`), 0) != Done || len(s.Values) != 1 {
		t.Errorf("list in a text: %+v %+v", s.Fault, s.Values)
	}
	if p := w.Scan([]byte(`{"records":[{}],"records":1}`), 0); p != List || w.Resume(w.Pos+4) != Broken || w.Fault.Reason != schema.ReasonDuplicateKey {
		t.Errorf("list twice: %+v", w.Fault)
	}
}
