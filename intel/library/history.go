package library

import (
	"bytes"
	"context"
	"errors"

	"github.com/interdict/interdict/schema"
)

// history tells since when the library has an indicator and when it changed last. The
// facts of a feed are read beside its indicators: both are in order of their keys.
type history struct {
	l       *Library
	over    *overlay
	now     schema.Millis
	feed    string
	t       *table
	c       *cursor
	settled schema.Millis // since when the feed is derived as it is: see state.Settled
	good    schema.Millis
	key     []byte
	lacks   Partial // feeds whose facts cannot be read
}

// times are those that an exported indicator has. None is zero.
type times struct{ created, modified schema.Millis }

// of gives the times of the next indicator. Indicators come as Each yields them.
func (h *history) of(ctx context.Context, i *schema.Indicator) (times, error) {
	if i.Feed == Analyst {
		o := h.over.overrides[i.ID]
		if o == nil { // set since: the indicators are of a moment before
			return times{h.now, h.now}, nil
		}
		return times{o.Time, o.Time}, nil
	}
	if h.feed != i.Feed {
		if err := h.open(i.Feed); err != nil {
			return times{}, err
		}
	}
	t, err := h.said(ctx, i)
	if err != nil {
		if err = h.lacks.take(i.Feed, found(i.Feed, err)); err != nil {
			return t, err
		}
	}
	if t.created == 0 { // its fact is gone since, or cannot be read
		t = times{h.good, h.good}
	}
	if len(h.over.places)+len(h.over.sighted) > 0 {
		_, _, by := h.over.apply(*i, counts)
		for _, o := range by {
			t.modified = max(t.modified, o.Time)
		}
	}
	t.modified = max(t.modified, i.Fresh)
	return t, nil
}

// said finds the fact of an indicator.
func (h *history) said(ctx context.Context, i *schema.Indicator) (t times, err error) {
	h.key = appendKey(h.key[:0], i.Type, i.Value, i.ID)
	for n := 0; !h.c.done && bytes.Compare(h.c.key, h.key) < 0; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return t, context.Cause(ctx)
		}
		if err := h.c.next(); err != nil {
			h.c.done = true
			return t, err
		}
	}
	if h.c.done || !bytes.Equal(h.c.key, h.key) {
		return t, nil
	}
	f, ok := decodeStored(i.Feed, h.c.key, h.c.payload)
	if !ok {
		h.c.done = true
		return t, h.t.damaged("a fact is none")
	}
	return h.timesOf(&f), nil
}

// timesOf gives the times of a fact. Where its feed says when it changed, that is its
// time and not that of the pull: who imports it lets it age from then. Later is what its
// feed or the settings made another since it was known.
func (h *history) timesOf(f *stored) times {
	t := times{f.First, f.First}
	if told := min(max(f.Version, f.Fresh), f.Seen); told > 0 {
		t = times{min(t.created, told), told}
	}
	if f.ValidFrom > 0 {
		t.created = min(t.created, f.ValidFrom)
	}
	if t.modified = max(t.modified, f.Changed); h.settled > f.First {
		t.modified = max(t.modified, h.settled)
	}
	return t
}

// open begins with the facts of a feed.
func (h *history) open(feed string) error {
	if err := h.close(); err != nil {
		return err
	}
	h.feed = feed
	err := h.l.reading(feed, func(st *state) (err error) {
		h.settled, h.good, h.t = st.Settled, max(1, st.Good), nil
		if st.Facts == 0 {
			return nil
		}
		h.t, err = openTable(generationFile(h.l.feedDir(feed), st.Facts, "facts"), kindFacts)
		return err
	})
	if err != nil {
		h.t, h.good = nil, max(1, h.good)
	}
	h.c = h.t.scan()
	err = h.lacks.take(feed, err)
	return errors.Join(err, h.c.next())
}

func (h *history) close() error {
	t := h.t
	if h.t = nil; t == nil {
		return nil
	}
	return t.close()
}
