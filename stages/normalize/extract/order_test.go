package extract

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// same compares what two scanners made of a document.
func same(a, b *Scanner, p, q Progress) string {
	switch {
	case p != q || a.Fault != b.Fault || p == Done && a.Pos != b.Pos:
		return fmt.Sprintf("%v %+v at %d, fresh %v %+v at %d", p, a.Fault, a.Pos, q, b.Fault, b.Pos)
	case !slices.Equal(a.Values, b.Values) || !slices.Equal(a.First, b.First):
		return fmt.Sprintf("tape\n%+v\nfresh\n%+v", a.Values, b.Values)
	}
	return ""
}

// TestOrderChangesNothing: whatever went through a scanner before, a document
// gives what it gives to a fresh one. Buffers are overwritten after use.
func TestOrderChangesNothing(t *testing.T) {
	var seeds [][]byte
	for _, c := range samples {
		seeds = append(seeds, sample(t, c.name))
	}
	seeds = append(seeds, []byte(base), []byte(with(`"src_ip":2`)), []byte(`{"a\"b":{"a":[{"a":1,"b":2},{"b":1,"a":2,"a":3}]}}`))
	paths := append(allPaths(), "*", "*.*", "a[].b", "a{}.b", "alert{}.tags[]", "b")
	old := newScanner(t, defaults(), paths...)
	buf := make([]byte, 0, 64<<10)
	rapid.Check(t, func(r *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
		for range rapid.IntRange(1, 6).Draw(r, "documents") {
			doc := buf[:0]
			switch rapid.IntRange(0, 3).Draw(r, "kind") {
			case 0:
				doc = append(doc, object(r, 4)...)
			case 1:
				doc = append(doc, rapid.SampledFrom(seeds).Draw(r, "sample")...)
			case 2:
				doc = append(doc, seeds[rnd.IntN(len(seeds))]...)
				for range 1 + rnd.IntN(3) { // damaged
					i := rnd.IntN(len(doc))
					doc[i] = "\"\\{}[],:0a \x00\xff"[rnd.IntN(13)]
				}
			case 3:
				odd := []string{`"{\"a\":1,\"b\":{\"a\":2}}"`, `{"b":1}`, `[{"a":1},{"b":2}]`, "null"}
				doc = append(doc, rewrite(seeds[rnd.IntN(4)], rnd, rnd.IntN(2) == 0, func() string {
					if rnd.IntN(10) > 0 {
						return ""
					}
					return odd[rnd.IntN(len(odd))]
				})...)
			}
			old.arena.Reset()
			fresh := newScanner(t, defaults(), paths...)
			p := old.Scan(doc, 0)
			if diff := same(old, fresh, p, fresh.Scan(doc, 0)); diff != "" {
				r.Fatalf("%s\n%s", doc, diff)
			}
			if p == Done {
				checkTape(r, old.Tape)
			}
			clear(doc)
		}
	})
}

