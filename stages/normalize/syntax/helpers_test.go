package syntax

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

var testLimits = extract.Limits{MaxDepth: 16, MaxKeys: 500, MaxString: 4096, MaxDocument: 1 << 16}

// rig is a reader with what it needs, for the paths that a test wants.
type rig struct {
	*Reader
	arena arena.Arena
	tape  *extract.Tape
	scan  *extract.Scanner
	paths map[extract.Slot]string
}

func newRig(t testing.TB, limits extract.Limits, paths ...string) *rig {
	t.Helper()
	trie, err := extract.NewTrie(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{paths: map[extract.Slot]string{}}
	for _, p := range paths {
		s, err := trie.Add(p)
		if err != nil {
			t.Fatal(err)
		}
		g.paths[s] = p
	}
	g.Reader = New(trie, &limits, &g.arena)
	g.scan = extract.NewScanner(trie, &limits, &g.arena)
	g.tape = g.scan.Tape
	return g
}

// read reads one message onto an empty tape.
func (g *rig) read(text string) extract.Fault {
	g.scan.Begin()
	return g.Read([]byte(text), g.tape)
}

// all gives the values of a path.
func (g *rig) all(path string) (values []string) {
	for _, v := range g.tape.Values {
		if g.paths[v.Slot] == path {
			values = append(values, v.Text)
		}
	}
	return values
}

// got gives the values of the paths, joined.
func (g *rig) got(paths ...string) string {
	var out []string
	for _, p := range paths {
		out = append(out, strings.Join(g.all(p), "+"))
	}
	return strings.Join(out, "|")
}

// dump lists what is on the tape.
func (g *rig) dump(f extract.Fault) string {
	var b strings.Builder
	if f.Reason != 0 {
		fmt.Fprintf(&b, "  %s at %d: %s\n", f.Reason, f.At, f.What)
		return b.String()
	}
	for i, v := range g.tape.Values {
		if v.Kind == extract.Object {
			fmt.Fprintf(&b, "  %s = object of %d values, %d bytes\n", g.paths[v.Slot], int(v.Next)-i-1, len(v.Text))
			continue
		}
		fmt.Fprintf(&b, "  %s = %q\n", g.paths[v.Slot], v.Text)
	}
	if p := g.Payload(); p != nil {
		fmt.Fprintf(&b, "  payload %s\n", p)
	}
	return b.String()
}
