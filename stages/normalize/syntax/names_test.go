package syntax

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/interdict/interdict/stages/normalize/extract"
)

func TestNameSet(t *testing.T) {
	s := newNameSet()
	for _, epoch := range []uint32{0, 7, math.MaxUint32} { // the last one comes round to zero
		s.epoch = epoch
		s.reset()
		for i := range 1000 { // more than it begins with
			if name := fmt.Sprint(i); !s.add(name) || s.add(name) {
				t.Fatalf("epoch %d: %s", epoch, name)
			}
		}
		for i := range 1000 {
			if s.add(fmt.Sprint(i)) {
				t.Fatalf("epoch %d: %d was forgotten", epoch, i)
			}
		}
	}
}

// TestManyKeys reads more names than the set begins with, twice each.
func TestManyKeys(t *testing.T) {
	limits := extract.Limits{MaxDepth: 4, MaxKeys: 2000, MaxString: 20, MaxDocument: 1 << 16}
	g := newRig(t, limits, "@cef.ext.*", "@kv.*")
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "k%d=first ", i)
	}
	for i := range 600 {
		fmt.Fprintf(&b, "k%d=second ", i)
	}
	for path, text := range map[string]string{"@cef.ext.*": "CEF:0|a|b|c|d|e|5|" + b.String(), "@kv.*": b.String()} {
		if f := g.read(text); f.Reason != 0 {
			t.Fatal(f)
		}
		got := g.all(path)
		if len(got) != 600 || strings.Contains(strings.Join(got, ""), "second") {
			t.Errorf("%s: %d values", path, len(got))
		}
	}
}

// TestLabels bounds what labels cost, and takes the first of each.
func TestLabels(t *testing.T) {
	limits := extract.Limits{MaxDepth: 4, MaxKeys: 2000, MaxString: 20, MaxDocument: 1 << 16}
	g := newRig(t, limits, "@cef.custom.*", "@cef.custom.a=b")
	var b strings.Builder
	for i := range 2 * maxLabels {
		fmt.Fprintf(&b, "k%d=v k%dLabel=l%d ", i, i, i)
	}
	g.read("CEF:0|a|b|c|d|e|5|" + b.String())
	if n := len(g.all("@cef.custom.*")); n != maxLabels {
		t.Errorf("%d labels", n)
	}
	g.read(`CEF:0|a|b|c|d|e|5|cs1=one cs1=two cs1Label=a\=b cs1Label=c`)
	if got := g.got("@cef.custom.a=b", "@cef.custom.*"); got != "one|one" {
		t.Error(got)
	}
}
