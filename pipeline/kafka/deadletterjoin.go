package kafka

import (
	"fmt"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds of joining: a document fits one raw record, and chunks of different
// documents lie mixed only as far as their writers overlap.
const (
	joinMaxChunks = 64
	joinMaxOpen   = 64
)

// joiner puts the chunks of documents together. The writer puts them down in
// order, one after another, in one partition; those of other writers may lie
// between.
type joiner struct {
	emit func(DeadLetterEntry) error
	open []*joining // oldest first
}

type joining struct {
	key   docKey
	entry DeadLetterEntry
	next  int // chunk
}

// docKey tells rejected documents apart.
type docKey struct {
	tenant, source, topic string
	partition, doc        int32
	offset                int64
	chunks                int
}

// add takes one record of the topic.
func (j *joiner) add(part int32, rec *kgo.Record) error {
	headers := make([]pipeline.Header, len(rec.Headers))
	for i, h := range rec.Headers {
		headers[i] = pipeline.Header{Key: h.Key, Value: h.Value}
	}
	d, err := pipeline.ParseDeadLetter(rec.Value, headers)
	e := DeadLetterEntry{ID: DeadLetterID{part, rec.Offset}, Rejected: schema.FromTime(rec.Timestamp), DeadLetter: d}
	switch {
	case err != nil:
		e.Problem = err.Error()
		return j.emit(e)
	case d.Partition < 0 || d.Chunks < 1 || d.Chunks > joinMaxChunks || d.Chunk < 0 || d.Chunk >= d.Chunks:
		e.Problem = fmt.Sprintf("partition %d, chunk %d of %d makes no sense", d.Partition, d.Chunk, d.Chunks)
		return j.emit(e)
	case d.Chunks == 1:
		return j.emit(e)
	}
	key := docKey{d.Tenant, d.Source, d.Topic, d.Partition, d.Doc, d.Offset, d.Chunks}
	for i, o := range j.open {
		if o.key != key {
			continue
		}
		if d.Chunk == o.next {
			o.entry.Bytes = append(o.entry.Bytes, d.Bytes...)
			if o.next++; o.next == d.Chunks {
				j.open = append(j.open[:i], j.open[i+1:]...)
				return j.emit(o.entry)
			}
			return nil
		}
		if err := j.give(i); err != nil {
			return err
		}
		break
	}
	if d.Chunk != 0 {
		e.Problem = fmt.Sprintf("chunk %d of %d without those before it", d.Chunk, d.Chunks)
		return j.emit(e)
	}
	if len(j.open) == joinMaxOpen {
		if err := j.give(0); err != nil {
			return err
		}
	}
	e.Bytes = append(make([]byte, 0, len(d.Bytes)*d.Chunks), d.Bytes...)
	j.open = append(j.open, &joining{key: key, entry: e, next: 1})
	return nil
}

// give emits a document that did not become whole.
func (j *joiner) give(i int) error {
	o := j.open[i]
	j.open = append(j.open[:i], j.open[i+1:]...)
	o.entry.Problem = fmt.Sprintf("only %d of %d chunks are there", o.next, o.key.chunks)
	return j.emit(o.entry)
}

// flush emits what is left at the end of a partition.
func (j *joiner) flush() error {
	for len(j.open) > 0 {
		if err := j.give(0); err != nil {
			return err
		}
	}
	return nil
}
