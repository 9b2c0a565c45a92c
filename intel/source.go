package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
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

// Build writes a snapshot shard by shard, with records waiting in a file beside it.
func (s source) Build(ctx context.Context, path string) (_ json.RawMessage, err error) {
	spill, err := os.CreateTemp(filepath.Dir(path), "spill-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("building a snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, spill.Close(), os.Remove(spill.Name())) }()
	b, err := match.NewBuilder(s.cfg, spill)
	if err != nil {
		return nil, err
	}
	v, err := s.l.Each(ctx, func(i schema.Indicator) error {
		if err := b.Add(i); err != nil && match.Check(i) == nil {
			return err
		}
		// What no index takes was admitted under other rules, such as an older list of
		// public suffixes. It must not keep the rest from the workers.
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("building a snapshot: %w", err)
	}
	if err := b.WriteSnapshot(path); err != nil {
		return nil, fmt.Errorf("building a snapshot: %w", err)
	}
	return json.Marshal(v)
}
