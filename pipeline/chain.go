package pipeline

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Step is one stage of a chain with the name it is counted under.
type Step struct {
	Name  string
	Stage stages.Stage
}

// chain runs steps in order over one batch and counts what went in and out. It
// is the only place that counts: stages do not.
type chain struct {
	steps []Step
	count *Counts
}

// process runs every step. What a step rejected or dropped does not reach the
// next one, since it left no alert behind.
func (c *chain) process(ctx context.Context, b *schema.Batch) error {
	for _, s := range c.steps {
		before := tally(b)
		if err := s.Stage.Process(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		c.count.add(s.Name, before, tally(b))
	}
	return nil
}

// advance gives the tick to the timed steps in order; each sees in b what the
// ones before it caused.
func (c *chain) advance(ctx context.Context, t stages.Tick, b *schema.Batch) error {
	for _, s := range c.steps {
		timed, ok := s.Stage.(stages.Timed)
		if !ok {
			continue
		}
		if err := timed.Advance(ctx, t, b); err != nil {
			return fmt.Errorf("advancing %s: %w", s.Name, err)
		}
	}
	return nil
}

func (c *chain) commit() {
	for _, s := range c.steps {
		if st, ok := s.Stage.(stages.Stateful); ok {
			st.Commit()
		}
	}
}

func (c *chain) rollback() {
	for _, s := range c.steps {
		if st, ok := s.Stage.(stages.Stateful); ok {
			st.Rollback()
		}
	}
}
