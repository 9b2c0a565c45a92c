package stagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Sample builds a batch as the stage would be given it. It is called many times
// and must build the same batch each time.
type Sample func() *schema.Batch

// Run checks the stages that build makes, each of them new and alike, over the
// samples. A timed stage also gets a tick after each sample, at the batch's time.
func Run(t *testing.T, build func() stages.Stage, samples ...Sample) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.check(build, samples); err != nil {
				t.Fatal(err)
			}
		})
	}
}

type check struct {
	name  string
	check func(build func() stages.Stage, samples []Sample) error
}

var checks = [...]check{
	{"Deterministic", deterministic},
	{"EmptyBatch", emptyBatch},
	{"InputUnchanged", inputUnchanged},
	{"KeepsNoBatchMemory", keepsNoBatchMemory},
	{"RollbackExact", rollbackExact},
	{"SnapshotRestore", snapshotRestore},
	{"CanceledContext", canceledContext},
}

// trace is what one step gave: the batch after Process, the batch after Advance,
// and the state.
type trace struct{ process, advance, state string }

// step runs a stage over one batch and its tick.
func step(s stages.Stage, b *schema.Batch) (tr trace, err error) {
	ctx := context.Background()
	tick := tickOf(b)
	if err := s.Process(ctx, b); err != nil {
		return tr, fmt.Errorf("Process: %w", err)
	}
	tr.process = Dump(b)
	if timed, ok := s.(stages.Timed); ok {
		out := schema.Batch{Now: tick.Now, Position: b.Position}
		if err := timed.Advance(ctx, tick, &out); err != nil {
			return tr, fmt.Errorf("Advance: %w", err)
		}
		tr.advance = Dump(&out)
	}
	return tr, nil
}

func tickOf(b *schema.Batch) stages.Tick {
	t := stages.Tick{Now: b.Now, Watermark: b.Now - 30*schema.Minute}
	switch {
	case len(b.Alerts) > 0:
		t.Tenant = string([]byte(b.Alerts[0].Tenant))
	case len(b.Control) > 0:
		t.Tenant = string([]byte(b.Control[0].Tenant))
	}
	return t
}

func commit(s stages.Stage) {
	if st, ok := s.(stages.Stateful); ok {
		st.Commit()
	}
}

func snapshot(s stages.Stage) (string, error) {
	st, ok := s.(stages.Stateful)
	if !ok {
		return "", nil
	}
	var buf bytes.Buffer
	if err := st.Snapshot(&buf); err != nil {
		return "", fmt.Errorf("Snapshot: %w", err)
	}
	return buf.String(), nil
}

// plain runs a new stage over all samples and gives what must come out.
func plain(build func() stages.Stage, samples []Sample) ([]trace, error) {
	s := build()
	var out []trace
	for i, sample := range samples {
		tr, err := step(s, sample())
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		commit(s)
		if tr.state, err = snapshot(s); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		out = append(out, tr)
	}
	return out, nil
}

func same(what string, i int, got, want string) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("sample %d: %s differs\n%s", i, what, difference(got, want))
}

func (got trace) same(want trace, i int) error {
	return errors.Join(
		same("the output of Process", i, got.process, want.process),
		same("the output of Advance", i, got.advance, want.advance),
		same("the state", i, got.state, want.state))
}

func deterministic(build func() stages.Stage, samples []Sample) error {
	first, err := plain(build, samples)
	if err != nil {
		return err
	}
	worked := false
	for i, sample := range samples {
		worked = worked || first[i].process != Dump(sample())
	}
	if !worked {
		return errors.New("the stage does nothing with any sample: give it better ones")
	}
	for range 3 { // Go's map order is random: one more run could agree by luck
		again, err := plain(build, samples)
		if err != nil {
			return err
		}
		for i := range again {
			if err := again[i].same(first[i], i); err != nil {
				return err
			}
		}
	}
	return nil
}

func emptyBatch(build func() stages.Stage, samples []Sample) error {
	s := build()
	for i := -1; i < len(samples); i++ {
		now, position := schema.Millis(0), uint64(0)
		if i >= 0 {
			b := samples[i]()
			now, position = b.Now, b.Position
			if _, err := step(s, b); err != nil {
				return fmt.Errorf("sample %d: %w", i, err)
			}
			commit(s)
		}
		b := &schema.Batch{Now: now, Position: position}
		want := Dump(b)
		if err := s.Process(context.Background(), b); err != nil {
			return fmt.Errorf("Process of an empty batch: %w", err)
		}
		if err := same("an empty batch", i, Dump(b), want); err != nil {
			return err
		}
		commit(s)
	}
	return nil
}

