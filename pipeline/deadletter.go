package pipeline

import (
	"fmt"
	"strconv"

	"github.com/interdict/interdict/schema"
)

// deadLetterChunk is the largest piece of a rejected document in one record: it
// fits a broker with default limits, so that the dead letter can always be
// written.
const deadLetterChunk = 896 << 10

// DeadLetter is one rejected document with what is known of it.
type DeadLetter struct {
	Tenant    string        `json:"tenant"`
	Source    string        `json:"source"`
	Topic     string        `json:"topic"` // where it came from
	Partition int32         `json:"partition"`
	Offset    int64         `json:"offset"`
	Doc       int32         `json:"doc"`
	Time      schema.Millis `json:"time"` // timestamp of the raw record
	Reason    schema.Reason `json:"reason"`
	Detail    string        `json:"detail,omitempty"`
	Chunk     int           `json:"-"`
	Chunks    int           `json:"-"`
	Bytes     []byte        `json:"bytes"` // as received; of this chunk
}

// AppendTo appends the records of the dead letter to msgs: one, or as many
// chunks as its size needs. The messages alias d.Bytes.
func (d DeadLetter) AppendTo(msgs []Out) []Out {
	key := append(append([]byte(d.Tenant), 0), d.Source...)
	n := max(1, (len(d.Bytes)+deadLetterChunk-1)/deadLetterChunk)
	for i := range n {
		part := d.Bytes[i*deadLetterChunk : min(len(d.Bytes), (i+1)*deadLetterChunk)]
		h := func(k, v string) Header { return Header{k, []byte(v)} }
		msgs = append(msgs, Out{Topic: TopicDeadLetter, Key: key, Value: nonNil(part), Headers: []Header{
			h("tenant", d.Tenant), h("source", d.Source), h("topic", d.Topic),
			h("partition", strconv.Itoa(int(d.Partition))), h("offset", strconv.FormatInt(d.Offset, 10)),
			h("doc", strconv.Itoa(int(d.Doc))), h("time", strconv.FormatInt(int64(d.Time), 10)),
			h("reason", d.Reason.String()), h("detail", d.Detail),
			h("chunk", strconv.Itoa(i)), h("chunks", strconv.Itoa(n)),
		}})
	}
	return msgs
}

// nonNil keeps an empty document from becoming a tombstone.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ParseDeadLetter reads one record of the dead letter. Bytes aliases the value.
func ParseDeadLetter(value []byte, headers []Header) (DeadLetter, error) {
	d := DeadLetter{Bytes: value, Chunks: 1}
	for _, h := range headers {
		v := string(h.Value)
		var n int64
		var err error
		switch h.Key {
		case "offset", "time":
			n, err = strconv.ParseInt(v, 10, 64)
		case "partition", "doc", "chunk", "chunks":
			if n, err = strconv.ParseInt(v, 10, 32); err == nil && n < 0 {
				err = strconv.ErrRange
			}
		}
		if err != nil {
			return d, fmt.Errorf("dead letter header %s: %w", h.Key, err)
		}
		switch h.Key {
		case "tenant":
			d.Tenant = v
		case "source":
			d.Source = v
		case "topic":
			d.Topic = v
		case "partition":
			d.Partition = int32(n)
		case "offset":
			d.Offset = n
		case "doc":
			d.Doc = int32(n)
		case "time":
			d.Time = schema.Millis(n)
		case "chunk":
			d.Chunk = int(n)
		case "chunks":
			d.Chunks = int(n)
		case "reason":
			r, ok := schema.ParseReason(v)
			if !ok {
				return d, fmt.Errorf("dead letter header reason: %q is not known", v)
			}
			d.Reason = r
		case "detail":
			d.Detail = v
		}
	}
	if d.Topic == "" || d.Reason == schema.ReasonNone {
		return d, fmt.Errorf("dead letter record without topic or reason header")
	}
	return d, nil
}
