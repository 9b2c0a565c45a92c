package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/stages/match"
)

// source is the library as the publisher sees it: the way from what was published last
// stays known, and a feed that is damaged does not keep the others from the workers. It
// is for one goroutine.
type source struct {
	l    *library.Library // For the publisher
	cfg  match.Config
	log  *slog.Logger
	told string // what is damaged, as it was logged last
}

var _ distribute.Library = (*source)(nil)

func newSource(l *library.Library, cfg match.Config, log *slog.Logger) *source {
	return &source{l: l.For("publisher"), cfg: cfg, log: log}
}

func (s *source) Changes(ctx context.Context, from json.RawMessage, yield func(match.Change) error) (json.RawMessage, error) {
	var v library.Version
	if err := json.Unmarshal(from, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", distribute.ErrGone, err)
	}
	to, err := s.l.Changes(ctx, v, yield)
	if errors.Is(err, library.ErrGone) {
		return nil, fmt.Errorf("%w: %w", distribute.ErrGone, err)
	}
	if err := s.tolerate(err); err != nil {
		return nil, err
	}
	return json.Marshal(to)
}

// Build writes a snapshot.
func (s *source) Build(ctx context.Context, path string) (json.RawMessage, error) {
	v, _, err := s.l.WriteSnapshot(ctx, s.cfg, func(library.Version) (string, error) { return path, nil })
	if err := s.tolerate(err); err != nil {
		return nil, fmt.Errorf("building a snapshot: %w", err)
	}
	return json.Marshal(v)
}

// tolerate logs which feeds are damaged when that has changed. Other errors are given
// back.
func (s *source) tolerate(err error) error {
	lacks, text := new(library.Partial), ""
	if errors.As(err, &lacks) {
		text, err = lacks.Error(), nil
	}
	if err != nil || text == s.told {
		return err
	}
	if s.told = text; text == "" {
		s.log.Info("all feeds can be read and published again")
		return nil
	}
	for _, d := range lacks.Damaged {
		s.log.Error("a feed is damaged: what it said before stays in force as far as it is known, until it is pulled or imported again", "feed", d.Feed, "file", d.File, "reason", d.Reason)
	}
	return nil
}
