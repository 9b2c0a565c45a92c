package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// BenchmarkUpload accepts requests of 100 new objects, one after another, for an upload
// feed that has so many, while they are folded beside it.
func BenchmarkUpload(b *testing.B) {
	object := func(n int) json.RawMessage {
		return fmt.Appendf(nil, `{"type":"indicator","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00Z",`+
			`"pattern":"[domain-name:value = 'bad%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`, n, n)
	}
	for _, stored := range []int{0, 10_000, 200_000} {
		b.Run(fmt.Sprint(stored), func(b *testing.B) {
			var log bytes.Buffer
			cfg := DefaultConfig()
			cfg.UploadDir = filepath.Join(b.TempDir(), "uploads")
			f := fact.DefaultFeed()
			f.Name, f.Transport, f.Format = "upload-acme", fact.TransportUpload, fact.FormatSTIX
			cfg.Feeds = []fact.Feed{f}
			s, _ := onDisk(b, b.TempDir(), cfg, &log)
			next := 0
			objects := func(n int) []json.RawMessage {
				list := make([]json.RawMessage, n)
				for i := range list {
					list[i] = object(next)
					next++
				}
				return list
			}
			if stored > 0 {
				if err := s.ingest(b.Context(), &f, []upload.Record{{Time: schema.FromTime(time.Now()), Feed: f, Objects: objects(stored)}}); err != nil {
					b.Fatal(err)
				}
			}
			s.journal.Queue(f.Name)
			stop := s.start(b)
			var took []time.Duration
			for b.Loop() {
				list := objects(100)
				began := time.Now()
				useful, refused, err := s.Check(b.Context(), f, list)
				if err != nil || len(refused) > 0 || slices.Contains(useful, false) {
					b.Fatal(refused, err)
				}
				if n, err := s.journal.Queue(f.Name).Append(&upload.Record{Time: schema.FromTime(began), Feed: f, Objects: list}); n != 1 || err != nil {
					b.Fatal(n, err)
				}
				took = append(took, time.Since(began))
			}
			stop()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
