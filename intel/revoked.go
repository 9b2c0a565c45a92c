package intel

import (
	"context"
	"errors"
	"slices"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/retro"
	"github.com/interdict/interdict/schema"
)

// revokedIn gives what says why an indicator that a library no longer has was taken back:
// an analyst or its feed revoked it, or an analyst took back what they had said
// themselves. That a feed has it no more, or that it has ended, is no such word.
func revokedIn(l *library.Library) retro.Revoked {
	return func(ctx context.Context, t schema.ObservableType, value, feed, id string) (why, by string, err error) {
		if feed == library.Analyst {
			return "taken back by an analyst", library.Analyst, nil
		}
		known, err := l.Check(ctx, schema.Observable{Type: t, Value: value})
		if lacks := new(library.Partial); err != nil && !errors.As(err, &lacks) { // of a feed that cannot be read no change tells
			return "", "", err
		}
		for i := range known {
			k := &known[i]
			if k.Refusal != nil || k.Aside == "" || k.Indicator.Feed != feed || k.Indicator.ID != id || k.Indicator.Type != t || k.Indicator.Value != value {
				continue
			}
			for _, o := range slices.Backward(k.Overrides) {
				if o.Revoked != nil && *o.Revoked {
					return "revoked by " + o.By, library.Analyst, nil
				} else if o.Revoked != nil {
					break
				}
			}
			if k.Said != nil && k.Said.Revoked {
				return "revoked by its feed", feed, nil
			}
		}
		return "", "", nil
	}
}
