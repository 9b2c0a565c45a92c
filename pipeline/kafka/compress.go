package kafka

import (
	"bytes"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lz4Compressor compresses batches of records. It takes about half the time of the
// client library's own, which looks for matches in a table that the fastest cache
// does not hold and adds a checksum that a batch has already; what it writes is
// about a tenth larger.
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
