package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

var _ upload.Checker = (*Service)(nil)

// Check parses uploaded STIX objects and has a library that stays empty look at what
// they say: it refuses what the real one would, without waiting for it. useful has for
// each object whether it says anything that is taken; a refusal's Line is the object's
// place in objects, from 1.
func (s *Service) Check(ctx context.Context, f fact.Feed, objects []json.RawMessage) (useful []bool, refused []fact.Refusal, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PullTimeout, errTooLong)
	defer cancel()
	select {
	case s.checking <- struct{}{}:
		defer func() { <-s.checking }()
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("feed %s: waiting to check an upload: %w", f.Name, context.Cause(ctx))
	}
	now := s.ports.Now()
	imp, err := s.ports.Trial.Begin(ctx, &f, "check of an upload", fact.Update, now)
	if err != nil {
		return nil, nil, fmt.Errorf("checking an upload: %w", err)
	}
	defer func() { err = errors.Join(err, contain(imp.Abort)) }()
	seen := &witness{Import: imp, useful: make([]bool, len(objects)), of: map[int]int{}}
	imp.Watch(seen.note)
	if err := s.parse(ctx, &f, objects, now, seen); err != nil {
		return nil, nil, fmt.Errorf("feed %s: checking an upload: %w", f.Name, err)
	}
	return seen.useful, seen.refused, nil
}

// parse hands what a request's objects say to a sink. at is when they came.
func (s *Service) parse(ctx context.Context, f *fact.Feed, objects []json.RawMessage, at time.Time, to fact.Sink) error {
	part := fact.Part{Name: "upload of " + schema.FromTime(at).String(), Format: fact.FormatSTIX}
	return contain(func() error { return s.ports.Parse(ctx, array(objects), f, part, schema.FromTime(at), to) })
}

// array reads objects as one JSON array, without copying them.
func array(objects []json.RawMessage) io.Reader {
	parts := make([]io.Reader, 0, 2*len(objects)+1)
	for i, o := range objects {
		before := ","
		if i == 0 {
			before = "["
		}
		parts = append(parts, strings.NewReader(before), bytes.NewReader(o))
	}
	return io.MultiReader(append(parts, strings.NewReader("]"))...)
}

// witness passes facts on and remembers which objects they came from, and what was
// refused, for the sender: at most so many refusals of each object.
type witness struct {
	Import
	useful  []bool // by line
	refused []fact.Refusal
	of      map[int]int // refusals by line
	noted   int
}

const maxRefusals = 20

func (w *witness) note(r fact.Refusal) {
	w.noted++
	if w.of[r.Line]++; w.of[r.Line] <= maxRefusals {
		w.refused = append(w.refused, r)
	}
}

// took notes the line of a fact that was passed on, unless it was refused.
func (w *witness) took(line, notedBefore int, err error) error {
	if err == nil && w.noted == notedBefore && line >= 1 && line <= len(w.useful) {
		w.useful[line-1] = true
	}
	return err
}

func (w *witness) Said(line int, x fact.Said) error {
	before := w.noted
	return w.took(line, before, w.Import.Said(line, x))
}

func (w *witness) Object(line int, x fact.Object) error {
	before := w.noted
	return w.took(line, before, w.Import.Object(line, x))
}

func (w *witness) Relation(line int, x fact.Relation) error {
	before := w.noted
	return w.took(line, before, w.Import.Relation(line, x))
}

func (w *witness) Sighting(line int, x fact.Sighting) error {
	before := w.noted
	return w.took(line, before, w.Import.Sighting(line, x))
}
