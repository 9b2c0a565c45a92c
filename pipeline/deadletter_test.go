package pipeline

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// TestDeadLetterRoundTrip: what is rejected comes back as it was, in chunks that
// any broker takes.
func TestDeadLetterRoundTrip(t *testing.T) {
	doc := make([]byte, 3*deadLetterChunk)
	for i := range doc {
		doc[i] = byte(i * 7 >> 3)
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{0, 1, deadLetterChunk - 1, deadLetterChunk, deadLetterChunk + 1, len(doc)}).Draw(t, "size")
		d := DeadLetter{
			Tenant: rapid.String().Draw(t, "tenant"), Source: rapid.String().Draw(t, "source"),
			Topic:     rapid.StringN(1, 20, -1).Draw(t, "topic"),
			Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: rapid.Int64Min(0).Draw(t, "offset"), Doc: rapid.Int32Min(0).Draw(t, "doc"),
			Time: schema.Millis(rapid.Int64().Draw(t, "time")), Detail: rapid.String().Draw(t, "detail"),
			Reason: schema.Reason(rapid.IntRange(int(schema.ReasonEmpty), int(schema.ReasonNotAnAlert)).Draw(t, "reason")),
			Bytes:  doc[:size],
		}
		msgs := d.AppendTo(nil)
		var joined []byte
		for i, m := range msgs {
			if m.Value == nil || len(m.Value) > deadLetterChunk || m.Topic != TopicDeadLetter || m.Sharded {
				t.Fatalf("chunk %d of %d: %d bytes", i, len(msgs), len(m.Value))
			}
			if !bytes.Equal(m.Key, msgs[0].Key) {
				t.Fatal("chunks have different keys: they could part")
			}
			got, err := ParseDeadLetter(m.Value, m.Headers)
			if err != nil {
				t.Fatal(err)
			}
			if got.Chunk != i || got.Chunks != len(msgs) {
				t.Fatalf("chunk %d of %d came back as %d of %d", i, len(msgs), got.Chunk, got.Chunks)
			}
			joined = append(joined, got.Bytes...)
			got.Chunk, got.Chunks, got.Bytes = 0, 0, d.Bytes
			if !reflect.DeepEqual(got, d) {
				t.Fatalf("got %+v, want %+v", got, d)
			}
		}
		if !bytes.Equal(joined, d.Bytes) {
			t.Fatal("the bytes are not as received")
		}
	})
}

// FuzzParseDeadLetter gives records that others may have written: one "key=value"
// header per line. What is accepted must come back the same when written again.
func FuzzParseDeadLetter(f *testing.F) {
	f.Add([]byte("{"), "topic=edr\nreason=invalid_json\npartition=3\noffset=9\ndoc=0\ntime=1700000000000\nchunk=0\nchunks=1")
	f.Add([]byte(""), "topic=a\nreason=empty\nchunk=-1\nchunks=9223372036854775807")
	f.Add([]byte("x"), "reason=none\ntopic=a")
	f.Add([]byte("x"), "partition=99999999999999999999")
	f.Add([]byte("x"), "topic=a\nreason=too_deep\npartition=4294967296\ntenant=t\nsource=s\ndetail=d")
	f.Fuzz(func(t *testing.T, value []byte, lines string) {
		var headers []Header
		for line := range strings.SplitSeq(lines, "\n") {
			k, v, _ := strings.Cut(line, "=")
			headers = append(headers, Header{k, []byte(v)})
		}
		d, err := ParseDeadLetter(value, headers)
		if err != nil {
			return
		}
		if d.Topic == "" || d.Reason == schema.ReasonNone || !bytes.Equal(d.Bytes, value) {
			t.Fatalf("accepted %+v", d)
		}
		if len(value) > deadLetterChunk {
			return
		}
		again, err := ParseDeadLetter(value, d.AppendTo(nil)[0].Headers)
		if err != nil {
			t.Fatal(err)
		}
		again.Chunk, again.Chunks = d.Chunk, d.Chunks
		if !reflect.DeepEqual(again, d) {
			t.Fatalf("got %+v, want %+v", again, d)
		}
	})
}
