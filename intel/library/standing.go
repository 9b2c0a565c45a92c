package library

import (
	"errors"
	"fmt"

	"github.com/interdict/interdict/intel/fact"
)

// Keep has Commit list beside what this import refuses what was refused before and still
// stands: where stands says so, since this pull did not read it again. It lists no more
// than was listed, and has no part in whether anything could be used.
func (im *Import) Keep(stands func(fact.Refusal) bool) { im.stands = stands }

// keepRefused lists what was refused before and stands. Where that cannot be read it is
// forgotten: it is for people, and must not hold up what counts.
func (im *Import) keepRefused() error {
	if im.stands == nil || im.old == nil {
		return nil
	}
	err := im.l.refusals(im.feed.Name, func(r fact.Refusal) error {
		if im.ctx.Err() != nil || !im.stands(r) {
			return im.ctx.Err()
		}
		return im.list(r)
	})
	if errors.Is(err, ErrDamaged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keeping what was refused before: %w", err)
	}
	return nil
}
