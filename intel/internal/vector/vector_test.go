package vector_test

import (
	"crypto/sha256"
	"testing"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/internal/vector"
)

// BenchmarkSHA shows what Clear is for: the cost of a SHA-256 behind a text of JSON.
func BenchmarkSHA(b *testing.B) {
	text := []byte(`"abcdefg.example.com"`)
	for name, clear := range map[string]func(){"left": func() {}, "cleared": vector.Clear} {
		b.Run(name, func(b *testing.B) {
			var s string
			for b.Loop() {
				if err := json.Unmarshal(text, &s); err != nil {
					b.Fatal(err)
				}
				clear()
				_ = sha256.Sum256(text)
			}
		})
	}
}

// TestClearCostsNothing: it is called for every value of a feed.
func TestClearCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, vector.Clear); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
