package chdb

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"pgregory.net/rapid"
)

// TestFramesProperty: what is written in any pieces is read back; a stream cut
// anywhere but between frames ends in an error, and never silently.
func TestFramesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w := newFrameWriter(&out, rapid.Bool().Draw(t, "zstd"))
		var want []byte
		ends := map[int]int{0: 0} // encoded length -> plain length
		for range rapid.IntRange(1, 4).Draw(t, "pieces") {
			piece := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "piece"), rapid.SampledFrom([]int{1, 100}).Draw(t, "times"))
			if n, err := w.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
			want = append(want, piece...)
			ends[out.Len()] = len(want)
		}
		cut := rapid.IntRange(0, out.Len()).Draw(t, "cut")
		got, err := io.ReadAll(newFrameReader(iotest.HalfReader(bytes.NewReader(out.Bytes()[:cut]))))
		if !bytes.HasPrefix(want, got) {
			t.Fatalf("read %d bytes that were not written", len(got))
		}
		plain, whole := ends[cut]
		if whole && (err != nil || len(got) != plain) {
			t.Fatalf("cut between frames: %d bytes of %d, %v", len(got), plain, err)
		}
		if !whole && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut inside a frame at %d of %d: %v", cut, out.Len(), err)
		}
	})
}

func TestLongWriteIsSplit(t *testing.T) {
	var out bytes.Buffer
	want := bytes.Repeat([]byte("0123456789"), 250_000)
	if _, err := newFrameWriter(&out, false).Write(want); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(newFrameReader(&out))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

// FuzzFrameReader: any input ends in data or an error, without a panic, and
// never in more data than its frames announce at their largest.
func FuzzFrameReader(f *testing.F) {
	w := compress.NewWriter(compress.LevelZero, compress.LZ4)
	if err := w.Compress([]byte("some data, some data, some data")); err != nil {
		f.Fatal(err)
	}
	f.Add(w.Data)
	f.Add(w.Data[:30])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		_, _ = io.Copy(io.Discard, newFrameReader(bytes.NewReader(in)))
	})
}

func TestHeaderBlock(t *testing.T) {
	block, err := headerBlock([]byte("[\"a\",\"UInt8\",\"\"]\n[\"b \\\"c\\\"\",\"Map(String, String)\",\"\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var res proto.Results
	var b proto.Block
	if err := b.DecodeRawBlock(proto.NewReader(bytes.NewReader(block)), 0, res.Auto()); err != nil {
		t.Fatal(err)
	}
	if b.Columns != 2 || b.Rows != 0 || res[0].Name != "a" || res[1].Name != `b "c"` || res[1].Data.Type() != "Map(String, String)" {
		t.Fatalf("%+v %+v", b, res)
	}
}

// FuzzHeaderBlock: any text gives a block or an error, without a panic.
func FuzzHeaderBlock(f *testing.F) {
	f.Add([]byte(`["a","UInt8"]`))
	f.Add([]byte(`[1,2]["a"]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if block, err := headerBlock(in); err == nil && len(block) < 2 {
			t.Fatalf("a block of %d bytes", len(block))
		}
	})
}
