package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pools lends franz-go the memory of fetched records. It is given back record by
// record when the transaction that read them has ended, never earlier.
//
// The bytes that the records point to are not lent: the client clears the whole of
// what it is given back, which costs more than allocating what is needed.
type pools struct {
	records sync.Pool // *[]kgo.Record
}

func (p *pools) GetRecords(n int) []kgo.Record {
	if r, ok := p.records.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return (*r)[:0]
	}
	return make([]kgo.Record, 0, n)
}

func (p *pools) PutRecords(r []kgo.Record) { p.records.Put(&r) }