// TestOrderIsBounded: keys without end fill what there is, and are forgotten
// after a while; results stay right when there is no room, and while it fills.
func TestOrderIsBounded(t *testing.T) {
	for name, make := range map[string]func(i int) string{
		"keys":      func(i int) string { return fmt.Sprintf(`{"k%d":1,"a":{"k%d":2,"b":"x"},"z%d":3}`, i, i, i) },
		"places":    func(i int) string { return fmt.Sprintf(`{"a":{"k%d":{"k":{"b":1}},"b":"x"}}`, i%200*7+i/200) },
		"long keys": func(i int) string { return fmt.Sprintf(`{"%s%d":1,"a":{"b":"x"}}`, strings.Repeat("k", maxName-8), i) },
		"long keys in many places": func(i int) string {
			long := strings.Repeat("k", maxName-12)
			return fmt.Sprintf(`{"a":{"k%d":{%s},"b":"x"}}`, i%200, strings.ReplaceAll(members(i*10, i*10+10), "m", long))
		},
		"short keys in many places": func(i int) string {
			return fmt.Sprintf(`{"a":{"k%d":{%s},"b":"x"}}`, i%200, members(i*20, i*20+20))
		},
		"all at once": func(i int) string {
			return fmt.Sprintf(`{%s,"a":{%s,"b":"x"}}`, members(i*50, i*50+300), members(i*50, i*50+200))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScanner(t, defaults(), "a.b")
			forgot := 0
			for i := range 3 * relearnAfter {
				before := s.order.docs
				doc := make(i)
				if s.Scan([]byte(doc), 0) != Done || len(s.Values) != 1 || s.Values[0].Text != "x" {
					t.Fatalf("%s: %+v %+v", doc, s.Fault, s.Values)
				}
				twice := strings.Replace(doc, `"b":"x"`, `"b":"x","b":"y"`, 1)
				if s.Scan([]byte(twice), 0) != Broken {
					t.Fatalf("took %s", twice)
				}
				o := &s.order
				if o.docs < before {
					forgot++
					if len(o.names.Buf) > maxNames/2 || len(o.keys) > maxKnown/2 || len(o.shapes) > maxShapes/2 {
						t.Fatalf("%d keys, %d shapes, %d bytes are left", len(o.keys), len(o.shapes), len(o.names.Buf))
					}
				}
				if len(o.keys) > maxKnown || len(o.shapes) > maxShapes || len(o.names.Buf) > maxNames || len(o.cells) > 4*maxKnown {
					t.Fatalf("%d keys, %d shapes, %d bytes, %d cells", len(o.keys), len(o.shapes), len(o.names.Buf), len(o.cells))
				}
			}
			if forgot == 0 || forgot > 6 {
				t.Errorf("forgot %d times", forgot)
			}
		})
	}
}

func TestShapesOfAPlace(t *testing.T) {
	o := newOrder()
	for node := range uint16(2 * maxShapeNodes) {
		sh := o.at(rootKey, node)
		if (sh != 0) != (node < maxShapeNodes) || sh != 0 && o.at(rootKey, node) != sh {
			t.Errorf("node %d has shape %d", node, sh)
		}
	}
}

// TestOrderIsLearned: from the third document on, no key is looked for.
func TestOrderIsLearned(t *testing.T) {
	for _, c := range samples {
		s := newScanner(t, defaults(), c.paths...)
		doc := sample(t, c.name)
		for range 2 {
			if s.Scan(doc, 0) != Done {
				t.Fatal(s.Fault)
			}
		}
		for i := range s.order.keys {
			s.order.keys[i].hash++ // nothing is found by its hash any more
		}
		n := len(s.order.keys)
		clear(s.order.cells)
		if s.Scan(doc, 0) != Done {
			t.Fatal(s.Fault)
		}
		if got := len(s.order.keys); got > n+n/10 { // evidence of several kinds in turn
			t.Errorf("%s: %d of %d keys were looked for", c.name, got-n, n)
		}
		if got := testing.AllocsPerRun(100, func() { s.arena.Reset(); s.Scan(doc, 0) }); got != 0 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
}

// TestKeyOrder: the order of keys, spaces and needless escapes change nothing.
func TestKeyOrder(t *testing.T) {
	for _, c := range samples {
		doc := sample(t, c.name)
		w := wants(t, defaults(), c.paths...)
		values := func(doc []byte) (out []string) {
			if w.Scan(doc, 0) != Done {
				t.Fatalf("%s: %+v", doc, w.Fault)
			}
			for _, v := range w.Values {
				if v.Kind == Object {
					v.Text = ""
				}
				out = append(out, fmt.Sprintf("%s %d %s", w.paths[v.Slot], v.Kind, v.Text))
			}
			slices.Sort(out)
			return out
		}
		want := values(doc)
		if len(want) < 10 {
			t.Fatalf("%s: only %d values", c.name, len(want))
		}
		rapid.Check(t, func(r *rapid.T) {
			rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
			again := rewrite(doc, rnd, true, func() string { return "" })
			if got := values(again); !slices.Equal(got, want) {
				r.Fatalf("%s\ngot  %q\nwant %q", again, got, want)
			}
		})
	}
}
