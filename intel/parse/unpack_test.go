package parse

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/interdict/interdict/intel/fact"
)

const packedText = "a.example\nb.example\n"

func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, text []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(text, nil)
}

// zipped packs texts, each with a checksum behind it as archive/zip writes them.
func zipped(t testing.TB, method uint16, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "feed" + string(rune('a'+i)), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// storedZip packs a text with its size and checksum before it.
func storedZip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "feed", Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(text)), CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPacked(t *testing.T) {
	damaged := func(b []byte) []byte { // another text under the same checksum
		return bytes.Replace(b, []byte("a.example"), []byte("x.example"), 1)
	}
	sealed := storedZip(t, packedText)
	binary.LittleEndian.PutUint16(sealed[6:], zipEncrypted)
	for _, c := range []struct {
		name  string
		data  []byte
		fails string
	}{
		{name: "plain", data: []byte(packedText)},
		{name: "gzip", data: gzipped(t, []byte(packedText))},
		{name: "gzip in two parts", data: append(gzipped(t, []byte("a.example\n")), gzipped(t, []byte("b.example\n"))...)},
		{name: "gzip in gzip", data: gzipped(t, gzipped(t, []byte(packedText)))},
		{name: "zstd", data: zstandard(t, []byte(packedText))},
		{name: "zip", data: zipped(t, zip.Deflate, packedText)},
		{name: "stored zip", data: storedZip(t, packedText)},
		{name: "gzip in zip", data: zipped(t, zip.Deflate, string(gzipped(t, []byte(packedText))))},
		{name: "two files in a zip", data: zipped(t, zip.Deflate, packedText, packedText), fails: "more than one file"},
		{name: "damaged zip", data: damaged(storedZip(t, packedText)), fails: "checksum"},
		{name: "sealed zip", data: sealed, fails: "encrypted"},
		{name: "stored zip of unknown size", data: zipped(t, zip.Store, packedText), fails: "compression"},
		{name: "cut gzip", data: gzipped(t, []byte(packedText))[:20], fails: "EOF"},
		{name: "cut zip", data: zipped(t, zip.Deflate, packedText)[:50], fails: "EOF"},
		{name: "cut zstd", data: zstandard(t, []byte(packedText))[:12], fails: "EOF"},
		{name: "packed too often", data: gzipped(t, gzipped(t, gzipped(t, []byte(packedText)))), fails: "packed more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sink
			err := Read(context.Background(), bytes.NewReader(c.data), feed(), fact.Part{Name: "p"}, now, &s)
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want %q", err, c.fails)
			}
			if c.fails == "" {
				s.want(t, "domain=a.example", "domain=b.example")
			}
		})
	}
}

// TestMaxBytes: the limit is of what is unpacked, and what ends at it is whole.
func TestMaxBytes(t *testing.T) {
	for limit, ok := range map[int64]bool{int64(len(packedText)): true, int64(len(packedText)) - 1: false} {
		err := Read(context.Background(), strings.NewReader(packedText), feed(func(f *fact.Feed) { f.MaxBytes = limit }), fact.Part{}, now, &counter{})
		if (err == nil) != ok {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}
