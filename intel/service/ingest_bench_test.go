package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

// BenchmarkIngest commits 100 new objects into an upload feed that has so many.
func BenchmarkIngest(b *testing.B) {
	object := func(n int) json.RawMessage {
		return fmt.Appendf(nil, `{"type":"indicator","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00Z",`+
			`"pattern":"[domain-name:value = 'bad%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`, n, n)
	}
	for _, stored := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprint(stored), func(b *testing.B) {
			var log bytes.Buffer
			s, _ := onDisk(b, b.TempDir(), DefaultConfig(), &log)
			f := fact.DefaultFeed()
			f.Name, f.Transport, f.Format = "upload-acme", fact.TransportUpload, fact.FormatSTIX
			next := 0
			send := func(n int) {
				list := make([]json.RawMessage, n)
				for i := range list {
					list[i] = object(next)
					next++
				}
				if refused, err := s.Ingest(b.Context(), f, list); err != nil || len(refused) > 0 {
					b.Fatal(refused, err)
				}
			}
			if stored > 0 {
				send(stored)
			}
			for b.Loop() {
				send(100)
			}
		})
	}
}
