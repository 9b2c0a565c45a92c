package match

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/schema"
)

// BenchmarkFind is one question about one key, at random among a million, with the
// records in a snapshot file.
func BenchmarkFind(b *testing.B) {
	const n = 1_000_000
	bld, err := NewBuilder(DefaultConfig(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		if err := bld.Add(ind(schema.ObservableHash, fmt.Sprintf("%064x", i))); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "s")
	if err := bld.WriteSnapshot(path); err != nil {
		b.Fatal(err)
	}
	x, err := OpenSnapshot(path)
	if err != nil {
		b.Fatal(err)
	}
	questions := func(from, of int) []schema.Observable {
		r := rand.New(rand.NewPCG(1, 2))
		list := make([]schema.Observable, 1<<16)
		for i := range list {
			list[i] = schema.Observable{Type: schema.ObservableHash, Value: fmt.Sprintf("%064x", from+r.IntN(of))}
		}
		return list
	}
	f := func(name string, list []schema.Observable) {
		b.Run(name, func(b *testing.B) {
			r, found := NewReader(), 0
			for i := range list {
				r.Find(x, list[i], func(*schema.Indicator) {})
			}
			count := func(*schema.Indicator) { found++ }
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r.Find(x, list[i&(1<<16-1)], count)
			}
			if name == "absent" && found > 0 || name != "absent" && found < b.N {
				b.Fatalf("%d of %d found", found, b.N)
			}
		})
	}
	f("absent", questions(n, n))
	f("present", questions(0, n))
	f("recent", questions(0, 1000))
}
