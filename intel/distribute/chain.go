package distribute

import (
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// chain applies the lists of the log to an index, each to the content that it was
// made for and no other.
type chain struct {
	x    *match.Index // nil: nothing to apply to
	seq  uint64       // newest list that counts, applied or ready
	made schema.Millis

	ready []match.Change // of whole lists, in order, not yet applied
	lists int            // how many these are; one may have no changes
	after uint64         // content with ready applied

	// Of what is published, what the rules of this build do not admit is left out. An id is
	// the sum of those of all indicators, so what it has besides follows from the first
	// list with one that is refused, and holds for all that do not touch those.
	refused map[identity]bool
	apart   uint64

	open  schema.IndicatorDelta // the list whose parts are coming; Parts zero: none
	parts []match.Change        // of it
	size  int                   // of its records, in bytes
}

// identity is what an indicator is known by.
type identity struct {
	typ             schema.ObservableType
	value, feed, id string
}

// maxRefused bounds what is left out; with more of it an index is of no use.
const maxRefused = 10_000

// step says what a delta meant.
type step uint8

const (
	stepPart      step = iota // of a list that is not complete
	stepTaken                 // the list is complete and in its place
	stepDuplicate             // it was taken before, or its outcome is here already
	stepTorn                  // its list is not complete and never will be
	stepLost                  // it is for another content: something is missing
)

func newChain(x *match.Index, seq uint64, made schema.Millis) *chain {
	return &chain{x: x, seq: seq, made: made}
}

// content gives the id that the index has when all that is ready is applied.
func (c *chain) content() uint64 {
	switch {
	case c.lists > 0:
		return c.after
	case c.x != nil:
		return c.x.ID() + c.apart
	}
	return 0
}

// take looks at a delta. Its texts must stay as they are until flush.
func (c *chain) take(d *schema.IndicatorDelta, size int) step {
	if d.Seq <= c.seq && c.x != nil {
		return stepDuplicate
	}
	torn := stepPart
	if d.Part != 0 && !c.continues(d) || d.Part >= max(d.Parts, 1) {
		c.drop()
		return stepTorn
	}
	if d.Part == 0 {
		if c.open.Parts != 0 {
			torn = stepTorn
		}
		c.drop()
		c.open = *d
		c.open.Parts = max(d.Parts, 1)
	}
	if c.size += size; c.size > maxList {
		c.drop()
		return stepTorn
	}
	c.open.Part = d.Part
	for i := range d.Changes {
		c.parts = append(c.parts, fromWire(&d.Changes[i]))
	}
	if d.Part+1 < c.open.Parts {
		return torn
	}
	defer c.drop()
	switch now := c.content(); {
	case c.x == nil:
		return stepLost
	case d.Before == now:
		c.ready, c.after = append(c.ready, c.parts...), d.After
		c.lists++
	case d.After == now:
		c.seq, c.made = d.Seq, d.Made
		return stepDuplicate
	default:
		return stepLost
	}
	c.seq, c.made = d.Seq, d.Made
	return stepTaken
}

// continues reports whether a delta is the next part of the list at hand.
func (c *chain) continues(d *schema.IndicatorDelta) bool {
	o := &c.open
	return o.Parts != 0 && d.Parts == o.Parts && d.Part == o.Part+1 && d.Seq == o.Seq && d.Before == o.Before && d.After == o.After
}

// discard forgets what is ready.
func (c *chain) discard() { c.ready, c.lists = nil, 0 }

func (c *chain) drop() { c.open, c.parts, c.size = schema.IndicatorDelta{}, nil, 0 }

// flush applies what is ready. With an error the index is of no use any more: it is
// not what the publisher has, and cannot be changed.
//
// What the rules of this build refuse is told to refuse, and left out; nil: it is an
// error.
func (c *chain) flush(refuse func(*schema.Indicator, error)) (applied int, err error) {
	if c.lists == 0 {
		return 0, nil
	}
	n := len(c.ready)
	apart := false // what is left out has changed
	if refuse != nil {
		apart = c.admit(refuse)
	}
	x, _, err := c.x.Apply(c.ready)
	c.discard()
	if err != nil {
		c.x = nil
		return 0, fmt.Errorf("applying %d changes: %w", n, err)
	}
	if apart {
		c.apart = c.after - x.ID()
	}
	switch {
	case x.ID()+c.apart != c.after, len(c.refused) == 0 && c.apart != 0:
		c.x = nil
		return 0, fmt.Errorf("applying %d changes led to content %016x, the publisher had %016x", n, x.ID()+c.apart, c.after)
	case len(c.refused) > maxRefused:
		c.x = nil
		return 0, fmt.Errorf("%d published indicators do not pass the rules of this build", len(c.refused))
	}
	c.x = x
	return n, nil
}

// admit makes removals of what is refused, since what stood there before is no more
// what its feed says, and reports whether what is left out has changed.
func (c *chain) admit(refuse func(*schema.Indicator, error)) (changed bool) {
	for n := range c.ready {
		d := &c.ready[n]
		i := &d.Indicator
		var why error
		if d.Op == match.Add {
			why = match.Check(*i)
		}
		if why == nil && len(c.refused) == 0 {
			continue
		}
		key := identity{i.Type, i.Value, i.Feed, i.ID}
		if had := c.refused[key]; !had && why == nil {
			continue
		}
		changed = true
		if delete(c.refused, key); why == nil {
			continue
		}
		if c.refused == nil {
			c.refused = map[identity]bool{}
		}
		c.refused[identity{i.Type, strings.Clone(i.Value), strings.Clone(i.Feed), strings.Clone(i.ID)}] = true
		refuse(i, why)
		*d = match.Change{Op: match.Remove, Indicator: known(i)}
	}
	return changed
}
