package match

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestConcurrent asks from several goroutines while another changes, rebuilds, writes
// and opens snapshots. Values change in pairs, each pair in one list: a reader that
// ever sees one without the other has seen half a change.
func TestConcurrent(t *testing.T) {
	steps := 300
	if testing.Short() {
		steps = 100
	}
	domain := func(side string, i int) schema.Indicator {
		return ind(schema.ObservableDomain, fmt.Sprintf("%s%d.example", side, i))
	}
	const pairs = 2000
	var first []schema.Indicator
	for i := range pairs {
		first = append(first, domain("a", i), domain("b", i))
	}
	path := filepath.Join(t.TempDir(), "s")
	if err := build(t, first...).WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	x, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	h := &Holder{}
	h.Store(x)
	var done atomic.Bool
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			r := NewReader()
			for i := w; !done.Load(); i++ {
				x, n := h.Load(), 0
				for _, side := range []string{"a", "b"} {
					want := domain(side, i%pairs).Value
					r.Find(x, schema.Observable{Type: schema.ObservableDomain, Value: "w." + want}, func(i *schema.Indicator) {
						if n++; i.Value != want {
							t.Errorf("asked for %s, found %s", want, i.Value)
						}
					})
				}
				if n == 1 {
					t.Errorf("pair %d is there by half", i%pairs)
				}
			}
		})
	}
	there := [pairs]bool{}
	for i := range there {
		there[i] = true
	}
	for step := range steps {
		var list []Change
		for k := range 20 {
			i := (step*37 + k*101) % pairs
			op := Add
			if there[i] = !there[i]; !there[i] {
				op = Remove
			}
			list = append(list, Change{op, domain("a", i)}, Change{op, domain("b", i)})
		}
		if x, _, err = x.Apply(list); err != nil {
			break
		}
		if step%50 == 49 {
			id := x.ID()
			if err = x.WriteSnapshot(path); err != nil {
				break
			}
			if x, err = OpenSnapshot(path); err != nil {
				break
			}
			if x.ID() != id {
				t.Error("the snapshot is another index")
			}
		}
		h.Store(x)
	}
	done.Store(true)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range there {
		if there[i] {
			n += 2
		}
	}
	if x.Len() != n {
		t.Errorf("%d indicators, want %d", x.Len(), n)
	}
}
