package gen

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestStream(t *testing.T) {
	next, again := Suricata(7), Suricata(7)
	total, seen := 0, map[string]bool{}
	const n = 5_000
	for i := range n {
		b := next(nil, i)
		if !bytes.Equal(b, again(nil, i)) || !json.Valid(b) || !bytes.Contains(b, []byte(`"event_type":"alert"`)) {
			t.Fatalf("alert %d: %s", i, b)
		}
		if seen[string(b)] {
			t.Fatalf("alert %d is not new", i)
		}
		seen[string(b)] = true
		total += len(b)
	}
	if mean := total / n; mean < 1_000 || mean > 1_400 {
		t.Errorf("mean size %d bytes, want about 1,200", mean)
	}
	buf := make([]byte, 0, maxRecord)
	i := 0
	if allocs := testing.AllocsPerRun(1_000, func() { buf = next(buf[:0], i); i++ }); allocs != 0 {
		t.Errorf("%v allocations per alert", allocs)
	}
}

func BenchmarkSuricata(b *testing.B) {
	next := Suricata(1)
	buf := make([]byte, 0, maxRecord)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buf = next(buf[:0], i)
		b.SetBytes(int64(len(buf)))
	}
}
