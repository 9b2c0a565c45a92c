package parse

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

// heap gives the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// allocated gives the bytes that f allocates in all: more than it ever holds.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// TestLongLine: a line far longer than the memory that it may cost.
func TestLongLine(t *testing.T) {
	const size = 1 << 29
	for _, format := range []fact.Format{fact.FormatList, fact.FormatCSV} {
		var s sink
		used := allocated(func() {
			in := io.MultiReader(strings.NewReader("a.example\n"), io.LimitReader(endless{}, size), strings.NewReader("\nb.example\n"))
			err := Read(context.Background(), in, feed(func(f *fact.Feed) { f.MaxBytes, f.CSV.Header = 2*size, "no" }), fact.Part{Format: format}, now, &s)
			if err != nil {
				t.Error(err)
			}
		})
		s.want(t, "domain=a.example", "domain=b.example").wantRefused(t, "longer than")
		if used > 4<<20 {
			t.Errorf("%s: %d bytes allocated", format, used)
		}
	}
}

// TestLongJSON: a value longer than any may be costs no more than what may be one.
func TestLongJSON(t *testing.T) {
	const size = 1 << 28
	var s sink
	used := allocated(func() {
		in := io.MultiReader(strings.NewReader(`{"type":"bundle","objects":[{"type":"identity","name":"`), io.LimitReader(endless{}, size), strings.NewReader(`"},`+stixSaid("1", "203.0.113.1", "")+`]}`))
		if err := Read(context.Background(), in, feed(), fact.Part{}, now, &s); err != nil {
			t.Error(err)
		}
	})
	s.want(t, "ip=203.0.113.1").wantRefused(t, "longer than")
	if used > 64<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

// TestBomb: what unpacks to more than it may is an error, in bounded memory.
func TestBomb(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.Copy(z, io.LimitReader(endless{}, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	used := allocated(func() {
		err := Read(context.Background(), bytes.NewReader(packed.Bytes()), feed(func(f *fact.Feed) { f.MaxBytes = 1 << 20 }), fact.Part{}, now, &counter{})
		if err == nil || !strings.Contains(err.Error(), "max_bytes") {
			t.Errorf("error %v", err)
		}
	})
	if used > 4<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

// TestNesting: neither brackets without end nor bundles in bundles cost a stack.
func TestNesting(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 1<<20), strings.Repeat(`{"objects":[`, 1<<18), strings.Repeat(`{"Event":`, 1<<18), strings.Repeat(`{"a":[`, 1<<18),
		`[` + strings.Repeat(`{"type":"bundle","objects":[`, 1000) + strings.Repeat("]}", 1000) + `]`,
		strings.Repeat(`{"data":[`, 1<<18), strings.Repeat(`{"data":[`, 20) + strings.Repeat("]}", 20) + strings.Repeat(" ", 1000), strings.Repeat(`{"data":{"results":`, 1<<17),
		`[` + strings.Repeat(`{"type":"bundle","objects":[`, 20) + strings.Repeat("]}", 20) + `]`,
	} {
		var c counter
		err := Read(context.Background(), strings.NewReader(text), feed(), fact.Part{}, now, &c)
		if err == nil && c.refused == 0 && len(text) > 1000 {
			t.Errorf("%.20s: neither an error nor a refusal", text)
		}
	}
	if _, err := Pattern(strings.Repeat("(", 1<<20)); err == nil {
		t.Error("a pattern of brackets was read")
	}
}

// TestOddJSON: what JSON allows and nobody means.
func TestOddJSON(t *testing.T) {
	s := read(t, bundled(
		stixSaid("1", "203.0.113.1", `,"id":"indicator--2"`), // the last counts
		stixSaid("3", "203.0.113.3", `,"confidence":123456789012345678901234567890`),
		stixSaid("4", "203.0.113.4", `,"confidence":-1`),
		stixSaid("5", "203.0.113.5", `,"Pattern":"[ipv4-addr:value = '203.0.113.99']"`), // another member
	)).want(t, "ip=203.0.113.1", "ip=203.0.113.3", "ip=203.0.113.4", "ip=203.0.113.5")
	if s.said[0].ID != "indicator--2" || s.said[1].Confidence != 100 || s.said[2].Confidence != 0 {
		t.Errorf("said %+v", s.said)
	}
}

// TestManyLabels: an object that says its label over and over costs as much as any other
// of its length, and so do the rows in one with very many labels.
func TestManyLabels(t *testing.T) {
	const size = 1 << 20
	many := strings.Repeat(`,"tag":"x"`, size/10)
	for name, text := range map[string]string{
		"of a row":       `{"ip":"203.0.113.7"` + many + `}`,
		"of a document":  `{"data":[{"ip":"203.0.113.7"}]` + many + `}`,
		"of many rows":   `{"tag":"` + strings.Repeat("x,", size/4) + `","data":[{"ip":"203.0.113.7"}` + strings.Repeat(`,{"ip":"203.0.113.7"}`, size/40) + `]}`,
		"of many fields": strings.Repeat("tag,", 1000) + "ip\n" + strings.Repeat(strings.Repeat("xxxxxxxxx,", 1000)+"203.0.113.7\n", size/10_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := &counter{}
			used := allocated(func() {
				if err := Read(context.Background(), strings.NewReader(text), feed(), fact.Part{}, now, s); err != nil {
					t.Error(err)
				}
			})
			if s.said == 0 || used > 256*size {
				t.Errorf("%d taken, %d bytes for %d", s.said, used, len(text))
			}
		})
	}
}
