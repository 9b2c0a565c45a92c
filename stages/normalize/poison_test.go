package normalize

import (
	"bytes"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// with gives eveA with another member.
func with(member string) string { return eveA[:len(eveA)-1] + "," + member + "}" }

// TestPoison: each hostile document is rejected for its own reason, with its
// bytes, and the documents around it are not touched.
func TestPoison(t *testing.T) {
	n := newNormalizer(t, nil)
	f := func(name, doc string, want schema.Reason) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			b := run(t, n, testSource(), 0, []byte(eveA+"\n"+doc+"\n"+eveB))
			if want == schema.ReasonNone {
				if len(b.Alerts) != 3 || len(b.Rejects) != 0 {
					t.Errorf("%d alerts, rejects %+v", len(b.Alerts), b.Rejects)
				}
				return
			}
			if len(b.Alerts) != 2 || len(b.Rejects) != 1 || b.Rejects[0].Reason != want {
				t.Fatalf("%d alerts, rejects %+.200v, want %v", len(b.Alerts), b.Rejects, want)
			}
			if !bytes.Equal(b.Rejects[0].Bytes, []byte(doc)) {
				t.Errorf("bytes were not kept: %.100q", b.Rejects[0].Bytes)
			}
		})
	}
	f("plain", eveA, schema.ReasonNone)
	f("duplicate key", with(`"src_ip":"10.9.9.9"`), schema.ReasonDuplicateKey)
	f("duplicate key nobody wants", with(`"x":{"y":[{"q":1,"q":1}]}`), schema.ReasonDuplicateKey)
	f("duplicate key, escaped", with(`"src\u005fip":"10.9.9.9"`), schema.ReasonDuplicateKey)
	f("duplicate empty key", with(`"x":{"":1,"":2}`), schema.ReasonDuplicateKey)
	f("same key in different objects", with(`"x":[{"a":1},{"a":2,"b":{"a":3}}]`), schema.ReasonNone)
	f("same key in other case", with(`"SRC_IP":"10.9.9.9"`), schema.ReasonNone)
	f("invalid UTF-8 in a value", with("\"x\":\"\xff\""), schema.ReasonInvalidUTF8)
	f("invalid UTF-8 in a key", with("\"\xc3\x28\":1"), schema.ReasonInvalidUTF8)
	f("overlong UTF-8", with("\"x\":\"\xc0\xaf\""), schema.ReasonInvalidUTF8)
	f("surrogate in UTF-8", with("\"x\":\"\xed\xa0\x80\""), schema.ReasonInvalidUTF8)
	f("lone high surrogate", with(`"x":"\ud800"`), schema.ReasonInvalidUTF8)
	f("lone low surrogate", with(`"x":"\udc00"`), schema.ReasonInvalidUTF8)
	f("high surrogate before text", with(`"x":"\ud800abcdefgh"`), schema.ReasonInvalidUTF8)
	f("two high surrogates", with(`"x":"\ud800\ud800"`), schema.ReasonInvalidUTF8)
	f("surrogate pair", with(`"x":"\ud83d\ude00"`), schema.ReasonNone)
	f("NUL, escaped", with(`"x":"\u0000"`), schema.ReasonNone)
	f("control character", with("\"x\":\"a\x01b\""), schema.ReasonInvalidJSON)
	f("unknown escape", with(`"x":"\x41"`), schema.ReasonInvalidJSON)
	f("NaN", with(`"x":NaN`), schema.ReasonInvalidJSON)
	f("Infinity", with(`"x":-Infinity`), schema.ReasonInvalidJSON)
	f("leading zero", with(`"x":01`), schema.ReasonInvalidJSON)
	f("plus", with(`"x":+1`), schema.ReasonInvalidJSON)
	f("bare point", with(`"x":1.`), schema.ReasonInvalidJSON)
	f("bare exponent", with(`"x":1e`), schema.ReasonInvalidJSON)
	f("numbers", with(`"x":[0,-0,1.5e+10,-2E-3,123456789012345678901234567890]`), schema.ReasonNone)
	f("bad literal", with(`"x":nul`), schema.ReasonInvalidJSON)
	f("comma at the end", with(`"x":[1,]`), schema.ReasonInvalidJSON)
	f("comma at the start", `{,}`, schema.ReasonInvalidJSON)
	f("no comma", `{"a":[1 2]}`, schema.ReasonInvalidJSON)
	f("no colon", `{"a" "b"}`, schema.ReasonInvalidJSON)
	f("brackets crossed", `{"a":[}]`, schema.ReasonInvalidJSON)
	f("single quotes", `{'a':1}`, schema.ReasonInvalidJSON)
	f("comment", `{"a":1/*x*/}`, schema.ReasonInvalidJSON)
	f("cut", eveA[:len(eveA)/2], schema.ReasonInvalidJSON)
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
	f("2,001 keys", manyKeys(2001), schema.ReasonTooManyKeys)
	f("values without end", with(`"smtp":{"rcpt_to":[`+strings.Repeat(`"a",`, 20_000)+`"b"]}`), schema.ReasonTooLarge)
	f("entities without end", with(`"smtp":{"rcpt_to":[`+manyMailboxes(600)+`]}`), schema.ReasonTooLarge)
}

// The rest after a document that is well formed itself is a document of its own.
func TestTrailingGarbage(t *testing.T) {
	n := newNormalizer(t, nil)
	for _, tail := range []string{"}", "]", "x", ",", `"a":1`} {
		b := run(t, n, testSource(), 0, []byte(eveA+tail))
		if len(b.Alerts) != 1 || len(b.Rejects) != 1 || string(b.Rejects[0].Bytes) != tail && tail != `"a":1` {
			if tail == `"a":1` && len(b.Rejects) == 2 {
				continue // a string, then garbage
			}
			t.Errorf("%q: %d alerts, rejects %+v", tail, len(b.Alerts), b.Rejects)
		}
	}
}

func manyKeys(n int) string {
	var w strings.Builder
	w.WriteString(`{"k":0`)
	for i := 1; i < n; i++ {
		w.WriteString(`,"k` + strings.Repeat("x", i%97) + strings.Repeat("y", i/97) + `":0`)
	}
	return w.String() + "}"
}

func manyMailboxes(n int) string {
	var w []string
	for i := range n {
		w = append(w, `"`+strings.Repeat("a", 1+i%30)+strings.Repeat("b", i/30)+`@corp.example"`)
	}
	return strings.Join(w, ",")
}

// TestExactNumbers: what a number says survives to the digit.
func TestExactNumbers(t *testing.T) {
	n := newNormalizer(t, nil)
	doc := strings.Replace(eveA, `"signature_id":1`, `"signature_id":9007199254740993`, 1)
	if b := run(t, n, testSource(), 0, []byte(doc)); b.Alerts[0].RuleUID != "9007199254740993" {
		t.Errorf("rule is %s", b.Alerts[0].RuleUID)
	}
}

func TestContentSumIsSchemas(t *testing.T) {
	b := run(t, newNormalizer(t, nil), testSource(), 0, []byte(eveA))
	a := &b.Alerts[0]
	if a.VendorID != schema.ContentSum([]byte(eveA)) || a.ID != schema.NewAlertID("acme", "s1", a.VendorID) || a.Ingested != a.Created {
		t.Errorf("alert is %+v", a)
	}
}