// inputUnchanged compares what belongs to the log: raw records and control
// records. Alerts may be enriched by the stages whose work that is.
func inputUnchanged(build func() stages.Stage, samples []Sample) error {
	s := build()
	for i, sample := range samples {
		b := sample()
		raw, control := Dump(b.Raw), Dump(b.Control)
		if _, err := step(s, b); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		commit(s)
		if err := errors.Join(same("Raw", i, Dump(b.Raw), raw), same("Control", i, Dump(b.Control), control)); err != nil {
			return err
		}
	}
	return nil
}

func keepsNoBatchMemory(build func() stages.Stage, samples []Sample) error {
	want, err := plain(build, samples)
	if err != nil {
		return err
	}
	s := build()
	for i, sample := range samples {
		m := &memory{}
		b := m.copyOf(sample())
		tr, err := step(s, b)
		if err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		m.scribble()
		b.Reset()
		commit(s)
		if tr.state, err = snapshot(s); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		if err := tr.same(want[i], i); err != nil {
			return fmt.Errorf("with batches overwritten after use: %w", err)
		}
	}
	return nil
}

func rollbackExact(build func() stages.Stage, samples []Sample) error {
	want, err := plain(build, samples)
	if err != nil {
		return err
	}
	s := build()
	st, ok := s.(stages.Stateful)
	if !ok {
		return nil
	}
	before, err := snapshot(s)
	if err != nil {
		return err
	}
	for i := range samples {
		// What is undone may be any number of batches, not only the one to come.
		for ahead := range 3 {
			for k := i; k <= i+ahead && k < len(samples); k++ {
				if _, err := step(s, samples[k]()); err != nil {
					return fmt.Errorf("sample %d: %w", k, err)
				}
			}
			st.Rollback()
			after, err := snapshot(s)
			if err != nil {
				return err
			}
			if err := same("the state after Rollback", i, after, before); err != nil {
				return err
			}
		}
		tr, err := step(s, samples[i]())
		if err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		st.Commit()
		if tr.state, err = snapshot(s); err != nil {
			return err
		}
		if err := tr.same(want[i], i); err != nil {
			return fmt.Errorf("after rollbacks: %w", err)
		}
		before = tr.state
	}
	return nil
}

func snapshotRestore(build func() stages.Stage, samples []Sample) error {
	want, err := plain(build, samples)
	if err != nil {
		return err
	}
	s := build()
	if _, ok := s.(stages.Stateful); !ok {
		return nil
	}
	for i := range samples {
		data, err := snapshot(s)
		if err != nil {
			return err
		}
		if again, err := snapshot(s); err != nil {
			return err
		} else if err := same("a second snapshot", i, again, data); err != nil {
			return err
		}
		restored := build()
		if err := restored.(stages.Stateful).Restore(bytes.NewReader([]byte(data))); err != nil {
			return fmt.Errorf("sample %d: Restore: %w", i, err)
		}
		if again, err := snapshot(restored); err != nil {
			return err
		} else if err := same("a snapshot of what was restored", i, again, data); err != nil {
			return err
		}
		s = restored // every later sample runs on a restored stage
		tr, err := step(s, samples[i]())
		if err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		commit(s)
		if tr.state, err = snapshot(s); err != nil {
			return err
		}
		if err := tr.same(want[i], i); err != nil {
			return fmt.Errorf("after Restore: %w", err)
		}
	}
	return nil
}

func canceledContext(build func() stages.Stage, samples []Sample) error {
	want, err := plain(build, samples)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := build()
	for i, sample := range samples {
		if err := s.Process(ctx, sample()); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("sample %d: Process with a canceled context: %w", i, err)
		}
		if st, ok := s.(stages.Stateful); ok {
			st.Rollback()
		} else {
			s = build()
		}
		tr, err := step(s, sample())
		if err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		commit(s)
		if tr.state, err = snapshot(s); err != nil {
			return err
		}
		if err := tr.same(want[i], i); err != nil {
			return fmt.Errorf("after a canceled context: %w", err)
		}
	}
	return nil
}
