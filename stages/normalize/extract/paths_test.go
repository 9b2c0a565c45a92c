package extract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// wanted is a scanner with the paths by slot.
type wanted struct {
	*Scanner
	paths map[Slot]string
}

func wants(t testing.TB, limits *Limits, paths ...string) wanted {
	t.Helper()
	tr, err := NewTrie([]string{"records"})
	if err != nil {
		t.Fatal(err)
	}
	w := wanted{paths: map[Slot]string{}}
	for _, p := range paths {
		s, err := tr.Add(p)
		if err != nil {
			t.Fatal(err)
		}
		w.paths[s] = p
	}
	w.Scanner = NewScanner(tr, limits, &arena.Arena{})
	return w
}

// of gives the values of a path on the tape, as the reference writes them.
func (w wanted) of(path string) (out []string) {
	for _, v := range w.Values {
		if w.paths[v.Slot] == path {
			out = append(out, fmt.Sprintf("%d %s", v.Kind, v.Text))
		}
	}
	return out
}

// String renders the tape.
func (w wanted) String() string {
	var out []string
	for i, v := range w.Values {
		text := fmt.Sprintf("%s=%s", w.paths[v.Slot], v.Text)
		if v.Kind == Object {
			text += fmt.Sprintf("(%d)", int(v.Next)-i)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestPaths(t *testing.T) {
	f := func(doc, want string, paths ...string) {
		t.Helper()
		w := wants(t, defaults(), paths...)
		if p := w.Scan([]byte(doc), 0); p != Done || w.Pos != len(doc) {
			t.Fatalf("%s: %v %+v", doc, p, w.Fault)
		}
		if got := w.String(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", doc, got, want)
		}
	}
	f(`{"a":{"b":"x"},"b":"y"}`, "a.b=x", "a.b")
	f(`{"@odata.type":"x","@cef":{"vendor":"y"}}`, "@odata\\.type=x @cef.vendor=y", `@odata\.type`, "@cef.vendor")
	f(`{"a":null,"b":"","c":0,"d":true,"e":false}`, "c=0 d=true e=false", "a", "b", "c", "d", "e")
	f(`{"a":["x",{"b":"y"},["z"]]}`, `a[]=x a[]={"b":"y"}(2) a[].b=y`, "a[]", "a[].b")
	f(`{"a":[["x"],"y"]}`, "a[][]=x a[][]=y", "a[][]")
	f(`{"a":"x"}`, "a[]=x", "a[]")
	f(`{"a":{"b":"x"}}`, "a[].b=x", "a[].b")
	f(`{"a":"x"}`, "a=x a[]=x", "a", "a[]") // paths do not hide each other
	f(`{"a":{"b":"x"}}`, `a={"b":"x"}(3) a.b=x a[].b=x`, "a", "a.b", "a[].b")

	f(`{"a":{"x":"1","y":2,"z":{"q":3}}}`, `a.*=1 a.*=2 a.*={"q":3}(1)`, "a.*")
	f(`{"a":{"x":{"b":"1"},"y":{"b":"2"}},"b":"3"}`, "a.*.b=1 a.*.b=2", "a.*.b")
	f(`{"a":{"x":"1","y":"2"}}`, "a.x=1 a.*=1 a.*=2", "a.x", "a.*")
	f(`{"a":{"x":{"b":"1","c":"2"},"y":{"b":"3"}}}`, "a.*.b=1 a.x.c=2 a.*.b=3", "a.x.c", "a.*.b")
	f(`{"a":{"x":["1","2"]}}`, "a.*[]=1 a.*[]=2", "a.*[]")
	f(`{"x":"1","y":{"z":"2"}}`, `*=1 *={"z":"2"}(2) *.*=2`, "*", "*.*")
	f(`{"*":"1","x":"2"}`, `\*=1`, `\*`)
	f(`{"a[]":"1","a":"2","b{}":"3"}`, `a\[]=1 b\{}=3`, `a\[]`, `b\{}`)
	f(`{"a*":"1","a[0]":"2","c\\d":"3"}`, `a*=1 a[0]=2 c\\d=3`, "a*", "a[0]", `c\\d`)

	f(`{"a":"{\"b\":\"x\"}"}`, `a{}.b=x`, "a{}.b")
	f(`{"a":" {\"b\":\"x\"}\n"}`, `a{}={"b":"x"}(2) a{}.b=x`, "a{}", "a{}.b")
	f(`{"a":{"b":"x"}}`, `a{}={"b":"x"}(2) a{}.b=x`, "a{}", "a{}.b")
	f(`{"a":"[{\"b\":\"x\"},{\"b\":\"y\"}]"}`, `a{}[].b=x a{}[].b=y`, "a{}[].b")
	f(`{"a":"{\"b\":\"x\"}"}`, `a{}[].b=x`, "a{}[].b")
	f(`{"a":[{"b":"x"}]}`, `a{}[].b=x`, "a{}[].b")
	f(`{"a":["{\"b\":\"x\"}",{"b":"y"},"z"]}`, `a[]{}={"b":"x"}(2) a[]{}.b=x a[]{}={"b":"y"}(2) a[]{}.b=y a[]{}=z`, "a[]{}.b", "a[]{}")
	f(`{"a":"hello"}`, `a{}=hello`, "a{}", "a{}.b")
	f(`{"a":"hello"}`, ``, "a{}.b")
	f(`{"a":"17"}`, `a{}=17`, "a{}")
	f(`{"a":"{\"b\":1} x"}`, `a{}={"b":1} x`, "a{}", "a{}.b")
	f(`{"a":"{\"b\":1,"}`, `a{}={"b":1,`, "a{}", "a{}.b")
	f(`{"a":"{\"b\":1,\"b\":2}"}`, `a{}={"b":1,"b":2}`, "a{}", "a{}.b")
	f(`{"a":"{\"b\":\"x\"}"}`, `a={"b":"x"} a{}={"b":"x"}(2) a{}.b=x`, "a", "a{}", "a{}.b")
	f(`{"a":"{\"b\":\"x\"}","c":"y"}`, `a={"b":"x"} c=y`, "a", "c")
	f(`{"a":"{\"b\":\"{\\\"c\\\":\\\"x\\\"}\"}"}`, `a{}.b{}.c=x`, "a{}.b{}.c")
	f(`{"a":{"x":"{\"b\":\"1\"}","y":{"b":"2"}}}`, `a.*{}.b=1 a.*{}.b=2`, "a.*{}.b")
}

func TestBadPaths(t *testing.T) {
	for _, p := range []string{"", ".", "a.", ".a", "a..b", "[]", "{}", "a.[]", "a[]b", "a{}b", `a\`, strings.Repeat("a.", maxSteps) + "a"} {
		tr, err := NewTrie(nil)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := tr.Add(p); err == nil {
			t.Errorf("%q has slot %d", p, s)
		}
		if _, err := NewTrie([]string{p}); err == nil {
			t.Errorf("%q is a list", p)
		}
	}
}

func TestTrieIsBounded(t *testing.T) {
	tr, err := NewTrie(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxNodes {
		if _, err = tr.Add(fmt.Sprintf("a%d", i)); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("takes any number of paths")
	}
	// Stars at each of many levels stand for as many sets of paths as there are
	// subsets of levels.
	if tr, err = NewTrie(nil); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		p := strings.Repeat("*.", i) + "a" + strings.Repeat(".*", 20)
		if _, err := tr.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Compile(); err == nil {
		t.Error("compiled without bound")
	}
}

func TestAddAfterCompile(t *testing.T) {
	tr, err := NewTrie(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := tr.Add("a")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := tr.Add("a"); again != a || err != nil {
		t.Errorf("same path, slots %d and %d, %v", a, again, err)
	}
	if err := tr.Compile(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Add("b"); err == nil {
		t.Error("added after Compile")
	}
}

// Text syntaxes put values on the tape by hand.
func TestByHand(t *testing.T) {
	w := wants(t, defaults(), "@kv.user", "@kv.*", "@kv.msg{}.b", "Event.Data[]", "Event.Data[].x", "Event")
	put := func(node uint16, text string) {
		t.Helper()
		if !w.Put(node, text) {
			t.Fatalf("%s was not kept", text)
		}
	}
	for range 2 {
		w.Begin()
		kv := w.trie.Child(Root, "@kv")
		for _, pair := range [][2]string{{"user", "alice"}, {"other", "x"}, {"msg", `{"b":"y"}`}, {"empty", ""}} {
			put(w.trie.Child(kv, pair[0]), pair[1])
		}
		if w.trie.Child(Root, "nobody") != 0 || w.trie.Child(0, "user") != 0 || w.trie.Elem(0) != 0 || w.trie.SlotOf(0) != 0 {
			t.Error("something is wanted that is not")
		}
		event := w.trie.Child(Root, "Event")
		mark, ok := w.Open(w.trie.SlotOf(event))
		if !ok {
			t.Fatal("no room")
		}
		data := w.trie.Elem(w.trie.Child(event, "Data"))
		if s := w.trie.SlotOf(data); s == 0 || !w.Keep(s, String, "1") {
			t.Fatal("element was not kept")
		}
		put(w.trie.Child(data, "x"), "2")
		w.Close(mark, "<Event/>")
		const want = `@kv.user=alice @kv.*=alice @kv.*=x @kv.*={"b":"y"} @kv.msg{}.b=y Event=<Event/>(3) Event.Data[]=1 Event.Data[].x=2`
		if got := w.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// document draws a document in which the names of drawn paths turn up.
func document(r *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(r, "kind")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false", "12", "-0.5e3", "9007199254740993", `""`, `"é\n"`, `" "`}).Draw(r, "scalar")
	case 1:
		return `"x"`
	case 2, 3, 4:
		if depth == 0 {
			return rapid.SampledFrom([]string{`"{"`, `"[1,2]"`, `"{\"a\":1,\"a\":2}"`, `"[] x"`, `{}`, `[]`}).Draw(r, "leaf")
		}
		text, err := json.Marshal(document(r, depth-1))
		if err != nil {
			panic(err)
		}
		return string(text)
	case 5, 6:
		var all []string
		for range rapid.IntRange(0, 3).Draw(r, "elements") {
			all = append(all, document(r, depth-1))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	return object(r, depth-1)
}

func object(r *rapid.T, depth int) string {
	var all []string
	for _, name := range rapid.Permutation([]string{`"a"`, `"b"`, `"c"`, `"\u0061b"`}).Draw(r, "names")[:rapid.IntRange(0, 4).Draw(r, "members")] {
		all = append(all, name+": "+document(r, depth))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// TestReference: whatever else is wanted, a path gives what the reference says,
// and the values of an object are between it and its Next.
func TestReference(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "b", "c", "ab", "*", "a[]", "b{}", "a{}[]", "*[]", "*{}", "b[]{}", "c[][]", "c{}{}"})
	rapid.Check(t, func(r *rapid.T) {
		var paths []string
		for range rapid.IntRange(1, 6).Draw(r, "paths") {
			paths = append(paths, strings.Join(rapid.SliceOfN(part, 1, 4).Draw(r, "parts"), "."))
		}
		w := wants(t, defaults(), paths...)
		for range 3 {
			doc := object(r, 4)
			if w.Scan([]byte(doc), 0) != Done {
				r.Fatalf("%s: %+v", doc, w.Fault)
			}
			for _, p := range paths {
				if got, want := w.of(p), reference(p, []byte(doc)); !slices.Equal(got, want) {
					r.Fatalf("%s of %q in\n%s\ngot  %q\nwant %q", p, paths, doc, got, want)
				}
			}
			checkTape(r, w.Tape)
		}
	})
}

// checkTape checks what holds of every tape.
func checkTape(t interface{ Fatalf(string, ...any) }, tape *Tape) {
	first, last := map[Slot]uint16{}, map[Slot]int{}
	var open []uint16
	for i, v := range tape.Values {
		if first[v.Slot] == 0 {
			first[v.Slot] = uint16(i + 1)
		} else if before := tape.Values[last[v.Slot]]; !before.More || i < int(before.Next) {
			t.Fatalf("value %d is of the slot of %d, %+v", i, last[v.Slot], before)
		}
		last[v.Slot] = i
		for len(open) > 0 && i >= int(open[len(open)-1]) {
			open = open[:len(open)-1]
		}
		if v.Kind != Object {
			if v.Next != 0 || v.Text == "" {
				t.Fatalf("value %d is %+v", i, v)
			}
			continue
		}
		if int(v.Next) <= i || int(v.Next) > len(tape.Values) || len(open) > 0 && v.Next > open[len(open)-1] {
			t.Fatalf("object %d ends at %d of %d, within %v", i, v.Next, len(tape.Values), open)
		}
		open = append(open, v.Next)
	}
	for s, i := range tape.First {
		if first[Slot(s)] != i {
			t.Fatalf("slot %d begins at %d, not %d", s, first[Slot(s)], i)
		}
	}
}
