package retro

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
)

// BenchmarkSee remembers alerts of which one in ten names something new, a thousand
// at a time: a range of the log.
func BenchmarkSee(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Dir = b.TempDir()
	s, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	part := make([]schema.Alert, 1000)
	for n := 0; b.Loop(); n++ {
		for i := range part {
			at := n*len(part) + i
			part[i] = schema.Alert{Created: noon + schema.Millis(at), Ingested: noon, Entities: []schema.Entity{
				{Type: schema.EntityIP, Key: fmt.Sprintf("10.0.%d.%d", at/10%256, i%100)}, {Type: schema.EntityHost, Key: "ws-7"},
				{Type: schema.EntityDomain, Key: fmt.Sprintf("h%d.cdn.good.example", at/10)}, {Type: schema.EntityURL, Key: "https://good.example/a/b/c?d=1"}}}
		}
		if err := s.See(part); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(part)), "ns/alert")
}

// BenchmarkLook asks a month of busy hours for fifty thousand new indicators.
func BenchmarkLook(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Dir = b.TempDir()
	s, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const hours, perHour = 48, 20_000
	for h := range hours {
		var notes []schema.Alert
		for n := range perHour {
			notes = append(notes, schema.Alert{Created: noon - schema.Millis(h)*schema.Hour, Ingested: noon,
				Entities: []schema.Entity{{Type: schema.EntityFileHash, Key: fmt.Sprintf("%032x", h*perHour+n)}}})
		}
		if err := s.See(notes); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Fold(noon); err != nil {
		b.Fatal(err)
	}
	questions := make([]uint64, pass)
	for i := range questions {
		questions[i] = key(schema.ObservableHash, fmt.Sprintf("new %d", i))
	}
	for b.Loop() {
		if _, _, err := s.look(b.Context(), questions, -1<<31); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*hours*pass), "ns/question/hour")
}
