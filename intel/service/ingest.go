package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Ingest takes uploaded STIX objects into a feed. It returns when what it did not
// refuse is on disk. A refusal's Line is the object's place in objects, from 1.
func (s *Service) Ingest(ctx context.Context, f fact.Feed, objects []json.RawMessage) (refused []fact.Refusal, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PullTimeout, errTooLong)
	defer cancel()
	imp, err := s.ports.Library.Begin(ctx, &f, "upload", fact.Update, s.ports.Now())
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", f.Name, err)
	}
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, contain(imp.Abort))
		}
	}()
	seen := &witness{Import: imp, of: map[int]int{}}
	imp.Watch(seen.note)
	err = contain(func() error {
		part := fact.Part{Name: "upload", Format: fact.FormatSTIX}
		return s.ports.Parse(ctx, array(objects), &f, part, schema.FromTime(s.ports.Now()), seen)
	})
	if err != nil {
		return nil, fmt.Errorf("feed %s: parsing an upload: %w", f.Name, err)
	}
	report, err := s.commit(ctx, imp, nil)
	if err != nil && !seen.others && report.Read == 0 && report.Refused > 0 {
		return seen.refused, nil // the library takes no pull of which it can use nothing
	}
	if err != nil {
		s.commitSeen() // it may yet count: only cleaning up behind it failed
		return nil, fmt.Errorf("feed %s: committing an upload: %w", f.Name, err)
	}
	committed = true
	s.uploaded(&f, report)
	return seen.refused, nil
}

// uploaded notes a commit of an upload.
func (s *Service) uploaded(f *fact.Feed, r Report) {
	now := schema.FromTime(s.ports.Now())
	s.mu.Lock()
	e := s.entry(f.Name)
	if e.feed == nil {
		e.adopt(f, now)
	}
	e.pulled, e.good, e.fails, e.err = now, now, 0, ""
	s.commitBooked(e, r, now)
	s.mu.Unlock()
	s.commitSeen()
	s.wake()
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

// witness passes facts on and remembers what was refused, for the sender: at most
// so many refusals of each object.
type witness struct {
	Import
	refused []fact.Refusal
	of      map[int]int // refusals by line
	others  bool        // the library was given something besides indicators
}

const maxRefusals = 20

func (w *witness) note(r fact.Refusal) {
	if w.of[r.Line]++; w.of[r.Line] <= maxRefusals {
		w.refused = append(w.refused, r)
	}
}

func (w *witness) Object(line int, x fact.Object) error {
	w.others = true
	return w.Import.Object(line, x)
}

func (w *witness) Relation(line int, x fact.Relation) error {
	w.others = true
	return w.Import.Relation(line, x)
}

func (w *witness) Sighting(line int, x fact.Sighting) error {
	w.others = true
	return w.Import.Sighting(line, x)
}
