package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pools lends franz-go the memory that fetched records live in. It is given
// back record by record when the transaction that read them has ended, never
// earlier: lanes may point into it until then.
type pools struct {
	bytes   sync.Pool // *[]byte
	records sync.Pool // *[]kgo.Record
}

func (p *pools) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	if b, ok := p.bytes.Get().(*[]byte); ok && cap(*b) >= len(compressed) {
		return (*b)[:0]
	}
	return make([]byte, 0, 4*len(compressed))
}

func (p *pools) PutDecompressBytes(b []byte) { p.bytes.Put(&b) }

func (p *pools) GetRecords(n int) []kgo.Record {
	if r, ok := p.records.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return (*r)[:0]
	}
	return make([]kgo.Record, 0, n)
}

func (p *pools) PutRecords(r []kgo.Record) { p.records.Put(&r) }
