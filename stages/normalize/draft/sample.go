package draft

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// Sample is what documents of one format have been seen to hold.
type Sample struct {
	docs   int
	text   int // of them, those that are no JSON
	fields map[string]*field
	order  []*field // as first seen
	pairs  map[pairKey]*pairing
	pairOf []*pairing // as first seen
	whole  bool       // more documents or fields came than are looked at
}

// NewSample gives one that has seen nothing.
func NewSample() *Sample {
	return &Sample{fields: map[string]*field{}, pairs: map[pairKey]*pairing{}}
}

// ErrDocument says that a document is neither a JSON object nor text that can be
// read.
var ErrDocument = errors.New("neither a JSON object nor readable text")

// Documents counts what was added.
func (s *Sample) Documents() int { return s.docs }

// Add looks at one document: JSON or text, with or without a shipper's envelope.
func (s *Sample) Add(document []byte) error {
	if s.docs == maxDocuments {
		s.whole = true
		return nil
	}
	return s.add(bytes.TrimSpace(document), 0)
}

// maxEnvelopes is how deep envelopes may hold each other.
const maxEnvelopes = 3

func (s *Sample) add(document []byte, depth int) error {
	if v, err := parse(document); err == nil {
		o, ok := v.(object)
		if !ok || len(o) == 0 {
			return ErrDocument
		}
		if inner := unwrap(o); inner != nil && depth < maxEnvelopes {
			if text, ok := inner.(string); ok {
				return s.add([]byte(text), depth+1)
			}
			o, _ = inner.(object)
		}
		s.docs++
		s.walk(o, place{})
		return nil
	}
	values, payload, err := readText(document)
	if err != nil {
		return err
	}
	if payload != nil && depth < maxEnvelopes {
		return s.add(payload, depth+1)
	}
	s.docs++
	s.text++
	for _, v := range values {
		s.note(v.place, v.text, false)
	}
	return nil
}

func (s *Sample) note(p place, value string, number bool) {
	if value == "" {
		return // the stage takes it for absent, too
	}
	f := s.fields[p.path]
	if f == nil {
		if len(s.order) == maxFields {
			s.whole = true
			return
		}
		f = &field{path: p.path, names: p.names, array: p.array, seen: map[string]int{}}
		s.fields[p.path] = f
		s.order = append(s.order, f)
	}
	f.note(s.docs, value, number)
}

// limits are those of the text reader.
func limits() *extract.Limits {
	return &extract.Limits{MaxDepth: 32, MaxKeys: 2000, MaxString: 64 << 10, MaxDocument: 1 << 20}
}

func fault(f extract.Fault) error {
	if f.Reason == schema.ReasonNone {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDocument, f.What)
}

// own makes a string independent of the arena it is in.
func own(s string) string { return string(arena.Bytes(s)) }
