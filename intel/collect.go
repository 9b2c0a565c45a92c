package intel

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Text is a feed's text to be read once, beside the library.
type Text struct {
	Feed   fact.Feed
	Origin string
	Body   io.Reader
}

// With gives an index with what the texts say added: they pass through a library of
// their own in a temporary folder, so that they count as they would if imported.
func With(ctx context.Context, x *match.Index, cfg library.Config, now time.Time, texts ...Text) (_ *match.Index, err error) {
	if len(texts) == 0 {
		return x, nil
	}
	dir, err := os.MkdirTemp("", "interdict-feeds-*")
	if err != nil {
		return nil, fmt.Errorf("adding feeds: %w", err)
	}
	defer os.RemoveAll(dir)
	l := library.Open(filepath.Join(dir, "indicators"), cfg)
	for _, t := range texts {
		if _, err := Take(ctx, l, &t.Feed, t.Origin, t.Body, now, nil); err != nil {
			return nil, err
		}
	}
	var changes []match.Change
	_, err = l.Each(ctx, func(i schema.Indicator) error {
		changes = append(changes, match.Change{Op: match.Add, Indicator: i})
		return nil
	})
	if err != nil {
		return nil, err
	}
	x, _, err = x.Apply(changes)
	return x, err
}
