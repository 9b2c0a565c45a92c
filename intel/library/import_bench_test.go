package library

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// BenchmarkImport imports a list of 200,000 values: the first time, and again with
// a hundredth of it changed. It tells the bytes on disk and the memory in use.
func BenchmarkImport(b *testing.B) {
	const size = 200_000
	l := Open(b.TempDir(), DefaultConfig())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		im, err := l.Begin(context.Background(), feedOf("acme"), "bench", fact.Replace, day(n))
		if err != nil {
			b.Fatal(err)
		}
		for k := range size {
			if k%100 == n%100 {
				k += size * (n + 1)
			}
			if err := im.Said(k, domain(fmt.Sprintf("host-%d.zone%d.bad.example", k*7919%1_000_003, k))); err != nil {
				b.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if _, err := im.Commit(nil); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(size*n)/b.Elapsed().Seconds(), "facts/s")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "MB-heap")
	var bytes int64
	names, err := filepath.Glob(filepath.Join(l.feedDir("acme"), "*.facts"))
	if err != nil {
		b.Fatal(err)
	}
	st, err := l.state("acme")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{names[len(names)-1], generationFile(l.feedDir("acme"), st.Current, "current")} {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		bytes += info.Size()
	}
	b.ReportMetric(float64(bytes)/float64(st.Standing.Indicators), "B/indicator")
}

// BenchmarkRead goes through 200,000 indicators, as Each and building an index do.
func BenchmarkRead(b *testing.B) {
	const size = 200_000
	l := Open(b.TempDir(), DefaultConfig())
	im, err := l.Begin(context.Background(), feedOf("acme"), "bench", fact.Replace, day(0))
	if err != nil {
		b.Fatal(err)
	}
	for k := range size {
		if err := im.Said(k, domain(fmt.Sprintf("host-%d.bad.example", k))); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := im.Commit(nil); err != nil {
		b.Fatal(err)
	}
	b.Run("each", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Each(context.Background(), func(schema.Indicator) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "indicators/s")
	})
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := l.WriteSnapshot(context.Background(), match.DefaultConfig(), func(v Version) (string, error) { return l.snapshot(v, match.DefaultConfig()) }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "indicators/s")
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "www.host-77.bad.example"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
