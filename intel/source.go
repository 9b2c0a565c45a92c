package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/stages/match"
)

// source is the library as the publisher sees it.
type source struct {
	l   *library.Library
	cfg match.Config
}

var _ distribute.Library = source{}

func (s source) Changes(ctx context.Context, from json.RawMessage, yield func(match.Change) error) (json.RawMessage, error) {
	var v library.Version
	if err := json.Unmarshal(from, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", distribute.ErrGone, err)
	}
	to, err := s.l.Changes(ctx, v, yield)
	if errors.Is(err, library.ErrGone) {
		return nil, fmt.Errorf("%w: %w", distribute.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(to)
}

// Build writes a snapshot.
func (s source) Build(ctx context.Context, path string) (json.RawMessage, error) {
	v, _, err := s.l.WriteSnapshot(ctx, s.cfg, func(library.Version) (string, error) { return path, nil })
	if err != nil {
		return nil, fmt.Errorf("building a snapshot: %w", err)
	}
	return json.Marshal(v)
}
