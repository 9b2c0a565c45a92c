package kafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// checkLZ4 compresses src, ourselves and with the client library, and reads both,
// ourselves and with the client library. It gives the size of ours.
func checkLZ4(t interface {
	Helper()
	Fatalf(string, ...any)
}, src []byte) int {
	t.Helper()
	library, err := kgo.DefaultCompressor(kgo.Lz4Compression())
	if err != nil {
		t.Fatalf("%v", err)
	}
	size := 0
	for _, c := range []kgo.Compressor{library, newLZ4Compressor()} {
		var buf bytes.Buffer
		out, codec := c.Compress(&buf, src)
		if codec != kgo.CodecLz4 || len(out) > lz4Bound(len(src)) {
			t.Fatalf("%T: %d bytes became %d, codec %d", c, len(src), len(out), codec)
		}
		got, err := kgo.DefaultDecompressor().Decompress(out, codec)
		if err != nil || !bytes.Equal(got, src) {
			t.Fatalf("%T: the library read %d bytes as %d: %v", c, len(src), len(got), err)
		}
		if got, err = unlz4(out, len(src)); err != nil || !bytes.Equal(got, src) {
			t.Fatalf("%T: %d bytes came back as %d: %v", c, len(src), len(got), err)
		}
		if len(src) > 0 {
			if _, err := unlz4(out, len(src)-1); err == nil {
				t.Fatalf("%T: %d bytes came back, one more than was allowed", c, len(src))
			}
		}
		size = len(out)
	}
	return size
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

// TestDecompressor reads what the client library wrote in every codec, and refuses
// what is damaged.
func TestDecompressor(t *testing.T) {
	text := batchText(50_000)
	d := newDecompressor()
	for _, c := range []kgo.CompressionCodec{kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		library, err := kgo.DefaultCompressor(c)
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		out, codec := library.Compress(&buf, text)
		got, err := d.Decompress(out, codec)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("codec %d: %d bytes came back as %d: %v", codec, len(text), len(got), err)
		}
		if _, err := d.Decompress(out[:len(out)/2], codec); err == nil {
			t.Errorf("codec %d: half of a batch was read", codec)
		}
	}
	if got, err := d.Decompress(text, kgo.CodecNone); err != nil || !bytes.Equal(got, text) {
		t.Errorf("not compressed: %v", err)
	}
}

// FuzzUnlz4: no input panics, and what we read the client library reads the same.
// It may refuse more: it looks at checksums.
func FuzzUnlz4(f *testing.F) {
	for _, n := range []int{0, 1, 100, 3000} {
		f.Add(appendLZ4(nil, batchText(n), new(lz4Table)))
	}
	f.Add([]byte("\x04\x22\x4d\x18\x64\x40\xa7\x05\x00\x00\x00\x1fa\x01\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := unlz4(src, 1<<20)
		if err != nil {
			return
		}
		if want, err := kgo.DefaultDecompressor().Decompress(src, kgo.CodecLz4); err == nil && !bytes.Equal(got, want) {
			t.Errorf("read %q, the library %q", got, want)
		}
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

func BenchmarkDecompress(b *testing.B) {
	src := batchText(30 * benchBatch)
	var batches [][]byte
	for ; len(src) > 0; src = src[benchBatch:] {
		batches = append(batches, appendLZ4(nil, src[:benchBatch], new(lz4Table)))
	}
	for _, d := range []struct {
		name string
		d    kgo.Decompressor
	}{{"ours", newDecompressor()}, {"library", kgo.DefaultDecompressor()}} {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(benchBatch)
			i := 0
			for b.Loop() {
				if _, err := d.d.Decompress(batches[i%len(batches)], kgo.CodecLz4); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
