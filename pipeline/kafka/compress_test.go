package kafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// checkLZ4 compresses src and has the client library read it. It gives the size.
func checkLZ4(t interface {
	Helper()
	Fatalf(string, ...any)
}, src []byte) int {
	t.Helper()
	var buf bytes.Buffer
	out, codec := newLZ4Compressor().Compress(&buf, src)
	if codec != kgo.CodecLz4 || len(out) > lz4Bound(len(src)) {
		t.Fatalf("%d bytes became %d, codec %d", len(src), len(out), codec)
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

// batchText is like a batch of raw records: the same keys in each, other values,
// and some noise as text.
func batchText(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, `{"timestamp":"2026-03-02T00:%02d:%02d.%06d+0000","flow_id":%d,"in_iface":"ens5","event_type":"alert","src_ip":"192.0.2.%d",`+
			`"src_port":%d,"dest_ip":"198.51.100.%d","dest_port":443,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":91000%02d,"rev":3,`+
			`"category":"Potentially Bad Traffic","severity":%d},"payload":"%x","stream":1,"packet_info":{"linktype":1},"host":"sensor-01"}`,
			r.IntN(60), r.IntN(60), r.IntN(1e6), r.Int64(), r.IntN(256), r.IntN(65536), r.IntN(256), r.IntN(40), r.IntN(4), r.Uint64())
	}
	return b[:n]
}

const benchBatch = 900_000

// BenchmarkCompress goes through many batches: one alone the processor learns by heart.
func BenchmarkCompress(b *testing.B) {
	src := batchText(30 * benchBatch)
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
			b.SetBytes(benchBatch)
			in, out := 0, 0
			for b.Loop() {
				buf.Reset()
				z, _ := c.c.Compress(&buf, src[in:in+benchBatch])
				in, out = (in+benchBatch)%len(src), len(z)
			}
			b.ReportMetric(float64(out)/benchBatch, "ratio")
		})
	}
}
