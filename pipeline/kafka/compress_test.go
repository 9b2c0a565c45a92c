package kafka

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/interdict/interdict/bench/gen"
)

// checkLZ4 compresses src and has the client library's decoder read it.
func checkLZ4(t interface {
	Helper()
	Fatalf(string, ...any)
}, src []byte) int {
	t.Helper()
	c := newLZ4Compressor()
	var buf bytes.Buffer
	out, codec := c.Compress(&buf, src)
	if len(out) > lz4Bound(len(src)) {
		t.Fatalf("%d bytes became %d, the bound is %d", len(src), len(out), lz4Bound(len(src)))
	}
	got, err := kgo.DefaultDecompressor().Decompress(out, codec)
	if err != nil || !bytes.Equal(got, src) {
		t.Fatalf("%d bytes came back as %d: %v", len(src), len(got), err)
	}
	return len(out)
}

// TestLZ4 compresses texts of every size around the limits of the format.
func TestLZ4(t *testing.T) {
	noise := make([]byte, 3*lz4Block)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	words := bytes.Repeat([]byte("a word of text, "), len(noise)/16)
	for _, text := range [][]byte{noise, words, make([]byte, len(noise)), append(append(bytes.Clone(noise[:70_000]), words...), noise[:70_000]...)} {
		for n := range 80 {
			checkLZ4(t, text[:n])
		}
		for _, n := range []int{255, 270, 271, 1 << 16, lz4Block - 1, lz4Block, lz4Block + 1, lz4Block + lz4Margin, len(text)} {
			checkLZ4(t, text[:n])
		}
	}
	if n := checkLZ4(t, words); n > len(words)/100 {
		t.Errorf("repeated text became %d of %d bytes", n, len(words))
	}
	if n := checkLZ4(t, noise); n > len(noise)+64 {
		t.Errorf("noise became %d of %d bytes", n, len(noise))
	}
}

// TestLZ4Property mixes runs, noise and repetitions of what was there before.
func TestLZ4Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var src []byte
		for range rapid.IntRange(0, 40).Draw(t, "pieces") {
			n := rapid.IntRange(0, 400).Draw(t, "length")
			switch from := rapid.IntRange(-2, len(src)).Draw(t, "from"); {
			case from == -2:
				src = append(src, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "noise")...)
			case from == -1 || from >= len(src):
				src = append(src, bytes.Repeat([]byte{byte(n)}, n)...)
			default:
				src = append(src, src[from:min(len(src), from+n)]...)
			}
		}
		checkLZ4(t, src)
	})
}

// alertBatch is what a batch of raw records holds before compression.
func alertBatch() []byte {
	alert := gen.Suricata(1)
	var src []byte
	for i := 0; len(src) < 45_000_000; i++ {
		src = alert(src, i)
	}
	return src
}

func BenchmarkCompress(b *testing.B) {
	src := alertBatch()
	library, err := kgo.DefaultCompressor(kgo.Lz4Compression())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		c    kgo.Compressor
	}{{"ours", newLZ4Compressor()}, {"library", library}} {
		b.Run(c.name, func(b *testing.B) {
			var buf bytes.Buffer
			n := 0
			b.SetBytes(900_000); k:=0
			for b.Loop() {
				buf.Reset()
				out, _ := c.c.Compress(&buf, src[k:k+900_000])
				n = len(out); k=(k+900_000)%45_000_000
			}
			b.ReportMetric(float64(n)/900_000.0, "ratio")
		})
	}
}
