package match

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/interdict/interdict/schema"
)

func BenchmarkProcess(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("indicators=%d", n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			list := make([]schema.Indicator, n)
			for i := range list {
				list[i] = ind(schema.ObservableDomain, fmt.Sprintf("d%x.example", r.Uint64()))
			}
			list[0] = ind(schema.ObservableCIDR, "198.51.100.0/24")
			h := &Holder{}
			h.Store(build(b, list...))
			m := New(DefaultConfig(), h)
			batch := &schema.Batch{}
			for range 256 {
				a := batch.NextAlert()
				a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityHost, Key: "web-1"},
					schema.Entity{Type: schema.EntityIP, Key: fmt.Sprintf("10.0.%d.%d", r.IntN(256), r.IntN(256))},
					schema.Entity{Type: schema.EntityIP, Key: fmt.Sprintf("203.0.113.%d", r.IntN(256))},
					schema.Entity{Type: schema.EntityDomain, Key: fmt.Sprintf("w%d.cdn.example.org", r.IntN(1000))},
					schema.Entity{Type: schema.EntityURL, Key: fmt.Sprintf("https://w%d.example.org/a/b", r.IntN(1000))},
					schema.Entity{Type: schema.EntityFileHash, Key: fmt.Sprintf("%064x", r.Uint64())})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += len(batch.Alerts) {
				if err := m.Process(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
